import { BUCKETS_MS } from './histogram.ts';

/**
 * How many standard errors a difference must be.
 *
 * A bake is looked at several times a second, and each look is another chance to be wrong. The bound is the same at every
 * look (Pocock's) and so far out that all looks together cross it by chance less than once in a thousand bakes: the
 * figures grow with the bake, so 120 looks at them are about as many chances as five independent ones (Siegmund's
 * approximation). test/core/verdict/simulation.test.ts counts it.
 */
const SURE = 4.5;

/**
 * Reads a percentile off counts per bucket: the upper bound of the bucket it lies in.
 *
 * @unit milliseconds, 60,000 for whatever took longer; null where nothing was counted
 */
export function percentile(latency: readonly number[], share: number): number | null {
  const rank = share * sum(latency);
  let seen = 0;
  for (const [index, count] of latency.entries()) {
    seen += count;
    if (count > 0 && seen >= rank) return boundOf(index);
  }
  return null;
}

/** How many requests are certain to have taken at least so long. */
export function slowerThan(ms: number, latency: readonly number[]): number {
  let slow = 0;
  for (let index = latency.length - 1; index > 0 && boundOf(index - 1) >= ms; index -= 1) slow += latency[index] ?? 0;
  return slow;
}

function boundOf(index: number): number {
  return BUCKETS_MS[Math.min(index, BUCKETS_MS.length - 1)] ?? 0;
}

/** Adds counts up. */
export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Adds histograms up, bucket by bucket. */
export function merge(histograms: readonly (readonly number[])[]): readonly number[] {
  const counts = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  for (const one of histograms)
    for (const [index, count] of one.entries()) counts[index] = (counts[index] ?? 0) + count;
  return counts;
}

/** How often something was bad, of how many. */
export interface Share {
  readonly bad: number;
  readonly all: number;
}

/**
 * Whether the true share is surely higher than another one.
 *
 * @param errors how many standard errors the difference must be
 * @source Newcombe's interval for the difference of two shares, made of Wilson's score intervals, which hold for few
 * requests and for shares near 0 and 1 too
 */
export function isSurelyMore(now: Share, then: Share, errors = SURE): boolean {
  if (now.all === 0) return false;
  const [share, past] = [now.bad / now.all, then.all === 0 ? 0 : then.bad / then.all];
  const down = share - boundOfShare(now, -errors);
  const up = then.all === 0 ? 0 : boundOfShare(then, errors) - past;
  return share - past > Math.hypot(down, up);
}

/** Whether the true share is surely above a given one. */
export function isSurelyAbove(now: Share, share: number, errors = SURE): boolean {
  return now.all > 0 && boundOfShare(now, -errors) > share;
}

/** The lowest (below 0) or highest true share that would explain what was counted, so many standard errors away. */
function boundOfShare({ bad, all }: Share, errors: number): number {
  const square = errors ** 2;
  const spread = Math.sqrt(Math.max(0, bad * (1 - bad / all)) + square / 4);
  return (bad + square / 2 + errors * spread) / (all + square);
}
