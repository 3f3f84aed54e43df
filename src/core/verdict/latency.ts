import type { Asked, Find } from './excess.ts';
import { SLICE_MS } from './histogram.ts';
import type { Slice } from './measured.ts';
import { showNumber, showValue } from './reasons.ts';
import type { Limit } from './signals.ts';
import { isSurelyAbove, isSurelyMore, merge, percentile, type Share, slowerThan, sum } from './statistics.ts';

/** Buckets are so far apart, and a percentile is known no better. */
const BUCKET = 1.1;
/** Ten times a twentieth of a millisecond is nobody's trouble. */
const OUTRIGHT_MS = 0.5;
/** Standard errors by which slices differ: the second look at what single requests have shown already. */
const PLAIN = 2;
/** For so long after the cutover only what is so many times slower counts: cold code is slow, but not that slow. */
const WARM_MS = 6_000;
const COLD_RATIO = 8;
/** For so long after the cutover, what is slow but becoming faster is taken for cold code. */
const COLD_MS = 10_000;
/** How far ahead that is looked at, in halves of the time so far. */
const STEPS_AHEAD = 4;

interface How {
  readonly share: number;
  /** In so many slices at least, and in more than half of all, it must be slow. */
  readonly slices: number;
  /** Slices are put together until they hold so many requests. */
  readonly perSlice: number;
  /** How many times the lateness of the machine is allowed for: a request is delayed once, or at each of its steps. */
  readonly late: number;
}

/**
 * Judges a percentile of latency, in the same mix of routes before and after.
 *
 * The share of slow requests is compared, not the percentile: of fifty requests, a single slow one would be the p99. Slow
 * is what takes longer than halfway (on a logarithmic scale) from what the percentile was to what it may be at the most.
 */
export function findPercentile({ share, slices: fewest, perSlice, late }: How): Find {
  return (asked) => {
    const { name, limit, before, after, baseline, isOver } = asked;
    // A slice that has only begun may hold what was still slow, and not yet what is fast again.
    const endMs = isOver ? Number.POSITIVE_INFINITY : after.spanMs;
    const settled = after.slices.filter(({ atMs }) => atMs >= limit.afterMs && atMs + SLICE_MS <= endMs);
    const latency = merge(settled.map((slice) => slice.latency));
    const all = sum(latency);
    const value = percentile(latency, share);
    if (value === null || all < limit.requests) return null;
    const known = baseline && before && baseline.worth >= limit.requests ? baseline : null;
    const usual = known && percentile(known.latency, share);
    const mostMs = usual === null ? limit.absolute : findMost(usual, limit, after.spanMs) + late * findLateness(asked);
    if (mostMs === null || value * BUCKET < mostMs) return null;
    const slowMs = usual === null ? mostMs : Math.sqrt(usual * mostMs);
    // Requests that there is nothing to compare with may all be slow.
    const strangers = known ? known.unknown.requests / Math.max(1, after.requests) : 0;
    const comparable = all * (1 - strangers);
    const slow = slowerThan(slowMs, latency) - all * strangers;
    if (comparable < limit.requests || slow <= 0) return null;
    const past = { bad: known ? slowerThan(slowMs, known.latency) * known.worth : 0, all: known?.worth ?? 0 };
    const isSure = (counted: Share, errors?: number) =>
      isSurelyAbove(counted, 1 - share, errors) && isSurelyMore(counted, past, errors);
    if (!isSure({ bad: slow, all: comparable })) return null;
    const isSlow = (one: readonly number[]) => slowerThan(slowMs, one) > (1 - share) * sum(one);
    const now = rate(groupSlices(settled, perSlice), isSlow);
    if (now.bad < fewest || now.bad * 2 <= now.all) return null;
    if (!isSurelyMore(now, rate(known && before ? groupSlices(before.slices, perSlice) : [], isSlow), PLAIN))
      return null;
    // What was slow at first only was cold.
    const [earlier, later] = halve(settled);
    const lately = slowerThan(slowMs, later) - sum(later) * strangers;
    if (!isSure({ bad: Math.max(0, lately), all: sum(later) * (1 - strangers) }, PLAIN)) return null;
    const [was, is] = [percentile(earlier, share) ?? 0, percentile(later, share) ?? 0];
    if (is * BUCKET < mostMs) return null;
    if (!isOver && after.spanMs < COLD_MS && isWarming(was, is, mostMs)) return null;
    return {
      after: `${showValue(name, value)} over ${showNumber(all)} requests`,
      before: usual === null ? null : `${showValue(name, usual)} over ${showNumber(before?.requests ?? 0)}`
    };
  };
}

/** By how much the machine has become late since the cutover, as the standby sees it, which does nothing. */
function findLateness({ before, after }: Asked): number {
  if (after.standbyDelayMs === null || !before || before.loopDelayMs === null) return 0;
  return Math.max(0, after.standbyDelayMs - before.loopDelayMs);
}

function findMost(usual: number, { ratio, floor, outright }: Limit, spanMs: number): number {
  const most = Math.max(usual * (spanMs < WARM_MS ? Math.max(ratio, COLD_RATIO) : ratio), usual + floor);
  return outright === null ? most : Math.min(most, Math.max(usual * outright, usual + OUTRIGHT_MS));
}

/** Whether what becomes faster will soon be fast enough, if it goes on like that. */
function isWarming(was: number, is: number, mostMs: number): boolean {
  return is * BUCKET < was && is * (is / was) ** STEPS_AHEAD < mostMs;
}

/** The earlier and the later half of the slices. */
function halve(slices: readonly Slice[]): readonly [early: readonly number[], late: readonly number[]] {
  const half = Math.ceil(slices.length / 2);
  const fold = (part: readonly Slice[]) => merge(part.map(({ latency }) => latency));
  return [fold(slices.slice(0, half)), fold(slices.slice(half))];
}

function rate(slices: readonly (readonly number[])[], isBad: (slice: readonly number[]) => boolean) {
  return { bad: slices.filter(isBad).length, all: slices.length };
}

/** Puts slices that follow each other together, until there are enough requests in each. */
function groupSlices(slices: readonly Slice[], least: number): (readonly number[])[] {
  const groups: (readonly number[])[] = [];
  let open: (readonly number[])[] = [];
  let count = 0;
  for (const { requests, latency } of slices) {
    open.push(latency);
    count += requests;
    if (count < least) continue;
    groups.push(merge(open));
    [open, count] = [[], 0];
  }
  return groups;
}
