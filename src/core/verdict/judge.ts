import { type Excess, explain, showNumber, showSpan, showValue, summarize } from './reasons.ts';
import {
  type BakeLimits,
  type Limit,
  type Measured,
  SIGNAL_NAMES,
  SIGNALS,
  type SignalKind,
  type SignalName
} from './signals.ts';
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
    const excess = limit && FIND[SIGNALS[name].kind](name, limit, before, after);
    if (excess) return { decision: 'roll back', signal: name, reason: explain(name, limit, excess) };
  }
  return { decision: isOver ? 'keep' : 'not yet', signal: null, reason: summarize(after, limits) };
}

const FIND: { readonly [K in SignalKind]: Find } = {
  count(name, { ratio, floor }, before, after) {
    const count = countOf(name, after);
    const earlier = before ? countOf(name, before) : 0;
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
  },

  share(name, limit, before, after) {
    const [bad, all] = shareOf(name, after);
    if (all < limit.requests || all === 0) return null;
    const shown = `${showValue(name, bad / all)} of ${showNumber(all)} requests`;
    const [badBefore, allBefore] = before ? shareOf(name, before) : [0, 0];
    if (allBefore < limit.requests || allBefore === 0)
      return limit.absolute !== null && bad / all >= limit.absolute ? { after: shown, before: null } : null;
    const baseline = badBefore / allBefore;
    const isOver = bad / all >= Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (!isOver || lowest(bad, all) <= highest(badBefore, allBefore)) return null;
    return { after: shown, before: `${showValue(name, baseline)} of ${showNumber(allBefore)}` };
  },

  percentile(name, limit, before, after) {
    const share = name === 'p50' ? 0.5 : 0.99;
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
  },

  level(name, limit, before, after) {
    const value = levelOf(name, after);
    if (value === null || after.spanMs < limit.afterMs) return null;
    const earlier = before && levelOf(name, before);
    const baseline = earlier === null ? null : Math.max(0, earlier);
    const tooMuch = baseline === null ? limit.absolute : Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (tooMuch === null || value < tooMuch) return null;
    return { after: showValue(name, value), before: earlier === null ? null : showValue(name, earlier) };
  }
};

function countOf(name: SignalName, { exits, hangs, uncaught }: Measured): number {
  return name === 'exits' ? exits : name === 'hangs' ? hangs : uncaught;
}

function shareOf(name: SignalName, { requests, failed, cut }: Measured): readonly [bad: number, all: number] {
  return name === 'errors' ? [failed, requests] : [cut, requests + cut];
}

function levelOf(name: SignalName, { loopDelayMs, memoryPerMinuteBytes }: Measured): number | null {
  return name === 'loopDelay' ? loopDelayMs : memoryPerMinuteBytes;
}
