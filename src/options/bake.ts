import {
  type BakeLimits,
  DEFAULT_LIMITS,
  type Limit,
  SIGNALS,
  type SignalKind,
  type SignalName
} from '../core/verdict/signals.ts';
import { readDuration } from './durations.ts';

/** How long a new generation is watched after the cutover, and what it may not do meanwhile. */
export interface Bake {
  /** Milliseconds; 0 = not watched. */
  readonly forMs: number;
  /** How long at the most, where fewer than `requests` requests came in that time. */
  readonly atMostMs: number;
  /** With fewer requests, nothing is seen. */
  readonly requests: number;
  readonly limits: BakeLimits;
}

/**
 * What a user may write for a limit: `false` switches the signal off, a number is the `floor` of what is counted (`exits`,
 * `hangs`, `uncaught`), and what an object leaves out is as the default says.
 */
export type UserLimit = false | number | UserLimitFields;

interface UserLimitFields {
  /** Reached at this many times the value from before the cutover, and `floor` above it: at least 1. */
  ratio?: number;
  /** In the unit of the signal: times, a share of 0-1, a duration, bytes per minute; above 0. */
  floor?: number | string;
  /** Or reached at this many times, whatever the floor; null = the floor always holds, also where `floor` is given. */
  outright?: number | null;
  /** Fewest requests to judge by. */
  requests?: number;
  /** Fewest requests that have to be bad. */
  least?: number;
  /** What is too much where there is nothing to compare with; null = not judged then. */
  absolute?: number | string | null;
  /** The time after the cutover that is left out: a duration. */
  after?: number | string;
}

/** What a user may write for the bake: how long, or that and limits by the name of their signal. */
export type UserBake = string | number | UserBakeFields;

interface UserBakeFields extends Partial<Record<SignalName, UserLimit>> {
  /** How long: a duration, `0` for not at all. Default: `"30s"`. */
  for?: string | number;
  /**
   * How long at the most, where fewer than `requests` requests came that can be compared: a duration. Default: `"5m"`, and
   * as long as `for` where that is given.
   */
  atMost?: string | number;
  /** With fewer requests, nothing is seen: the bake goes on until `atMost`, and is `keep unseen` then. Default: 50. */
  requests?: number;
  /** Workers that exited without being told to. Default: twice as many and 2 more. */
  exits?: UserLimit;
  /** Workers that were replaced because they did not answer. Default: twice as many and 1 more. */
  hangs?: UserLimit;
  /** Share of responses with a status of 500 or above. Default: twice and 0.003 more, 5 at least; 0.5 without comparison. */
  errors?: UserLimit;
  /** Share of responses with a status of 400 to 499. Default: twice and 0.1 more, 10 at least. */
  refused?: UserLimit;
  /** Share of requests whose response was cut short. Default: twice and 0.02 more, 10 at least. */
  cut?: UserLimit;
  /** Median latency. Default: twice as long and 5 ms more, or 10 times; without the first second. */
  p50?: UserLimit;
  /** 99th percentile of latency. Default: as `p50`. */
  p99?: UserLimit;
  /** CPU time of a request. Default: 2.5 times and 0.1 ms more, without the first 5 s. */
  cpu?: UserLimit;
  /** 99th percentile of event-loop delay, the worst worker. Default: 3 times and 500 ms more, not in the first 10 s. */
  loopDelay?: UserLimit;
  /** Uncaught exceptions and unhandled rejections. Default: twice as many and 10 more. */
  uncaught?: UserLimit;
  /** Growth of the worker that grows fastest. Default: 4 times and 256 MiB a minute more, not in the first 25 s. */
  memory?: UserLimit;
}

export const BAKE_DEFAULTS: Bake = { forMs: 30_000, atMostMs: 300_000, requests: 50, limits: DEFAULT_LIMITS };

type Field = keyof Exclude<UserLimit, false | number>;

/** What can be said of a limit: of worker exits no share is taken, and no number of requests is needed. */
const FIELDS: { readonly [K in SignalKind]: readonly Field[] } = {
  count: ['ratio', 'floor'],
  share: ['ratio', 'floor', 'requests', 'least', 'absolute'],
  percentile: ['ratio', 'floor', 'outright', 'requests', 'absolute', 'after'],
  level: ['ratio', 'floor', 'absolute', 'after']
};

/** Reads the bake, or gives undefined where it is none: a duration, or an object of a duration and limits. */
export function readBake(given: unknown): Bake | undefined {
  if (typeof given !== 'object') return readBake({ for: given ?? null });
  if (given === null || Array.isArray(given)) return undefined;
  const { for: time, atMost, requests = BAKE_DEFAULTS.requests, ...signals } = given as UserBakeFields;
  const forMs = readDuration(0)(time === undefined ? BAKE_DEFAULTS.forMs : time);
  const atMostMs = readDuration(0)(atMost ?? (time === undefined ? BAKE_DEFAULTS.atMostMs : time));
  if (forMs === undefined || atMostMs === undefined || atMostMs < forMs) return undefined;
  if (!Number.isSafeInteger(requests) || requests < 0) return undefined;
  const limits: Record<string, Limit | null> = { ...DEFAULT_LIMITS };
  for (const [name, one] of Object.entries(signals)) {
    const limit = Object.hasOwn(SIGNALS, name) ? readLimit(name as SignalName, one) : undefined;
    if (limit === undefined) return undefined;
    limits[name] = limit;
  }
  return { forMs, atMostMs, requests, limits: limits as BakeLimits };
}

/** Reads a limit: false, how many are too many of what is counted, or an object; null = switched off. */
function readLimit(name: SignalName, given: unknown): Limit | null | undefined {
  const { kind, limit: standard } = SIGNALS[name];
  if (given === undefined) return standard;
  if (given === false) return null;
  if (typeof given === 'number') return kind === 'count' ? readLimit(name, { floor: given }) : undefined;
  if (typeof given !== 'object' || given === null) return undefined;
  if (!Object.keys(given).every((key) => FIELDS[kind].includes(key as Field))) return undefined;
  const {
    ratio = standard.ratio,
    outright = given !== null && 'floor' in given ? null : standard.outright,
    requests = standard.requests,
    least = standard.least,
    floor = standard.floor,
    absolute = standard.absolute,
    after = standard.afterMs
  } = given as Exclude<UserLimit, false | number>;
  const read = {
    floor: readAmount(name, floor),
    absolute: absolute === null ? null : readAmount(name, absolute),
    afterMs: readDuration(0)(after)
  };
  const usable =
    typeof ratio === 'number' &&
    Number.isFinite(ratio) &&
    ratio >= 1 &&
    (outright === null || (Number.isFinite(outright) && outright > 1)) &&
    Number.isInteger(requests) &&
    requests >= Math.min(1, standard.requests) &&
    Number.isInteger(least) &&
    least >= 0;
  if (!usable || read.floor === undefined || read.absolute === undefined || read.afterMs === undefined)
    return undefined;
  return { ratio, outright, requests, least, floor: read.floor, absolute: read.absolute, afterMs: read.afterMs };
}

/** Reads an amount in the unit of a signal: above 0, for nothing that did not happen may roll a version back. */
function readAmount(name: SignalName, given: unknown): number | undefined {
  const { unit } = SIGNALS[name];
  if (unit === 'ms') return readDuration(1)(given);
  if (typeof given !== 'number' || !Number.isFinite(given) || given <= 0) return undefined;
  if (unit === 'times') return Number.isInteger(given) ? given : undefined;
  return unit === 'share' && given > 1 ? undefined : given;
}
