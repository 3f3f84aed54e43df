/** What one generation did over a span of time, all its workers together. */
export interface Measured {
  readonly spanMs: number;
  /** Responses completed. */
  readonly requests: number;
  /** Of them with status 5xx. */
  readonly failed: number;
  /** Requests whose response was cut short; they are not among `requests`. */
  readonly cut: number;
  /** Counts per bucket: bucket `i` holds durations up to `BUCKETS_MS[i]`, the last one everything above. */
  readonly latency: readonly number[];
  /**
   * p99 of event-loop delay, the worst worker; null = not measured.
   *
   * It is taken over the whole span: the worst second of it would show a single pause.
   */
  readonly loopDelayMs: number | null;
  /** Uncaught exceptions and unhandled rejections the process survived or died of. */
  readonly uncaught: number;
  /** Workers that exited unexpectedly. */
  readonly exits: number;
  /** Workers that were replaced because they did not answer. */
  readonly hangs: number;
  /** Slope of the resident memory of the worker that grows fastest; null = too few points. */
  readonly memoryPerMinuteBytes: number | null;
}

/** A signal of the verdict; docs/checks-and-verdict.md says what each one measures. */
export type SignalName = 'exits' | 'hangs' | 'errors' | 'cut' | 'p50' | 'p99' | 'loopDelay' | 'uncaught' | 'memory';

/** How a signal is measured: occurrences, a share of requests, a percentile of their latency, or one number. */
export type SignalKind = 'count' | 'share' | 'percentile' | 'level';

/** When a signal is too bad: `ratio` and `floor` both have to be reached. */
export interface Limit {
  /** At least this many times what it was before the cutover. */
  readonly ratio: number;
  /** And at least this much above it, in the unit of the signal. */
  readonly floor: number;
  /** Fewest requests to judge by: after the cutover, and before it to compare with. */
  readonly requests: number;
  /** What is too much where there is nothing to compare with; null = not judged then. */
  readonly absolute: number | null;
  /** Time after the cutover in which it is not judged: a new process is slow, and grows, at first. */
  readonly afterMs: number;
}

/** One limit for each signal; null = switched off. */
export type BakeLimits = { readonly [S in SignalName]: Limit | null };

export type Unit = 'times' | 'share' | 'ms' | 'bytes per minute';

interface Signal {
  readonly kind: SignalKind;
  readonly unit: Unit;
  /** Its name in texts. */
  readonly title: string;
  readonly about: string;
  /** The default. */
  readonly limit: Limit;
}

function signal(kind: SignalKind, unit: Unit, title: string, about: string, limit: Partial<Limit>): Signal {
  return {
    kind,
    unit,
    title,
    about,
    limit: { ratio: 2, floor: 1, requests: 0, absolute: null, afterMs: 0, ...limit }
  };
}

export const MIB = 2 ** 20;

/** Every signal of the verdict, in the order in which they decide. */
export const SIGNALS: { readonly [S in SignalName]: Signal } = {
  exits: signal('count', 'times', 'worker exits', 'Workers that exited without being told to.', { floor: 3 }),
  hangs: signal('count', 'times', 'worker hangs', 'Workers that were replaced because they did not answer.', {}),
  errors: signal('share', 'share', '5xx', 'Share of responses with a status of 500 or above.', {
    floor: 0.05,
    requests: 20,
    absolute: 0.5
  }),
  cut: signal('share', 'share', 'cut short', 'Share of requests whose response was cut short, by either side.', {
    floor: 0.05,
    requests: 20
  }),
  p50: signal('percentile', 'ms', 'p50', 'Time that half of the requests took at the most.', {
    floor: 100,
    requests: 50,
    afterMs: 2_000
  }),
  p99: signal('percentile', 'ms', 'p99', 'Time that 99 % of the requests took at the most.', {
    ratio: 3,
    floor: 250,
    requests: 50,
    afterMs: 2_000
  }),
  // In many services, pauses of 200 ms (garbage collection, rendering a page) are about 1 % of all: just above it or below.
  loopDelay: signal('level', 'ms', 'event-loop delay', 'p99 of the delay of the event loop, the worst worker.', {
    ratio: 3,
    floor: 500,
    afterMs: 10_000
  }),
  uncaught: signal('count', 'times', 'uncaught exceptions', 'Uncaught exceptions and unhandled rejections.', {
    floor: 10
  }),
  // A new process grows by 100 MiB and more while heap and caches fill; over a shorter time that would look like a leak.
  memory: signal('level', 'bytes per minute', 'memory growth', 'Growth of the worker that grows fastest.', {
    ratio: 4,
    floor: 256 * MIB,
    afterMs: 25_000
  })
};

export const SIGNAL_NAMES = Object.keys(SIGNALS) as readonly SignalName[];

/** The default limits. */
export const DEFAULT_LIMITS = Object.fromEntries(SIGNAL_NAMES.map((name) => [name, SIGNALS[name].limit])) as BakeLimits;
