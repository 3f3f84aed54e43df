import { BUCKETS_MS } from '../core/verdict/histogram.ts';

type Labels = Readonly<Record<string, string>>;

interface Row {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** One value of a metric, as prom-client writes it. */
export interface MetricValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Upper bounds in seconds. */
export const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/**
 * A histogram of durations that were counted elsewhere: prom-client's own takes them one by one.
 *
 * Workers count in buckets that are 10 % apart; each falls into the bucket here that its upper bound belongs to, and adds its
 * middle to the sum.
 */
export class CountedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #rows = new Map<string, Row>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** @param pairs bucket, count, bucket, count */
  add(labels: Labels, pairs: readonly number[]): void {
    for (let at = 0; at + 1 < pairs.length; at += 2) this.#count(labels, pairs[at] ?? 0, pairs[at + 1] ?? 0);
  }

  observe(labels: Labels, seconds: number, count = 1): void {
    const row = this.#rowOf(labels);
    // What lies 5 % above a bound is counted below it: the bounds of the workers' buckets are as far apart.
    const bound = BOUNDS_SECONDS.findIndex((one) => seconds <= one * 1.05);
    const bucket = bound < 0 ? BOUNDS_SECONDS.length : bound;
    row.counts[bucket] = (row.counts[bucket] ?? 0) + count;
    row.sum += seconds * count;
    row.count += count;
  }

  /** What prom-client asks of a metric. */
  async get() {
    const values = [...this.#rows.values()].flatMap((row) => this.#valuesOf(row));
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values };
  }

  #count(labels: Labels, bucket: number, count: number): void {
    const upper = BUCKETS_MS[bucket] ?? BUCKETS_MS.at(-1) ?? 0;
    const lower = BUCKETS_MS[bucket - 1] ?? 0;
    this.observe(labels, (upper + lower) / 2_000, count);
  }

  #rowOf(labels: Labels): Row {
    const key = JSON.stringify(labels);
    const known = this.#rows.get(key);
    if (known) return known;
    const row = { labels, counts: new Array<number>(BOUNDS_SECONDS.length + 1).fill(0), sum: 0, count: 0 };
    this.#rows.set(key, row);
    return row;
  }

  #valuesOf({ labels, counts, sum, count }: Row): MetricValue[] {
    let below = 0;
    const buckets = BOUNDS_SECONDS.map((le, index) => {
      below += counts[index] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count }
    ];
  }
}

/** Spreads pairs of bucket and count over all buckets. */
export function spread(pairs: readonly number[]): number[] {
  const counts = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  addTo(counts, pairs);
  return counts;
}

/** Adds pairs of bucket and count to what was counted before. What a worker says is not taken on trust: only to buckets there are. */
export function addTo(counts: number[], pairs: readonly number[]): void {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const bucket = pairs[at] ?? -1;
    if (bucket in counts) counts[bucket] = (counts[bucket] ?? 0) + (pairs[at + 1] ?? 0);
  }
}
