import { BUCKETS_MS, SLICE_MS } from '../../core/verdict/histogram.ts';
import type { Death, Measured, Route, Slice } from '../../core/verdict/measured.ts';
import type { Sample } from '../../protocol/messages.ts';
import { findClimb, findSlope } from './slope.ts';

/** Requests of a generation since it started, finished or cut short. Failed are those with 5xx, and those cut short. */
export interface Totals {
  readonly requests: number;
  readonly failed: number;
}

/** What is told of an event loop: one hiccup is not its delay. */
const LOOP_QUANTILE = 0.99;

type Entry = { readonly at: number } & (
  | { readonly worker: string; readonly sample: Sample }
  | { readonly lost: 'exit' | 'hang' }
  | { readonly fatal: Death }
);
type Sampled = Extract<Entry, { sample: Sample }>;

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
    const lost = entries.flatMap((entry) => ('lost' in entry ? [entry.lost] : []));
    const sum = (name: 'requests' | 'failed' | 'cut' | 'uncaught' | 'cpuMs') =>
      samples.reduce((total, { sample }) => total + sample[name], 0);
    const beganAt = Math.max(fromMs, this.since);
    const workers = byWorker(samples);
    const memory = workers.map((taken) => taken.map(({ at, sample: { rssBytes } }) => ({ at, bytes: rssBytes })));
    return {
      spanMs: Math.max(0, toMs - beganAt),
      requests: sum('requests'),
      failed: sum('failed'),
      cut: sum('cut'),
      latency: fold(samples.map(({ sample }) => sample.latency)),
      slices: slice(samples, fromMs),
      routes: foldRoutes(samples),
      cpuMs: samples.length === 0 ? null : sum('cpuMs'),
      loopDelayMs: worstOf(workers, findLoopDelay),
      standbyDelayMs: null,
      uncaught: sum('uncaught'),
      exits: lost.filter((how) => how === 'exit').length,
      fatal: [
        ...new Map(entries.flatMap((entry) => ('fatal' in entry ? [[entry.fatal.kind, entry.fatal]] : []))).values()
      ],
      hangs: lost.filter((how) => how === 'hang').length,
      rssBytes: worstOf(memory, (readings) => readings.at(-1)?.bytes ?? null),
      memoryPerMinuteBytes: worstOf(memory, findSlope),
      climbPerMinuteBytes: worstOf(memory, findClimb)
    };
  }
}

/** Adds up what belongs to the same part of the span, of all workers. */
function slice(samples: readonly Sampled[], fromMs: number): Slice[] {
  const parts = new Map<number, Sampled[]>();
  for (const one of samples) {
    const { requests, cut } = one.sample;
    if (requests + cut === 0 && one.sample.cpuMs === 0) continue;
    // Samples say what was: one that came at the very end of a slice is about that slice.
    const at = Math.ceil((one.at - fromMs) / SLICE_MS - 1) * SLICE_MS;
    const part = parts.get(at);
    if (part) part.push(one);
    else parts.set(at, [one]);
  }
  return [...parts]
    .sort(([one], [other]) => one - other)
    .map(([atMs, part]) => ({
      atMs,
      requests: part.reduce((total, { sample }) => total + sample.requests, 0),
      cut: part.reduce((total, { sample }) => total + sample.cut, 0),
      cpuMs: part.reduce((total, { sample }) => total + sample.cpuMs, 0),
      latency: fold(part.map(({ sample }) => sample.latency))
    }));
}

function foldRoutes(samples: readonly Sampled[]): Record<string, Route> {
  const found = new Map<
    string,
    { requests: number; failed: number; refused: number; latency: (readonly number[])[] }
  >();
  for (const { sample } of samples) {
    for (const [name, requests, failed, latency, refused] of sample.routes) {
      const known = found.get(name) ?? { requests: 0, failed: 0, refused: 0, latency: [] };
      known.requests += requests;
      known.failed += failed;
      known.refused += refused;
      known.latency.push(latency);
      found.set(name, known);
    }
  }
  return Object.fromEntries([...found].map(([name, route]) => [name, { ...route, latency: fold(route.latency) }]));
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
