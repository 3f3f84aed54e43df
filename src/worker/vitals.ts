import { BUCKETS_MS } from '../core/verdict/histogram.ts';
import type { RouteSample, Sample } from '../protocol/messages.ts';
import { type Asked, RecentRequests, targetOf } from './recent-requests.ts';
import { Routes } from './route-patterns.ts';

/** How often the event loop's delay is measured: enough for a p99 over a few seconds, at no noticeable cost. */
const LOOK_MS = 20;

const FIRST_MS = BUCKETS_MS[0] ?? 1;
const LAST = BUCKETS_MS.length - 1;
const LOG_STEP = Math.log((BUCKETS_MS[LAST] ?? FIRST_MS) / FIRST_MS) / LAST;

/** The bucket that a duration is counted in, computed, because a search would cost much more. */
export function bucketOf(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  const near = Math.min(Math.ceil(Math.log(ms / FIRST_MS) / LOG_STEP), LAST + 1);
  // The logarithm is not exact: at a bound, the bucket may be one off.
  if (ms <= (BUCKETS_MS[near - 1] ?? 0)) return near - 1;
  return ms > (BUCKETS_MS[near] ?? Number.POSITIVE_INFINITY) ? near + 1 : near;
}

/** How many durations are in each bucket, since they were last taken. */
class Histogram {
  readonly #counts = new Uint32Array(LAST + 2);

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  addAll(other: Histogram): void {
    other.#counts.forEach((count, bucket) => {
      if (count > 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    });
  }

  /** Returns bucket, count, bucket, count and so on, without the empty ones, and resets the counts. */
  take(): number[] {
    const pairs: number[] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) pairs.push(bucket, count);
    });
    this.#counts.fill(0);
    return pairs;
  }
}

/** What was counted under one method and pattern of the path. */
class RouteMeter {
  readonly latency = new Histogram();
  requests = 0;
  failed = 0;
  refused = 0;

  take(name: string): RouteSample {
    const { requests, failed, refused } = this;
    this.requests = 0;
    this.failed = 0;
    this.refused = 0;
    return [name, requests, failed, this.latency.take(), refused];
  }
}

/** At so many failed responses the supervisor is told at once, but not more often than this. */
const MANY_FAILED = 5;
const TELL_MS = 50;

/**
 * Counts what the supervisor compares generations by, from one sample to the next.
 *
 * Requests are counted as they end, so that no object or function is created for each of them.
 */
export class Meter {
  readonly #latency = new Histogram();
  readonly #loop = new Histogram();
  readonly #routes = new Routes(() => new RouteMeter());
  /** What was asked for lately; null where nobody wants to know. */
  readonly recent: RecentRequests | null;
  #onTrouble = () => {};
  #takenAt = 0;
  #cpuMs = readCpuMs();
  #lookedAt = 0;
  #redirected = 0;
  #refused = 0;
  #failed = 0;
  #cut = 0;
  #uncaught = 0;

  constructor(remembers = false) {
    this.recent = remembers ? new RecentRequests() : null;
  }

  /** @param onTrouble called where what was counted should not wait to be asked for */
  begin(onTrouble: () => void): void {
    this.#onTrouble = onTrouble;
    this.#lookedAt = performance.now();
    // Not monitorEventLoopDelay(): it misses one interval after each reset, which may be the very one in which the loop was
    // blocked.
    setInterval(() => this.#look(performance.now()), LOOK_MS).unref();
    watchUncaught(() => {
      this.#uncaught += 1;
    });
  }

  /** A response has left. */
  countAnswer(status: number, tookMs: number, request: Asked): void {
    if (this.recent !== null && status >= 200 && status < 300) this.recent.add(request);
    const route = this.#routes.find(request.method ?? '', targetOf(request), status);
    route.requests += 1;
    route.latency.add(tookMs);
    if (status < 300) return;
    if (status < 400) this.#redirected += 1;
    else if (status < 500) {
      this.#refused += 1;
      route.refused += 1;
    }
    if (status < 500) return;
    this.#failed += 1;
    route.failed += 1;
    if (this.#failed >= MANY_FAILED && performance.now() - this.#takenAt >= TELL_MS) this.#onTrouble();
  }

  /** A connection has closed before its response was finished, whoever closed it. */
  countCut(): void {
    this.#cut += 1;
  }

  /** Returns what was counted since the last call, and resets the counts. */
  take(): Sample {
    const now = performance.now();
    if (now - this.#lookedAt > LOOK_MS) this.#look(now);
    this.#takenAt = now;
    const cpuMs = readCpuMs();
    const counts = {
      ...{
        redirected: this.#redirected,
        refused: this.#refused,
        failed: this.#failed,
        cut: this.#cut,
        uncaught: this.#uncaught
      },
      ...{ cpuMs: cpuMs - this.#cpuMs, rssBytes: process.memoryUsage.rss() }
    };
    this.#cpuMs = cpuMs;
    this.#redirected = 0;
    this.#refused = 0;
    this.#failed = 0;
    this.#cut = 0;
    this.#uncaught = 0;
    // What is counted for each route is added up here, not at each request.
    const asked = [...this.#routes.entries()].filter(([, { requests }]) => requests > 0);
    const requests = asked.reduce((total, [, route]) => total + route.requests, 0);
    for (const [, { latency }] of asked) this.#latency.addAll(latency);
    const routes = asked.map(([name, route]) => route.take(name));
    return { requests, ...counts, latency: this.#latency.take(), loop: this.#loop.take(), routes };
  }

  /** Counts by how much this timer is late: everything else in the event loop is as late. */
  #look(now: number): void {
    this.#loop.add(now - this.#lookedAt - LOOK_MS);
    this.#lookedAt = now;
  }
}

function readCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Counts uncaught exceptions and unhandled rejections, without changing what happens to them. */
function watchUncaught(onUncaught: () => void): void {
  process.on('uncaughtExceptionMonitor', onUncaught);
  // Node turns an unhandled rejection into an uncaught exception unless somebody listens. So ours listens only while the
  // app does: alone, it would keep a process alive that Node would have ended.
  const counted = () => onUncaught();
  const isOurs = () => process.listeners('unhandledRejection').includes(counted);
  process.on('newListener', (event, listener) => {
    if (event === 'unhandledRejection' && listener !== counted && !isOurs()) process.on('unhandledRejection', counted);
  });
  process.on('removeListener', (event) => {
    if (event === 'unhandledRejection' && isOurs() && process.listenerCount('unhandledRejection') === 1)
      process.off('unhandledRejection', counted);
  });
}
