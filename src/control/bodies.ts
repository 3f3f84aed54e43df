import { type ErrorCode, HandoverError } from '../errors.ts';
import { readName } from '../options/readers.ts';
import { STRATEGIES } from '../options/strategies.ts';

interface Field {
  /** What the value may be, in words that follow "it must be". */
  readonly wants: string;
  readonly fits: (value: unknown) => boolean;
}

/** The fields that a route takes, each of which may be left out. */
export type Fields = Readonly<Record<string, Field>>;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && !value.includes('\0');
const isPlain = (value: unknown) => typeof value === 'string' && !value.includes('\0');
const isWhole = (value: unknown, most: number) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;

const path: Field = { wants: 'a path', fits: isText };
const flag: Field = { wants: 'true or false', fits: (value) => typeof value === 'boolean' };

/** What `reload` takes: see {@link ReloadOrder}. */
export const RELOAD: Fields = {
  entry: path,
  cwd: path,
  env: {
    wants: 'an object of texts',
    fits: (value) =>
      isObject(value) &&
      Object.entries(value).every(([name, one]) => isText(name) && !name.includes('=') && isPlain(one))
  },
  envFile: path,
  node: path,
  label: {
    wants: 'a text of 1 to 100 characters without control characters',
    fits: (value) => readName(value) !== undefined
  },
  args: { wants: 'a list of texts', fits: (value) => Array.isArray(value) && value.every(isPlain) },
  strategy: {
    wants: `one of ${STRATEGIES.join(', ')}`,
    fits: (value) => (STRATEGIES as readonly unknown[]).includes(value)
  },
  supersede: flag,
  wait: flag
};

export const ROLLBACK: Fields = {
  to: { wants: 'the number of a generation', fits: (value) => isWhole(value, Number.MAX_SAFE_INTEGER) },
  supersede: flag
};

export const SCALE: Fields = {
  workers: { wants: 'an integer from 1 to 128', fits: (value) => isWhole(value, 128) }
};

/**
 * Reads an order, field by field. None at all is the same as `{}`.
 *
 * @param from what is read, as the error calls it
 * @throws HANDOVER_ERR_CONTROL_BAD_REQUEST, or the code that is given
 */
export function readOrder<T extends object>(
  from: string,
  body: unknown,
  fields: Fields,
  code: ErrorCode = 'HANDOVER_ERR_CONTROL_BAD_REQUEST'
): T {
  if (body === undefined) return {} as T;
  const known = Object.keys(fields);
  const fix = known.length === 0 ? 'Send {}' : `Send {} or some of: ${known.join(', ')}`;
  const refuse = (why: string) => new HandoverError(code, { what: `${from} is not usable`, why, fix });
  if (!isObject(body)) throw refuse('it is not an object');
  for (const [name, value] of Object.entries(body)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) throw refuse(`"${name.slice(0, 40)}" is not known`);
    if (!field.fits(value)) throw refuse(`"${name}" must be ${field.wants}`);
  }
  return body as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
