/** Milliseconds; all null when nothing was measured. */
export type Percentiles = {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
};

/** Keeps when each answer ended and how long it took, 16 bytes apiece. */
export class Samples {
  #at = new Float64Array(1024);
  #ms = new Float64Array(1024);
  #count = 0;

  add(atMs: number, ms: number): void {
    if (this.#count === this.#at.length) {
      this.#at = doubled(this.#at);
      this.#ms = doubled(this.#ms);
    }
    this.#at[this.#count] = atMs;
    this.#ms[this.#count] = ms;
    this.#count++;
  }

  all(): Float64Array {
    return this.#ms.subarray(0, this.#count);
  }

  /** The latencies of the requests that were under way at any time between the two moments. */
  between(fromMs: number, toMs: number): Float64Array {
    return this.all().filter((ms, index) => {
      const endedAt = this.#at[index] ?? 0;
      return endedAt >= fromMs && endedAt - ms <= toMs;
    });
  }
}

function doubled(from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2);
  to.set(from);
  return to;
}

/** Sums up several sets of latencies as one. A percentile is the nearest rank, never interpolated. */
export function percentiles(sets: readonly Float64Array[]): Percentiles {
  const sorted = new Float64Array(sets.reduce((total, set) => total + set.length, 0));
  let at = 0;
  for (const set of sets) {
    sorted.set(set, at);
    at += set.length;
  }
  sorted.sort();
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
  return { count: sorted.length, p50: rank(0.5), p90: rank(0.9), p99: rank(0.99), max: rank(1) };
}
