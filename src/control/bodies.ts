import { type ErrorCode, HandoverError } from '../errors.ts';
import {
  ARGUMENTS,
  BY,
  CANARY,
  DURATION,
  ENVIRONMENT,
  type Field,
  FLAG,
  GENERATION,
  isObject,
  NAME,
  NODE_OPTIONS,
  PATH,
  SHARE,
  STRATEGY,
  WORKERS
} from '../options/fields.ts';

/** The fields that a route takes, each of which may be left out. */
export type Fields = Readonly<Record<string, Field>>;

/** What `reload` takes: see {@link ReloadOrder}. */
export const RELOAD: Fields = {
  entry: PATH,
  cwd: PATH,
  env: ENVIRONMENT,
  envFile: PATH,
  node: PATH,
  nodeOptions: NODE_OPTIONS,
  label: NAME,
  args: ARGUMENTS,
  strategy: STRATEGY,
  supersede: FLAG,
  wait: FLAG,
  canary: CANARY,
  hold: DURATION,
  by: BY,
  split: SHARE,
  splitName: NAME
};

export const ROLLBACK: Fields = { to: GENERATION, supersede: FLAG };

export const SHARES: Fields = { share: SHARE };

export const SCALE: Fields = { workers: WORKERS };

export const DRAIN: Fields = { for: DURATION, closeIdle: FLAG };

export const UPGRADE: Fields = { node: PATH, args: ARGUMENTS };

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
    // JSON has numbers and flags of its own: what would have to be converted is refused.
    if (field.read(value) !== value) throw refuse(`"${name}" must be ${field.wants}`);
  }
  return body as T;
}
