import { compareRoutes } from './baseline.ts';
import type { Excess, Find } from './excess.ts';
import { findPercentile } from './latency.ts';
import { findCpu, findLevel, findMemory } from './levels.ts';
import type { Measured } from './measured.ts';
import { explain, showNumber, showSpan, summarize } from './reasons.ts';
import { findCut, findErrors, findRefused } from './shares.ts';
import { type BakeLimits, SIGNAL_NAMES, type SignalName } from './signals.ts';

export * from './measured.ts';
export type * from './signals.ts';
export { SIGNALS } from './signals.ts';
export { percentile } from './statistics.ts';

/** Whether a generation is kept, and the measurement that decided it. */
export interface Verdict {
  /** `keep unseen`: no limit was reached, but too few requests came to see anything. */
  readonly decision: Decision | 'not yet';
  /** The signal that is the reason for the rollback; null without one. */
  readonly signal: SignalName | null;
  /** What an operator reads. */
  readonly reason: string;
}

export type Decision = 'keep' | 'keep unseen' | 'roll back';

/**
 * Decides whether a new generation is kept, from what it did since the cutover and what the previous one did before.
 *
 * Monotonic: worse measurements never turn a rollback into a keep.
 *
 * @shape `before` covers the time before the cutover, however little has passed since; null = unknown
 */
export function judge(
  before: Measured | null,
  after: Measured,
  limits: BakeLimits,
  isOver: boolean,
  requests = 0
): Verdict {
  const baseline = before && compareRoutes(before, after);
  for (const name of SIGNAL_NAMES) {
    const limit = limits[name];
    const excess = limit && FIND[name]({ name, limit, before, after, baseline, isOver });
    if (excess) return { decision: 'roll back', signal: name, reason: explain(name, limit, excess) };
  }
  const unseen = after.requests + after.cut < requests;
  const decision = isOver ? (unseen ? 'keep unseen' : 'keep') : 'not yet';
  return { decision, signal: null, reason: summarize(baseline, after, limits, unseen) };
}

/** What the version before did up to the cutover, and what the new one has done since. */
export interface Comparison {
  readonly before: Measured | null;
  readonly after: Measured;
}

/** How many of the new version's requests there is something to compare with, chance aside. */
export function countComparable(before: Measured | null, after: Measured): number {
  return before ? compareRoutes(before, after).requests : 0;
}

/** How each signal is judged, and what of a measurement it reads. */
const FIND: { readonly [S in SignalName]: Find } = {
  exits: (asked) => findNewDeath(asked) ?? findExits(asked),
  hangs: findCount(({ hangs }) => hangs),
  errors: findErrors,
  refused: findRefused,
  cut: findCut,
  p50: findPercentile({ share: 0.5, slices: 3, perSlice: 10, late: 1 }),
  p99: findPercentile({ share: 0.99, slices: 10, perSlice: 50, late: 3 }),
  cpu: findCpu,
  loopDelay: findLevel(({ loopDelayMs }) => loopDelayMs),
  uncaught: findCount(({ uncaught }) => uncaught),
  memory: (asked) => findMemory(asked) ?? findGrowth(asked)
};
const findExits = findCount(({ exits }) => exits);
const findGrowth = findLevel(({ memoryPerMinuteBytes }) => memoryPerMinuteBytes);

function findCount(read: (from: Measured) => number): Find {
  return ({ limit: { ratio, floor }, before, after }) => {
    const count = read(after);
    const earlier = before ? read(before) : 0;
    // Counts before the cutover are scaled up if they were taken over a shorter time.
    const stretch = before && before.spanMs > 0 ? Math.max(1, after.spanMs / before.spanMs) : 1;
    const baseline = earlier * stretch;
    // Counts scatter by about their square root, so the same difference means less on top of a high count.
    const isSure = Math.sqrt(count) >= Math.sqrt(baseline) + Math.sqrt(floor);
    if (!isSure || count < baseline * ratio) return null;
    return {
      after: `${showNumber(count)} in ${showSpan(after)}`,
      before: before && `${showNumber(earlier)} in ${showSpan(before)}`
    };
  };
}

/** An error that no version before has died of. */
function findNewDeath({ before, after }: Parameters<Find>[0]): Excess | null {
  const news = after.fatal.find(({ kind }) => !before?.fatal.some((one) => one.kind === kind));
  if (!before || after.exits === 0 || news === undefined) return null;
  return { said: `a worker died of an error that no version had died of before: ${news.said}`, limit: 'the first one' };
}
