import { BUCKETS_MS } from '../../core/verdict/histogram.ts';
import type { Measured } from '../../core/verdict/signals.ts';
import type { Sample } from '../../protocol/messages.ts';

/** Requests of a generation since it started, finished or cut short. Failed are those with 5xx, and those cut short. */
export interface Totals {
  readonly requests: number;
  readonly failed: number;
}

/** What is told of an event loop: one hiccup is not its delay. */
const LOOP_QUANTILE = 0.99;

/** Memory is no slope before so many readings over so long: a process that starts only grows. */
const SLOPE_READINGS = 5;
const SLOPE_SPAN_MS = 5_000;

type Entry = { readonly at: number } & (
  | { readonly worker: string; readonly sample: Sample }
  | { readonly lost: 'exit' | 'hang' }
  | { readonly worker: string; readonly rssBytes: number }
);

/** What every worker of one generation did, second by second, and in all. */
export class Measurements {
  readonly since: number;
  totals: Totals = { requests: 0, failed: 0 };
  #entries: Entry[] = [];

  constructor(since: number) {
    this.since = since;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (!('sample' in entry)) return;
    const { requests, failed, cut } = entry.sample;
    this.totals = { requests: this.totals.requests + requests + cut, failed: this.totals.failed + failed + cut };
  }

  /** Lets go of what is older. The totals stay. */
  dropBefore(at: number): void {
    const first = this.#entries.findIndex((entry) => entry.at >= at);
    if (first !== 0) this.#entries = first < 0 ? [] : this.#entries.slice(first);
  }

  /** Folds what came after `fromMs` and not after `toMs`. */
  measure(fromMs: number, toMs: number): Measured {
    const entries = this.#entries.filter(({ at }) => at > fromMs && at <= toMs);
    const samples = entries.filter((entry) => 'sample' in entry);
    const readings = entries.filter((entry) => 'rssBytes' in entry);
    const lost = entries.flatMap((entry) => ('lost' in entry ? [entry.lost] : []));
    const sum = (name: 'requests' | 'failed' | 'cut' | 'uncaught') =>
      samples.reduce((total, { sample }) => total + sample[name], 0);
    return {
      spanMs: Math.max(0, toMs - Math.max(fromMs, this.since)),
      requests: sum('requests'),
      failed: sum('failed'),
      cut: sum('cut'),
      latency: fold(samples.map(({ sample }) => sample.latency)),
      loopDelayMs: worstOf(byWorker(samples), findLoopDelay),
      uncaught: sum('uncaught'),
      exits: lost.filter((how) => how === 'exit').length,
      hangs: lost.filter((how) => how === 'hang').length,
      memoryPerMinuteBytes: worstOf(byWorker(readings), slopePerMinute)
    };
  }
}

/** Adds up histograms in the form that they are sent in. */
function fold(histograms: readonly (readonly number[])[]): number[] {
  const counts = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  for (const pairs of histograms) {
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const bucket = pairs[at] ?? -1;
      if (bucket in counts) counts[bucket] = (counts[bucket] ?? 0) + (pairs[at + 1] ?? 0);
    }
  }
  return counts;
}

/** The bound of the bucket that the nearest rank falls into; null of nothing. */
function findQuantile(counts: readonly number[], share: number): number | null {
  let left = Math.ceil(counts.reduce((sum, count) => sum + count, 0) * share);
  if (left === 0) return null;
  const bucket = counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
  return BUCKETS_MS[bucket] ?? BUCKETS_MS.at(-1) ?? null;
}

function findLoopDelay(entries: readonly { readonly sample: Sample }[]): number | null {
  return findQuantile(fold(entries.map(({ sample }) => sample.loop)), LOOP_QUANTILE);
}

function byWorker<E extends { readonly worker: string }>(entries: readonly E[]): E[][] {
  const found = new Map<string, E[]>();
  for (const entry of entries) {
    const known = found.get(entry.worker);
    if (known) known.push(entry);
    else found.set(entry.worker, [entry]);
  }
  return [...found.values()];
}

/** The highest figure of all workers; null where none could be measured. */
function worstOf<T>(workers: readonly T[], measure: (one: T) => number | null): number | null {
  const figures = workers.map(measure).filter((figure) => figure !== null);
  return figures.length === 0 ? null : Math.max(...figures);
}

/** By least squares; null before there is enough to tell. */
function slopePerMinute(points: readonly { readonly at: number; readonly rssBytes: number }[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  if (points.length < SLOPE_READINGS || last - first < SLOPE_SPAN_MS) return null;
  const middle = mean(points.map(({ at }) => at));
  const level = mean(points.map(({ rssBytes }) => rssBytes));
  const across = points.reduce((sum, { at, rssBytes }) => sum + (at - middle) * (rssBytes - level), 0);
  return (across / points.reduce((sum, { at }) => sum + (at - middle) ** 2, 0)) * 60_000;
}
