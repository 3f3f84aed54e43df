import { BUCKETS_MS } from '../../src/core/verdict/histogram.ts';
import type { BakeLimits, Measured, SignalName } from '../../src/core/verdict/judge.ts';
import { DEFAULT_LIMITS } from '../../src/core/verdict/signals.ts';
import { createRandom, type Random } from '../support/random.ts';

// What the tests of the verdict judge: measurements made by hand, and services whose every second is drawn by lot.

type Writable = { -readonly [K in keyof Measured]: K extends 'latency' ? number[] : Measured[K] };

export const noLatency: readonly number[] = Array.from({ length: BUCKETS_MS.length + 1 }, () => 0);

export function bucketOf(ms: number): number {
  const index = BUCKETS_MS.findIndex((bound) => ms <= bound);
  return index < 0 ? BUCKETS_MS.length : index;
}

/** So many requests, each as slow as the list says by turns; the rest as given. */
export function measure(requests: number, more: Partial<Measured> = {}, tookMs: readonly number[] = [5]): Measured {
  const latency = [...noLatency];
  for (let index = 0; index < requests; index += 1) {
    const at = bucketOf(tookMs[index % tookMs.length] ?? 0);
    latency[at] = (latency[at] ?? 0) + 1;
  }
  const quiet = { failed: 0, cut: 0, loopDelayMs: 11, uncaught: 0, exits: 0, hangs: 0, memoryPerMinuteBytes: 0 };
  return { spanMs: 30_000, requests, latency, ...quiet, ...more };
}

/** Limits of which only those named hold. */
export function only(...names: readonly SignalName[]): BakeLimits {
  const all = Object.entries(DEFAULT_LIMITS);
  return Object.fromEntries(
    all.map(([name, limit]) => [name, names.includes(name as SignalName) ? limit : null])
  ) as unknown as BakeLimits;
}

/** A service with habits of its own: how busy it is, how often it fails, how slow it is and how far that scatters. */
export class Habit {
  readonly #random: Random;
  readonly #rate: number;
  readonly #failedShare: number;
  readonly #cutShare: number;
  readonly #medianMs: number;
  readonly #scatter: number;
  readonly #slowShare: number;
  readonly #slowMs: number;
  readonly #uncaughtRate: number;

  constructor(seed: number) {
    const random = createRandom(seed);
    this.#random = random;
    this.#rate = 200 ** random();
    this.#failedShare = random() < 0.3 ? 0 : random() * (random() < 0.5 ? 0.02 : 0.3);
    this.#cutShare = random() < 0.5 ? 0 : random() * 0.5;
    this.#medianMs = 500 ** random();
    this.#scatter = random() * 1.8;
    this.#slowShare = random() < 0.5 ? 0 : random() * (random() < 0.5 ? 0.03 : 1);
    this.#slowMs = this.#medianMs * (1 + random() * 100);
    this.#uncaughtRate = random() < 0.7 ? 0 : random() * 1.5;
  }

  /** One span of its life, second by second: each time what has come together so far. */
  *live(seconds: number): Generator<Measured> {
    const so: Writable = { ...measure(0), latency: [...noLatency], spanMs: 0 };
    for (let second = 0; second < seconds; second += 1) {
      so.spanMs += 1_000;
      so.uncaught += this.#draw(this.#uncaughtRate);
      for (let left = this.#draw(this.#rate); left > 0; left -= 1) this.#answer(so);
      yield so;
    }
  }

  /** A whole span of its life. */
  lived(seconds: number): Measured {
    return [...this.live(seconds)].at(-1) ?? measure(0);
  }

  #answer(so: Writable): void {
    if (this.#random() < this.#cutShare) {
      so.cut += 1;
      return;
    }
    so.requests += 1;
    if (this.#random() < this.#failedShare) so.failed += 1;
    const isSlow = this.#random() < this.#slowShare;
    const at = bucketOf(isSlow ? this.#slowMs : this.#medianMs * Math.exp(this.#scatter * this.#drawNormal()));
    so.latency[at] = (so.latency[at] ?? 0) + 1;
  }

  /** How often something happens that happens `mean` times on average (Poisson, near enough where it is often). */
  #draw(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#drawNormal()));
    let count = 0;
    for (let left = this.#random(); left > Math.exp(-mean); left *= this.#random()) count += 1;
    return count;
  }

  #drawNormal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}
