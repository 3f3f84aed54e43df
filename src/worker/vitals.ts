import { BUCKETS_MS } from '../core/verdict/histogram.ts';
import type { Sample } from '../protocol/messages.ts';

/** How often the event loop is looked at: often enough for a p99 of a few seconds, and too seldom to cost anything. */
const LOOK_MS = 20;

const FIRST_MS = BUCKETS_MS[0] ?? 1;
const LAST = BUCKETS_MS.length - 1;
const LOG_STEP = Math.log((BUCKETS_MS[LAST] ?? FIRST_MS) / FIRST_MS) / LAST;

/** The bucket that a duration is counted in, by arithmetic: a search would cost more than all the rest. */
export function bucketOf(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  const near = Math.min(Math.ceil(Math.log(ms / FIRST_MS) / LOG_STEP), LAST + 1);
  // A logarithm is not exact: at a bound, it may be one off.
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

  /** Gives bucket, count, bucket, count, without the empty ones, and begins anew. */
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
 * Requests are told to it as they end, so that nothing is kept, and no function made, for each of them.
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
    // Not monitorEventLoopDelay(): after each reset it misses one interval, and when it is read in answer to a message
    // that came while a timer blocked the loop, that is just the interval that matters.
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

  /** What was counted since the last time, and begins anew. */
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

  /** By how much it comes later than it should is by how much everything else does. */
  #look(now: number): void {
    this.#loop.add(now - this.#lookedAt - LOOK_MS);
    this.#lookedAt = now;
  }
}

/** Tells of what the app throws and does not catch. What comes of it is what would come of it without us. */
function watchUncaught(onUncaught: () => void): void {
  process.on('uncaughtExceptionMonitor', onUncaught);
  // A rejection that nobody handles is an uncaught exception, unless the app listens. So we listen only while it does:
  // a listener of ours alone would keep a process alive that Node would have ended.
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
