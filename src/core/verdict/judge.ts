import { type Excess, explain, showNumber, showSpan, showValue, summarize } from './reasons.ts';
import { type BakeLimits, type Limit, type Measured, SIGNAL_NAMES, type SignalName } from './signals.ts';
import { highest, lowest, percentile, slowerThan, sum } from './statistics.ts';

export type * from './signals.ts';
export { SIGNALS } from './signals.ts';
export { percentile } from './statistics.ts';

/** Whether a generation is kept, and the measurement that decided it. */
export interface Verdict {
  readonly decision: 'keep' | 'roll back' | 'not yet';
  /** The signal that is the reason for the rollback; null without one. */
  readonly signal: SignalName | null;
  /** What an operator reads. */
  readonly reason: string;
}

type Find = (name: SignalName, limit: Limit, before: Measured | null, after: Measured) => Excess | null;

/**
 * Decides whether a new generation is kept, from what it did since the cutover and what the previous one did before.
 *
 * Monotonic: worse measurements never turn a rollback into a keep.
 *
 * @shape `before` covers the whole bake time before the cutover, however little has passed since; null = unknown
 */
export function judge(before: Measured | null, after: Measured, limits: BakeLimits, isOver: boolean): Verdict {
  for (const name of SIGNAL_NAMES) {
    const limit = limits[name];
    const excess = limit && FIND[name](name, limit, before, after);
    if (excess) return { decision: 'roll back', signal: name, reason: explain(name, limit, excess) };
  }
  return { decision: isOver ? 'keep' : 'not yet', signal: null, reason: summarize(after, limits) };
}

/** How each signal is judged, and what of a measurement it reads. */
const FIND: { readonly [S in SignalName]: Find } = {
  exits: findCount(({ exits }) => exits),
  hangs: findCount(({ hangs }) => hangs),
  errors: findShare(({ failed, requests }) => [failed, requests]),
  cut: findShare(({ cut, requests }) => [cut, requests + cut]),
  p50: findPercentile(0.5),
  p99: findPercentile(0.99),
  loopDelay: findLevel(({ loopDelayMs }) => loopDelayMs),
  uncaught: findCount(({ uncaught }) => uncaught),
  memory: findLevel(({ memoryPerMinuteBytes }) => memoryPerMinuteBytes)
};

function findCount(read: (from: Measured) => number): Find {
  return (_name, { ratio, floor }, before, after) => {
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

function findShare(read: (from: Measured) => readonly [bad: number, all: number]): Find {
  return (name, limit, before, after) => {
    const [bad, all] = read(after);
    if (all < limit.requests || all === 0) return null;
    const shown = `${showValue(name, bad / all)} of ${showNumber(all)} requests`;
    const [badBefore, allBefore] = before ? read(before) : [0, 0];
    if (allBefore < limit.requests || allBefore === 0)
      return limit.absolute !== null && bad / all >= limit.absolute ? { after: shown, before: null } : null;
    const baseline = badBefore / allBefore;
    const isOver = bad / all >= Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (!isOver || lowest(bad, all) <= highest(badBefore, allBefore)) return null;
    return { after: shown, before: `${showValue(name, baseline)} of ${showNumber(allBefore)}` };
  };
}

function findPercentile(share: number): Find {
  return (name, limit, before, after) => {
    const all = sum(after.latency);
    if (all < limit.requests || all === 0 || after.spanMs <= limit.afterMs) return null;
    const allBefore = before ? sum(before.latency) : 0;
    const baseline = before && allBefore >= limit.requests ? percentile(before.latency, share) : null;
    const tooSlowMs = baseline === null ? limit.absolute : Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (tooSlowMs === null) return null;
    // The share of slow requests is compared, not the percentile: of fifty requests, a single slow one would be the p99.
    const slow = lowest(slowerThan(tooSlowMs, after.latency), all);
    // As many requests as came in the first moments may be slow, since code and pools are cold then.
    const allowed = 1 - share + limit.afterMs / after.spanMs;
    if (slow <= allowed) return null;
    if (before && baseline !== null && slow <= highest(slowerThan(tooSlowMs, before.latency), allBefore)) return null;
    return {
      after: `${showValue(name, percentile(after.latency, share) ?? 0)} over ${showNumber(all)} requests`,
      before: baseline === null ? null : `${showValue(name, baseline)} over ${showNumber(allBefore)}`
    };
  };
}

function findLevel(read: (from: Measured) => number | null): Find {
  return (name, limit, before, after) => {
    const value = read(after);
    if (value === null || after.spanMs < limit.afterMs) return null;
    const earlier = before && read(before);
    const baseline = earlier === null ? null : Math.max(0, earlier);
    const tooMuch = baseline === null ? limit.absolute : Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (tooMuch === null || value < tooMuch) return null;
    return { after: showValue(name, value), before: earlier === null ? null : showValue(name, earlier) };
  };
}
