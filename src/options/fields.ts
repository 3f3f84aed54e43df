import { BY_WANTS, CANARY_WANTS, readBy, readCanary, readShareText } from './canary.ts';
import { readDuration } from './durations.ts';
import { areNodeOptions } from './node-options.ts';
import { readInteger, readName } from './readers.ts';
import { STRATEGIES } from './strategies.ts';

/** One thing that somebody may write, in an option, a config, a flag or an order: what it may be, and how it is read. */
export interface Field<T = unknown> {
  /** What the value may be, in words that follow "it must be". */
  readonly wants: string;
  /** Turns what was written into the value, or undefined where that cannot be. */
  readonly read: (given: unknown) => T | undefined;
}

/** A text that can be passed to a program: without the byte that ends one. */
const isPlain = (given: unknown): given is string => typeof given === 'string' && !given.includes('\0');
const isPath = (given: unknown): given is string => isPlain(given) && given !== '';

/** Takes what fits as it is. */
function fitting<T>(wants: string, fits: (given: unknown) => given is T): Field<T> {
  return { wants, read: (given) => (fits(given) ? given : undefined) };
}

export const PATH = fitting('a path', isPath);

export const FLAG = fitting('true or false', (given) => typeof given === 'boolean');

export const NAME: Field<string> = {
  wants: 'a text of 1 to 100 characters without control characters',
  read: readName
};

/** Variables of an environment. Their values may be secrets: no message shows them. */
export const ENVIRONMENT = fitting(
  'an object of texts',
  (given): given is Readonly<Record<string, string>> =>
    isObject(given) && Object.entries(given).every(([name, one]) => isPath(name) && !name.includes('=') && isPlain(one))
);

/** Arguments for the app. */
export const ARGUMENTS = fitting(
  'a list of texts',
  (given): given is readonly string[] => Array.isArray(given) && given.every(isPlain)
);

export const NODE_OPTIONS = fitting(
  'a list of options of Node, each with its value, such as "--import=tsx"',
  (given): given is readonly string[] => Array.isArray(given) && given.every(isPlain) && areNodeOptions(given)
);

export const STRATEGY = fitting(`one of ${STRATEGIES.join(', ')}`, (given): given is (typeof STRATEGIES)[number] =>
  (STRATEGIES as readonly unknown[]).includes(given)
);

export const GENERATION: Field<number> = {
  wants: 'the number of a generation',
  read: readInteger(1, Number.MAX_SAFE_INTEGER)
};

export const WORKERS: Field<number> = { wants: 'an integer from 1 to 128', read: readInteger(1, 128) };

/** Whether it is an object of named values, and not a list. */
export function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

/** A canary, or `off`. */
export const CANARY = fitting(
  `"off", or ${CANARY_WANTS}`,
  (given): given is string | number | object => given === 'off' || readCanary(given) !== undefined
);

export const BY = fitting(BY_WANTS, (given): given is string => readBy(given) !== undefined);

export const SHARE = fitting(
  'a share such as "25%", or 0.25',
  (given): given is string | number => readShareText(given) !== undefined
);

export const DURATION = fitting(
  'a duration with its unit, such as "30s" or "5m", up to 24 days',
  (given): given is string | number => readDuration(1)(given) !== undefined
);
