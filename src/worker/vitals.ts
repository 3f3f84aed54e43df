import { BUCKETS_MS } from '../core/verdict/histogram.ts';
import type { Sample } from '../protocol/messages.ts';

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

/**
 * Counts what the supervisor compares generations by, from one sample to the next.
 *
 * Requests are counted as they end, so that no object or function is created for each of them.
 */
export class Meter {
  readonly #latency = new Histogram();
  readonly #loop = new Histogram();
  #lookedAt = 0;
  #requests = 0;
  #failed = 0;
  #cut = 0;
  #uncaught = 0;

  begin(): void {
    this.#lookedAt = performance.now();
    // Not monitorEventLoopDelay(): it misses one interval after each reset, which may be the very one in which the loop was
    // blocked.
    setInterval(() => this.#look(performance.now()), LOOK_MS).unref();
    watchUncaught(() => {
      this.#uncaught += 1;
    });
  }

  /** A response has left. */
  countAnswer(status: number, tookMs: number): void {
    this.#requests += 1;
    if (status >= 500) this.#failed += 1;
    this.#latency.add(tookMs);
  }

  /** A connection has closed before its response was finished, whoever closed it. */
  countCut(): void {
    this.#cut += 1;
  }

  /** Returns what was counted since the last call, and resets the counts. */
  take(): Sample {
    const now = performance.now();
    if (now - this.#lookedAt > LOOK_MS) this.#look(now);
    const counts = { requests: this.#requests, failed: this.#failed, cut: this.#cut, uncaught: this.#uncaught };
    this.#requests = 0;
    this.#failed = 0;
    this.#cut = 0;
    this.#uncaught = 0;
    return { ...counts, latency: this.#latency.take(), loop: this.#loop.take() };
  }

  /** Counts by how much this timer is late: everything else in the event loop is as late. */
  #look(now: number): void {
    this.#loop.add(now - this.#lookedAt - LOOK_MS);
    this.#lookedAt = now;
  }
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
