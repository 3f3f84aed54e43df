import { BUCKETS_MS } from './histogram.ts';

/** How many standard errors a difference must be, to rule out chance although a bake is judged many times. */
const SURE = 4;

/**
 * Reads a percentile off counts per bucket: the upper bound of the bucket it lies in.
 *
 * @unit milliseconds, 60,000 for whatever took longer; null where nothing was counted
 */
export function percentile(latency: readonly number[], share: number): number | null {
  const rank = Math.ceil(share * sum(latency));
  let seen = 0;
  for (const [index, count] of latency.entries()) {
    seen += count;
    if (count > 0 && seen >= rank) return boundOf(index);
  }
  return null;
}

/** How many requests are certain to have taken at least so long. */
export function slowerThan(ms: number, latency: readonly number[]): number {
  return sum(latency.filter((_, index) => index > 0 && boundOf(index - 1) >= ms));
}

function boundOf(index: number): number {
  return BUCKETS_MS[Math.min(index, BUCKETS_MS.length - 1)] ?? 0;
}

/** Adds counts up. */
export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * The lowest true share that would explain `bad` of `all`, chance allowed for.
 *
 * @source Wilson's score interval, which holds for few requests and for shares near 0 and 1 too
 */
export function lowest(bad: number, all: number): number {
  const [middle, margin] = interval(bad, all);
  return middle - margin;
}

/** The highest true share that would explain `bad` of `all`, chance allowed for. */
export function highest(bad: number, all: number): number {
  const [middle, margin] = interval(bad, all);
  return middle + margin;
}

function interval(bad: number, all: number): readonly [middle: number, margin: number] {
  const square = SURE ** 2;
  const spread = Math.sqrt((bad * (all - bad)) / all + square / 4);
  return [(bad + square / 2) / (all + square), (SURE * spread) / (all + square)];
}
