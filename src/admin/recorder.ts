import { percentile } from '../core/verdict/statistics.ts';
import type { Beat } from './admin-ports.ts';
import { addTo, spread } from './counted-histogram.ts';

/** One second of the service: all generations together. */
export interface Point {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly requests: number;
  /** With a status of 500 or above, or cut short. */
  readonly errors: number;
  /** In milliseconds; null where nothing was asked for. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

const KEPT = 15 * 60;

/** Keeps the last 15 minutes, a point for each second. */
export class Recorder {
  readonly points: Point[] = [];
  readonly #counts = spread([]);
  #requests = 0;
  #errors = 0;

  takeBeat({ requests, failed, cut, latency }: Beat): void {
    this.#requests += requests;
    this.#errors += failed + cut;
    addTo(this.#counts, latency);
  }

  /** Ends the second. */
  tick(): Point {
    const point: Point = {
      at: Math.round(Date.now() / 1_000),
      requests: this.#requests,
      errors: this.#errors,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99)
    };
    this.#requests = 0;
    this.#errors = 0;
    this.#counts.fill(0);
    this.points.push(point);
    if (this.points.length > KEPT) this.points.shift();
    return point;
  }

  #quantile(share: number): number | null {
    const ms = percentile(this.#counts, share);
    return ms === null ? null : Math.round(ms * 100) / 100;
  }
}
