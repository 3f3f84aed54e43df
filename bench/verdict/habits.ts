import { BUCKETS_MS, SLICE_MS } from '../../src/core/verdict/histogram.ts';
import type { Measured } from '../../src/core/verdict/judge.ts';
import { NOTHING_MEASURED, type Slice } from '../../src/core/verdict/measured.ts';
import { bucketOf } from '../../src/worker/vitals.ts';
import { drawNumbers } from '../client/random.ts';

type Random = () => number;

const MIB = 2 ** 20;
const noLatency: readonly number[] = new Array<number>(BUCKETS_MS.length + 1).fill(0);

/** What is wrong with a version, from its first request on. */
export interface Fault {
  readonly failedShare?: number;
  readonly refusedShare?: number;
  /** Of how many routes the first is broken: every answer to it is a 5xx. */
  readonly brokenOf?: number;
  /** How many times slower, all requests or one in `slowOneIn`. */
  readonly slower?: number;
  readonly slowOneIn?: number;
  readonly cpuRatio?: number;
  readonly leakPerSecondBytes?: number;
}

type Counted = { -readonly [K in keyof Slice]: K extends 'latency' ? number[] : Slice[K] } & {
  failed: number;
  routes: Map<string, { requests: number; failed: number; refused: number; latency: number[] }>;
};

/** How a service is, before and after: drawn by lot from a seed, or given. */
export interface Manner {
  readonly rate: number;
  readonly traffic: 'steady' | 'poisson' | 'bursty';
  readonly failedShare: number;
  readonly refusedShare: number;
  readonly cutShare: number;
  readonly medianMs: number;
  /** Standard deviation of the logarithm of what a request takes. */
  readonly scatter: number;
  /** A share of requests that is slow by nature, and how slow. */
  readonly slowShare: number;
  readonly slowMs: number;
  readonly cpuMs: number;
  /** How often in a second the machine stands still, and for how long: a collection of garbage, a neighbour. */
  readonly pauseRate: number;
  readonly pauseMs: number;
  /** How much slower the first requests are, and in which time that falls to a third. */
  readonly cold: number;
  readonly coldMs: number;
  readonly uncaughtRate: number;
}

export function drawManner(random: Random): Manner {
  const medianMs = 500 ** random();
  return {
    rate: 3 * 200 ** random(),
    traffic: (['steady', 'poisson', 'bursty'] as const)[Math.floor(random() * 3)] ?? 'steady',
    failedShare: random() < 0.4 ? 0 : random() * (random() < 0.6 ? 0.02 : 0.3),
    refusedShare: random() < 0.3 ? 0 : random() * 0.4,
    cutShare: random() < 0.5 ? 0 : random() * (random() < 0.6 ? 0.02 : 0.3),
    medianMs,
    scatter: random() * 1.5,
    slowShare: random() < 0.5 ? 0 : random() * (random() < 0.5 ? 0.03 : 1),
    slowMs: medianMs * (1 + random() * 100),
    cpuMs: medianMs * random(),
    pauseRate: random() < 0.5 ? 0 : random() * 0.5,
    pauseMs: 20 + random() * 300,
    cold: random() < 0.5 ? 0 : random() * 20,
    coldMs: 100 + random() * 1_500,
    uncaughtRate: random() < 0.7 ? 0 : random() * 1.5
  };
}

const ROUTES = 10;

/** A service whose every half second is drawn by lot. */
export class Habit {
  readonly manner: Manner;
  readonly #random: Random;
  /** How much each route is asked for; the mix changes slowly, as it does from hour to hour. */
  #mix: number[];

  constructor(seed: number, manner?: Manner) {
    this.#random = drawNumbers(seed);
    this.manner = manner ?? drawManner(this.#random);
    this.#mix = Array.from({ length: ROUTES }, () => this.#random() ** 2);
  }

  /** One span of its life: at each half second what has come together so far. */
  *live(seconds: number, fault: Fault = {}, isNew = false): Generator<Measured> {
    const gathered = new Gathered();
    let uncaught = 0;
    const startBytes = 60 * MIB;
    for (let atMs = 0; atMs < seconds * 1_000; atMs += SLICE_MS) {
      this.#mix = this.#mix.map((share) => Math.max(0.01, share * (1 + 0.05 * this.#drawNormal())));
      const slice = this.#draw(atMs, fault, isNew);
      uncaught += this.#drawCount(this.manner.uncaughtRate / 2);
      const spanMs = atMs + SLICE_MS;
      // A new process fills its heap; garbage goes up and down in it.
      const heap = isNew ? 90 * MIB * (1 - Math.exp(-spanMs / 3_000)) : 90 * MIB;
      const noise = () => 15 * MIB * this.#random();
      const leak = fault.leakPerSecondBytes ?? 0;
      yield gathered.add(slice, {
        spanMs,
        uncaught,
        rssBytes: startBytes + heap + noise() + (leak * spanMs) / 1_000,
        climbPerMinuteBytes:
          spanMs < 3_000
            ? null
            : 60 * (leak + (isNew ? 10 * MIB * Math.exp(-spanMs / 3_000) : 0) + 5 * MIB * this.#drawNormal()),
        memoryPerMinuteBytes:
          spanMs < 5_000
            ? null
            : 60 * (leak + (isNew ? 5 * MIB * Math.exp(-spanMs / 6_000) : 0)) +
              (60 * MIB * this.#drawNormal()) / (spanMs / 5_000)
      });
    }
  }

  /** A whole span of its life. */
  lived(seconds: number, fault: Fault = {}): Measured {
    let last: Measured = NOTHING_MEASURED;
    for (const so of this.live(seconds, fault)) last = so;
    return last;
  }

  #draw(atMs: number, fault: Fault, isNew: boolean): Counted {
    const { rate, traffic, pauseRate, pauseMs, cpuMs, cold, coldMs } = this.manner;
    const burst = traffic === 'bursty' ? (this.#random() < 0.25 ? 3 : 0.33) : 1;
    const expected = (rate * burst * SLICE_MS) / 1_000;
    const count = traffic === 'steady' ? Math.floor(expected + this.#random()) : this.#drawCount(expected);
    const slice: Counted = {
      atMs,
      requests: 0,
      cut: 0,
      cpuMs: 0,
      failed: 0,
      latency: [...noLatency],
      routes: new Map()
    };
    // Whatever comes while the machine stands still is slow together.
    const paused = this.#random() < (pauseRate * SLICE_MS) / 1_000 ? Math.min(1, pauseMs / SLICE_MS) : 0;
    const warmth = isNew ? 1 + cold * Math.exp(-atMs / coldMs) : 1;
    for (let left = count; left > 0; left -= 1)
      this.#answer(slice, fault, warmth, this.#random() < paused ? pauseMs : 0);
    slice.cpuMs = slice.requests * cpuMs * (fault.cpuRatio ?? 1) * warmth * (1 + 0.2 * this.#random());
    return slice;
  }

  #answer(slice: Counted, fault: Fault, warmth: number, lateMs: number): void {
    const { failedShare, refusedShare, cutShare, medianMs, scatter, slowShare, slowMs } = this.manner;
    if (this.#random() < cutShare) {
      slice.cut += 1;
      return;
    }
    const route = this.#drawRoute();
    const broken = fault.brokenOf !== undefined && route === 0;
    const failed = broken || this.#random() < failedShare + (fault.failedShare ?? 0);
    const drags = fault.slower !== undefined && this.#random() < 1 / (fault.slowOneIn ?? 1);
    const isSlow = this.#random() < slowShare;
    const usualMs = isSlow ? slowMs : medianMs * (1 + route / 5) * Math.exp(scatter * this.#drawNormal());
    const at = bucketOf(usualMs * warmth * (drags ? (fault.slower ?? 1) : 1) + lateMs);
    const name = `GET /route${route}`;
    const counted = slice.routes.get(name) ?? { requests: 0, failed: 0, refused: 0, latency: [...noLatency] };
    slice.routes.set(name, counted);
    if (this.#random() < refusedShare + (fault.refusedShare ?? 0)) counted.refused += 1;
    for (const one of [slice, counted]) {
      one.requests += 1;
      if (failed) one.failed += 1;
      one.latency[at] = (one.latency[at] ?? 0) + 1;
    }
  }

  #drawRoute(): number {
    const all = this.#mix.reduce((total, share) => total + share, 0);
    let left = this.#random() * all;
    return Math.max(
      0,
      this.#mix.findIndex((share) => {
        left -= share;
        return left < 0;
      })
    );
  }

  /** How often something happens that happens `mean` times on average (Poisson, near enough where it is often). */
  #drawCount(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#drawNormal()));
    let count = 0;
    for (let left = this.#random(); left > Math.exp(-mean); left *= this.#random()) count += 1;
    return count;
  }

  #drawNormal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

/** What has come together, slice by slice; the same object grows, for copying it each time would take most of the time. */
class Gathered {
  readonly #slices: Counted[] = [];
  readonly #latency = [...noLatency];
  readonly #routes: Record<string, { requests: number; failed: number; refused: number; latency: number[] }> = {};
  readonly #counts = { requests: 0, failed: 0, cut: 0, cpuMs: 0 };

  add(slice: Counted, more: Partial<Measured>): Measured {
    this.#slices.push(slice);
    for (const name of ['requests', 'failed', 'cut', 'cpuMs'] as const) this.#counts[name] += slice[name];
    addTo(this.#latency, slice.latency);
    for (const [name, route] of slice.routes) {
      const known = this.#routes[name] ?? { requests: 0, failed: 0, refused: 0, latency: [...noLatency] };
      this.#routes[name] = known;
      known.requests += route.requests;
      known.failed += route.failed;
      known.refused += route.refused;
      addTo(known.latency, route.latency);
    }
    const gathered = { latency: this.#latency, routes: this.#routes, slices: this.#slices };
    return { ...NOTHING_MEASURED, loopDelayMs: 11, ...this.#counts, ...gathered, ...more };
  }
}

function addTo(counts: number[], more: readonly number[]): void {
  for (const [index, count] of more.entries()) if (count > 0) counts[index] = (counts[index] ?? 0) + count;
}
