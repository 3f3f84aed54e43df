/** What a generation is started from, resolved once: a later change of `current` does not reach it. */
export interface Release {
  /** The entry as the operator wrote it. */
  readonly entry: string;
  /** The real path that every worker of the generation is started from, replacements too. */
  readonly file: string;
  /** The real working directory. */
  readonly cwd: string;
}

/**
 * Where one worker stands.
 *
 * `down` has exited, and its last words are still being read. `ready` and `paused` are the same to the kernel (no connection arrives); they differ in that a paused worker has
 * served before and may still hold connections.
 */
export type WorkerPhase = 'starting' | 'ready' | 'accepting' | 'paused' | 'draining' | 'ending' | 'down';

/** One process of a generation. Numbers only grow: the replacement of `7.1` is never called `7.1`. */
export interface Worker {
  readonly id: string;
  readonly generation: number;
  readonly phase: WorkerPhase;
  /** Whether what the app gave to `whileActive` runs here, or has been told to stop. */
  readonly duty: 'off' | 'on' | 'ending';
  /** Whether the connections that were idle when it paused have all moved on. */
  readonly handed: boolean;
  /** Whether, as a standby, it was told to accept because the active generation cannot. */
  readonly covers: boolean;
  /** Whether it has said that nothing is in flight, while what it had on duty was still ending. */
  readonly drained: boolean;
}

/** One started version, numbered 1, 2, 3 and never reused. */
export interface Generation {
  readonly id: number;
  readonly release: Release;
  /** How many workers it should have. */
  readonly size: number;
  readonly workers: readonly Worker[];
  readonly lastWorker: number;
  /** Milliseconds since the epoch, as everywhere in the core. */
  readonly startedAt: number;
  readonly readyAt: number | null;
  /** When a worker was last replaced, for the restart limit. */
  readonly restarts: readonly number[];
}

/** A generation on its way out. */
export interface Retiring {
  readonly generation: Generation;
  readonly why: string;
}

/** Limits of time and number, in milliseconds, taken from the options. */
export interface Limits {
  readonly readyMs: number;
  readonly drainMs: number;
  /** `Infinity` keeps a standby until the next handover. */
  readonly keepWarmMs: number;
  /** How long connections that could move are given to do so. */
  readonly budgetMs: number;
  /** How long the checks and the warm-up of a candidate may take at the most, or null where there are none. */
  readonly checkMs: number | null;
}

/** One line of the history that every door shows. */
export interface Chapter {
  readonly generation: number;
  readonly entry: string;
  readonly startedAt: number;
  readonly activeAt: number | null;
  readonly endedAt: number | null;
  readonly outcome: 'candidate' | 'active' | 'standby' | 'retired' | 'failed';
  readonly reason: string | null;
}

/** The order that is being carried out, and when it came. */
export interface Order {
  readonly request: number;
  readonly kind: 'reload' | 'rollback';
  readonly askedAt: number;
}

/** An order whose cutover is done and whose answer waits for the idle connections to have moved. */
export interface Settling extends Order {
  readonly from: number;
  readonly to: number;
  /** From the order to the candidate being ready; 0 in a rollback, which starts nothing. */
  readonly bootMs: number;
  /** From there to the new generation accepting and the old one paused. */
  readonly cutoverMs: number;
  /** From the order to the new active generation accepting. */
  readonly tookMs: number;
}
