import { BUCKETS_MS, SLICE_MS } from '../../src/core/verdict/histogram.ts';
import type { BakeLimits, Measured, SignalName } from '../../src/core/verdict/judge.ts';
import { NOTHING_MEASURED } from '../../src/core/verdict/measured.ts';
import { DEFAULT_LIMITS } from '../../src/core/verdict/signals.ts';
import { sum } from '../../src/core/verdict/statistics.ts';

// What the tests of the verdict judge: measurements made by hand.

export const noLatency: readonly number[] = Array.from({ length: BUCKETS_MS.length + 1 }, () => 0);

export function bucketOf(ms: number): number {
  const index = BUCKETS_MS.findIndex((bound) => ms <= bound);
  return index < 0 ? BUCKETS_MS.length : index;
}

/** So many requests, each as slow as the list says by turns, spread evenly over the span; the rest as given. */
export function measure(requests: number, more: Partial<Measured> = {}, tookMs: readonly number[] = [5]): Measured {
  const spanMs = more.spanMs ?? 30_000;
  const count = Math.max(1, Math.floor(spanMs / SLICE_MS));
  const slices = Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * requests) / count);
    const latency = countLatency(from, Math.floor(((index + 1) * requests) / count), tookMs);
    const cut = Math.floor(((index + 1) * (more.cut ?? 0)) / count) - Math.floor((index * (more.cut ?? 0)) / count);
    return { atMs: index * SLICE_MS, requests: sum(latency), cut, cpuMs: 0, latency };
  });
  const latency = countLatency(0, requests, tookMs);
  return { ...NOTHING_MEASURED, spanMs, requests, latency, slices, loopDelayMs: 11, memoryPerMinuteBytes: 0, ...more };
}

function countLatency(from: number, to: number, tookMs: readonly number[]): number[] {
  const latency = [...noLatency];
  for (let index = from; index < to; index += 1) {
    const at = bucketOf(tookMs[index % tookMs.length] ?? 0);
    latency[at] = (latency[at] ?? 0) + 1;
  }
  return latency;
}

/** The same measurement with so much CPU time for each request, in every slice. */
export function withCpu(measured: Measured, msEach: number): Measured {
  const slices = measured.slices.map((slice) => ({ ...slice, cpuMs: slice.requests * msEach }));
  return { ...measured, slices, cpuMs: measured.requests * msEach };
}

/** Limits of which only those named hold. */
export function only(...names: readonly SignalName[]): BakeLimits {
  const all = Object.entries(DEFAULT_LIMITS);
  return Object.fromEntries(
    all.map(([name, limit]) => [name, names.includes(name as SignalName) ? limit : null])
  ) as unknown as BakeLimits;
}
