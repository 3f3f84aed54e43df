import { readDuration } from './durations.ts';

/** How the next generation takes the place of the active one. */
export const STRATEGIES = ['blue-green', 'rolling', 'in-place', 'exclusive'] as const;
/** How the next generation takes the place of the active one: see the option `strategy`. */
export type StrategyName = (typeof STRATEGIES)[number];

/** A number of workers, as it is or as a share (0-1) of the workers of a generation. */
export type Surge = number | { readonly share: number };

/** What runs between the last answer of the old version and the first of the new one, under the strategy `exclusive`. */
export interface BeforeCutover {
  /** A command for the shell, or a function. */
  readonly run: string | BeforeCutoverFunction;
  readonly timeoutMs: number;
}

/** What a function given as `beforeCutover` is called with. */
export interface BeforeCutoverContext {
  /** The generation that has just become quiet. */
  readonly from: number;
  /** The generation that will serve next. */
  readonly to: number;
  /** The real working directory of the generation that will serve next. */
  readonly cwd: string;
  /** Aborted when the timeout has passed, or the handover was called off. */
  readonly signal: AbortSignal;
}

/** A function of one's own: it fails by throwing, rejecting, or not settling in time. */
export type BeforeCutoverFunction = (context: BeforeCutoverContext) => Promise<void> | void;

/**
 * What a user may write for `beforeCutover`: a shell command, a function, or one of them with a timeout.
 *
 * A command gets HANDOVER_FROM and HANDOVER_TO, and the folder and environment of the new version.
 */
export type UserBeforeCutover = string | BeforeCutoverFunction | UserBeforeCutoverFields;

interface UserBeforeCutoverFields {
  /** A command for the shell, which succeeds with exit code 0, or a function. */
  run: string | BeforeCutoverFunction;
  /** How long it may take: a duration above 0. Default: `"60s"`. */
  timeout?: string | number;
}

const MOST_WORKERS = 128;
const BEFORE_CUTOVER_MS = 60_000;
const BEFORE_CUTOVER_FIELDS = ['run', 'timeout'];

/** Reads a number of workers or a percentage of them, or gives undefined where it is neither. */
export function readSurge(given: unknown): Surge | undefined {
  if (typeof given === 'number')
    return Number.isInteger(given) && given >= 0 && given <= MOST_WORKERS ? given : undefined;
  const [, digits, percent] = (typeof given === 'string' && /^(\d{1,3})(%?)$/.exec(given)) || [];
  if (digits === undefined) return undefined;
  if (percent === '') return readSurge(Number(digits));
  return Number(digits) <= 100 ? { share: Number(digits) / 100 } : undefined;
}

/** Whether a surge is none at all, however many workers there are. */
export function isNone(surge: Surge): boolean {
  return (typeof surge === 'number' ? surge : surge.share) === 0;
}

/** Reads `beforeCutover`, or gives undefined where it is none: a command, a function, or one of them with a timeout. */
export function readBeforeCutover(given: unknown): BeforeCutover | undefined {
  if (typeof given === 'string' || typeof given === 'function') return readBeforeCutover({ run: given });
  if (typeof given !== 'object' || given === null) return undefined;
  const { run, timeout = BEFORE_CUTOVER_MS } = given as Exclude<UserBeforeCutover, string | BeforeCutoverFunction>;
  const timeoutMs = readDuration(1)(timeout);
  const usable =
    Object.keys(given).every((key) => BEFORE_CUTOVER_FIELDS.includes(key)) &&
    (typeof run === 'function' || (typeof run === 'string' && run.trim() !== ''));
  return usable && timeoutMs !== undefined ? { run, timeoutMs } : undefined;
}
