import leven from 'leven';
import { BAKE_DEFAULTS, type Bake, type GivenBake, readBake } from './bake.ts';
import {
  type Check,
  type CheckFunction,
  type GivenCheck,
  type GivenWarmUp,
  readCheck,
  readWarmUp,
  type WarmUp
} from './checks.ts';
import { readDuration } from './durations.ts';
import { HandoverError } from './errors.ts';
import { type ListenAddress, readAddress, readInteger, readList, readOneOf, readWorkers } from './readers.ts';

interface Spec<T> {
  readonly fallback: T;
  /** The default as a user would write it, where that is not how it is kept. */
  readonly written?: string;
  /** What the value may be, in words that follow "it must be". */
  readonly wants: string;
  /** The value of the flag, as the help shows it. */
  readonly value: string;
  readonly about: string;
  /** Several values are collected. */
  readonly repeatable?: true;
  /** Turns what the user wrote into the value, or undefined where that cannot be. */
  readonly read: (given: unknown) => T | undefined;
}

const DURATION = 'a duration such as "30s", "10m" or a number of milliseconds';

function spec<T>(one: Spec<T>): Spec<T> {
  return one;
}

/** Every option of `supervise()`, `handover run` and the config: one line each, and everything else is made of it. */
export const OPTIONS = {
  listen: spec<readonly ListenAddress[]>({
    fallback: [],
    value: '<port | host:port | unix:path>',
    wants: 'a port, "host:port", "[ipv6]:port" or "unix:/path"',
    about:
      "Address to own. The app's first server gets the first, whatever port it asks for, and PORT is set; a further server gets the next; addresses left over go to the first. Without it, the app's own listen() decides.",
    repeatable: true,
    read: readList(readAddress)
  }),
  workers: spec<number>({
    fallback: 1,
    value: '<n | max>',
    wants: 'an integer from 1 to 128, or "max"',
    about: 'Processes of each generation; `max` is one for each core.',
    read: readWorkers
  }),
  name: spec<string | null>({
    fallback: null,
    value: '<app>',
    wants: 'a text of 1 to 100 characters without control characters',
    about: "Name of the app. Default: the nearest package.json's name, else the entry's file name.",
    read: (given) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      typeof given === 'string' && /^[^\x00-\x1f\x7f]{1,100}$/.test(given) ? given : undefined
  }),
  socket: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path of at most 100 bytes',
    about: 'Path of the control socket. Default: one for each name, in a directory of this user.',
    read: (given) => (typeof given === 'string' && given !== '' && Buffer.byteLength(given) <= 100 ? given : undefined)
  }),
  ready: spec<'listening' | 'signal'>({
    fallback: 'listening',
    value: '<listening | signal>',
    wants: '"listening" or "signal"',
    about:
      "When a worker can serve: its servers called listen(), or the app called ready() (PM2's process.send('ready') counts).",
    read: readOneOf('listening', 'signal')
  }),
  check: spec<readonly (Check | CheckFunction)[]>({
    fallback: [],
    value: '</path | /path=status>',
    wants: 'a path such as "/health" or "/health=200", or in code an object with a path, or a function',
    about:
      'Private request to every worker of a candidate before it may accept; the candidate is given up if it fails. Without a status, any of 200-399 will do.',
    repeatable: true,
    read: readList(readCheck)
  }),
  warmUp: spec<WarmUp | null>({
    fallback: null,
    value: '</path>',
    wants: 'a path, or in code { path | paths, requests, concurrency, for }',
    about:
      'Private requests to every worker of a candidate after its checks, so that the first users do not meet cold code: 200 of them, 4 at a time, for 5 s at the most.',
    read: readWarmUp
  }),
  readyTimeout: spec<number>({
    fallback: 30_000,
    value: '<30s>',
    wants: `${DURATION}, above 0`,
    about: 'How long a candidate may take to become ready. A late one is given up.',
    read: readDuration(1)
  }),
  drainTimeout: spec<number>({
    fallback: 30_000,
    value: '<30s>',
    wants: DURATION,
    about: 'How long a retiring worker may take over what is still in flight, before SIGTERM and, 5 s later, SIGKILL.',
    read: readDuration(0)
  }),
  bake: spec<Bake>({
    fallback: BAKE_DEFAULTS,
    written: '30s',
    value: '<30s | 0>',
    wants: `${DURATION}, 0, or in code { for, and limits by the name of their signal }`,
    about:
      'How long a new generation is compared, after the cutover, with what the one before it did. `0`: not at all.',
    read: readBake
  }),
  rollback: spec<'auto' | 'manual'>({
    fallback: 'auto',
    value: '<auto | manual>',
    wants: '"auto" or "manual"',
    about: 'What follows when a signal reaches its limit while the new generation bakes: a rollback, or only a word.',
    read: readOneOf('auto', 'manual')
  }),
  keepWarm: spec<number>({
    fallback: 600_000,
    value: '<10m | 0 | forever>',
    wants: `${DURATION}, 0 or "forever"`,
    about: 'How long the previous generation stays warm for a rollback. `forever` is until the next handover.',
    read: (given) => (given === 'forever' || given === Infinity ? Infinity : readDuration(0)(given))
  }),
  handoverBudget: spec<number>({
    fallback: 2_000,
    value: '<2s>',
    wants: DURATION,
    about:
      'How long a connection that could move may wait for its turn, before the next answer on it says `Connection: close`.',
    read: readDuration(0)
  }),
  orphanTimeout: spec<number>({
    fallback: 30_000,
    value: '<30s>',
    wants: DURATION,
    about: 'How long active workers go on serving after the supervisor was killed, before they finish and exit.',
    read: readDuration(0)
  }),
  backlog: spec<number>({
    fallback: 4096,
    value: '<n>',
    wants: 'an integer from 1 to 65535',
    about: "Connections that may wait in the kernel's queue (the kernel caps it at net.core.somaxconn).",
    read: readInteger(1, 65_535)
  }),
  log: spec<'pretty' | 'json' | null>({
    fallback: null,
    value: '<pretty | json>',
    wants: '"pretty" or "json"',
    about: "Form of the supervisor's own lines on stderr. Default: pretty on a terminal, else JSON.",
    read: readOneOf('pretty', 'json')
  })
} as const;

export type OptionName = keyof typeof OPTIONS;
/** Options with every value checked and every default filled in. Durations are milliseconds. */
export type Options = { readonly [N in OptionName]: (typeof OPTIONS)[N]['fallback'] };

/** What a user may write: durations as `"30s"` or milliseconds, one address or a list of them. */
export interface GivenOptions {
  listen?: string | number | readonly (string | number)[];
  workers?: number | 'max';
  name?: string;
  socket?: string;
  ready?: 'listening' | 'signal';
  check?: GivenCheck | readonly GivenCheck[];
  warmUp?: GivenWarmUp;
  readyTimeout?: string | number;
  drainTimeout?: string | number;
  bake?: GivenBake;
  rollback?: 'auto' | 'manual';
  keepWarm?: string | number;
  handoverBudget?: string | number;
  orphanTimeout?: string | number;
  backlog?: number;
  log?: 'pretty' | 'json';
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID
 */
export function readOptions(given: GivenOptions): Options {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name, Object.keys(OPTIONS));
  const read = (name: OptionName) => {
    const value = given[name];
    const { fallback, read } = OPTIONS[name];
    if (value === undefined) return [name, fallback];
    const checked = read(value);
    if (checked === undefined) throw invalidOption(name, value);
    return [name, checked];
  };
  return Object.fromEntries((Object.keys(OPTIONS) as OptionName[]).map(read)) as Options;
}

/** An option that does not exist: a typo must not become a default. */
export function unknownOption(name: string, known: readonly string[]): HandoverError {
  const distance = (one: string) => leven(one.toLowerCase(), name.toLowerCase());
  const nearest = [...known].sort((a, b) => distance(a) - distance(b))[0];
  const near = nearest !== undefined && distance(nearest) <= Math.max(2, name.length / 3);
  return new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
    what: `Option "${name}" is not known`,
    why: near ? `the nearest name is "${nearest}"` : 'no option has a name like it',
    fix: `The options are: ${known.join(', ')}`
  });
}

/** One line of the table, whatever its value is. */
export function specOf(name: OptionName): Omit<Spec<unknown>, 'read'> {
  return OPTIONS[name];
}

function invalidOption(name: OptionName, value: unknown): HandoverError {
  const { wants, fallback, written = fallback } = specOf(name);
  const shown =
    fallback === null || (Array.isArray(fallback) && fallback.length === 0)
      ? 'the default'
      : `the default of ${written}`;
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `Option "${name}" is not usable`,
    why: `it must be ${wants}, and it is ${JSON.stringify(value)}`,
    fix: `Remove it to get ${shown}, or correct it`
  });
}
