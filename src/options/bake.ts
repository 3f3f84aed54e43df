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
  readonly limits: BakeLimits;
}

/** What a user may write for a limit; what is left out is as the default says. */
export type UserLimit =
  | false
  | number
  | {
      /** At least this many times what it was before the cutover, and at least `floor` above it. */
      ratio?: number;
      /** In the unit of the signal: times, a share of 0-1, a duration, bytes per minute. */
      floor?: number | string;
      /** Fewest requests to judge by. */
      requests?: number;
      /** What is too much where there is nothing to compare with; null = not judged then. */
      absolute?: number | string | null;
      /** How long after the cutover it is not judged yet. */
      after?: number | string;
    };

/** What a user may write for the bake: how long, or that and limits by the name of their signal. */
export type UserBake = string | number | ({ for?: string | number } & { [S in SignalName]?: UserLimit });

export const BAKE_DEFAULTS: Bake = { forMs: 30_000, limits: DEFAULT_LIMITS };

type Field = keyof Exclude<UserLimit, false | number>;

/** What can be said of a limit: of worker exits no share is taken, and no number of requests is needed. */
const FIELDS: { readonly [K in SignalKind]: readonly Field[] } = {
  count: ['ratio', 'floor'],
  share: ['ratio', 'floor', 'requests', 'absolute'],
  percentile: ['ratio', 'floor', 'requests', 'absolute', 'after'],
  level: ['ratio', 'floor', 'absolute', 'after']
};

/** Reads the bake, or gives undefined where it is none: a duration, or an object of a duration and limits. */
export function readBake(given: unknown): Bake | undefined {
  if (typeof given !== 'object') return readBake({ for: given ?? null });
  if (given === null || Array.isArray(given)) return undefined;
  const { for: time = BAKE_DEFAULTS.forMs, ...signals } = given as Exclude<UserBake, string | number>;
  const forMs = readDuration(0)(time);
  const limits: Record<string, Limit | null> = { ...DEFAULT_LIMITS };
  for (const [name, one] of Object.entries(signals)) {
    const limit = Object.hasOwn(SIGNALS, name) ? readLimit(name as SignalName, one) : undefined;
    if (limit === undefined) return undefined;
    limits[name] = limit;
  }
  return forMs === undefined ? undefined : { forMs, limits: limits as BakeLimits };
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
    requests = standard.requests,
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
    Number.isInteger(requests) &&
    requests >= Math.min(1, standard.requests);
  if (!usable || read.floor === undefined || read.absolute === undefined || read.afterMs === undefined)
    return undefined;
  return { ratio, requests, floor: read.floor, absolute: read.absolute, afterMs: read.afterMs };
}

/** Reads an amount in the unit of a signal: above 0, for nothing that did not happen may roll a version back. */
function readAmount(name: SignalName, given: unknown): number | undefined {
  const { unit } = SIGNALS[name];
  if (unit === 'ms') return readDuration(1)(given);
  if (typeof given !== 'number' || !Number.isFinite(given) || given <= 0) return undefined;
  if (unit === 'times') return Number.isInteger(given) ? given : undefined;
  return unit === 'share' && given > 1 ? undefined : given;
}
