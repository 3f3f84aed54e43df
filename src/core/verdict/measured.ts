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
  /** The same span in slices of `SLICE_MS`, those without a response left out. */
  readonly slices: readonly Slice[];
  /** What it was asked for, by method and pattern of the path; every response is in exactly one. */
  readonly routes: Readonly<Record<string, Route>>;
  /** CPU time of all workers; null = not measured. */
  readonly cpuMs: number | null;
  /**
   * p99 of event-loop delay, the worst worker; null = not measured.
   *
   * It is taken over the whole span: the worst second of it would show a single pause.
   */
  readonly loopDelayMs: number | null;
  /**
   * The same of the standby in the meantime, which does nothing: by so much the machine itself is late; null = not known.
   */
  readonly standbyDelayMs: number | null;
  /** Uncaught exceptions and unhandled rejections the process survived or died of. */
  readonly uncaught: number;
  /** Workers that exited unexpectedly. */
  readonly exits: number;
  /**
   * The errors that workers died of, each kind once: since the cutover for the new generation, and all that was ever seen
   * for the one before.
   */
  readonly fatal: readonly Death[];
  /** Workers that were replaced because they did not answer. */
  readonly hangs: number;
  /** Resident memory of the largest worker; null = not measured. */
  readonly rssBytes: number | null;
  /** Slope of the resident memory of the worker that grows fastest; null = too few points. */
  readonly memoryPerMinuteBytes: number | null;
  /** The same over the last seconds alone. */
  readonly climbPerMinuteBytes: number | null;
}

/** An error that a worker died of. */
export interface Death {
  /** Its title without what differs each time: numbers, and what stands in quotes. */
  readonly kind: string;
  /** As it was. */
  readonly said: string;
}

/** A short part of a span. */
export interface Slice {
  /** When it began, from the start of the span. */
  readonly atMs: number;
  readonly requests: number;
  readonly cut: number;
  readonly latency: readonly number[];
  readonly cpuMs: number;
}

/** What was asked for under one method and pattern. */
export interface Route {
  readonly requests: number;
  readonly failed: number;
  /** With a status of 400 to 499. */
  readonly refused: number;
  readonly latency: readonly number[];
}

export const NOTHING_MEASURED: Measured = {
  ...{ spanMs: 0, requests: 0, failed: 0, cut: 0, latency: [], slices: [], routes: {}, cpuMs: null, loopDelayMs: null },
  standbyDelayMs: null,
  ...{ uncaught: 0, exits: 0, fatal: [], hangs: 0, rssBytes: null, memoryPerMinuteBytes: null },
  climbPerMinuteBytes: null
};
