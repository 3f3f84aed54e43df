import type { Account, ErrorCode } from '../errors.ts';

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
 * `ready` and `paused` are the same to the kernel (no connection arrives); they differ in that a paused worker has
 * served before and may still hold connections.
 */
export type WorkerPhase = 'starting' | 'ready' | 'accepting' | 'paused' | 'draining' | 'ending';

/** One process of a generation. Numbers only grow: the replacement of `7.1` is never called `7.1`. */
export interface Worker {
  readonly id: string;
  readonly generation: number;
  readonly phase: WorkerPhase;
  /** Whether what the app gave to `whileActive` runs here, or has been told to stop. */
  readonly duty: 'off' | 'on' | 'ending';
  /** Whether the connections that were idle when it paused have all moved on. */
  readonly handed: boolean;
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

interface Common {
  readonly limits: Limits;
  readonly lastGeneration: number;
  readonly retiring: readonly Retiring[];
  readonly history: readonly Chapter[];
}

/**
 * Where the one possible handover stands. Each phase carries exactly the generations that exist in it.
 *
 * Invariant: `active` is the generation that accepts connections; it is never paused before another accepts.
 */
export type State = Common &
  (
    | { readonly phase: 'booting'; readonly candidate: Generation; readonly request: number }
    | {
        readonly phase: 'steady';
        readonly active: Generation;
        readonly standby: Generation | null;
        readonly settling: Settling | null;
      }
    | {
        readonly phase: 'starting';
        readonly active: Generation;
        readonly standby: Generation | null;
        readonly candidate: Generation;
        readonly order: Order;
      }
    | {
        /** The next generation was told to accept; the active one still accepts too. */
        readonly phase: 'opening';
        readonly active: Generation;
        /** The standby of before; null in a rollback, where it is `next`. */
        readonly standby: Generation | null;
        readonly next: Generation;
        readonly order: Order;
        readonly openedAt: number;
      }
    | {
        /** The new active generation accepts; the one before was told to pause. */
        readonly phase: 'pausing';
        readonly active: Generation;
        readonly leaving: Generation;
        readonly order: Order;
        readonly openedAt: number;
        readonly acceptedAt: number;
      }
    | { readonly phase: 'stopping'; readonly requests: readonly number[] }
    | { readonly phase: 'stopped' }
  );

export type Phase = State['phase'];
export type In<P extends Phase> = Extract<State, { phase: P }>;

/** News about the whole: what the table is written in. `at` is the clock, handed in. */
export type Event = { readonly at: number } & (
  | { readonly type: 'boot-asked'; readonly request: number; readonly release: Release; readonly size: number }
  | { readonly type: 'reload-asked'; readonly request: number; readonly release: Release; readonly size: number }
  | { readonly type: 'rollback-asked'; readonly request: number }
  | { readonly type: 'stop-asked'; readonly request: number; readonly why: string }
  | { readonly type: 'all-ready'; readonly about: number }
  | { readonly type: 'all-accepting'; readonly about: number }
  | { readonly type: 'all-paused'; readonly about: number }
  | { readonly type: 'all-handed'; readonly about: number }
  | { readonly type: 'worker-lost'; readonly about: number; readonly worker: string; readonly why: string }
  | {
      readonly type: 'accept-failed';
      readonly about: number;
      readonly worker: string;
      readonly code: ErrorCode;
      readonly why: string;
    }
  | { readonly type: 'ready-overdue'; readonly about: number; readonly why: string }
  | { readonly type: 'open-overdue'; readonly about: number }
  | { readonly type: 'pause-overdue'; readonly about: number }
  | { readonly type: 'hand-overdue'; readonly about: number }
  | { readonly type: 'warm-over'; readonly about: number }
);
export type EventType = Event['type'];

/** News about one worker, folded into its generation before the table is asked. */
export type WorkerEvent = { readonly at: number; readonly worker: string } & (
  | { readonly type: 'worker-ready' | 'worker-accepting' | 'worker-paused' | 'worker-handed' }
  | { readonly type: 'worker-inactive' | 'worker-drained' }
  | { readonly type: 'worker-exited'; readonly why: string }
  | { readonly type: 'worker-refused'; readonly code: ErrorCode; readonly why: string }
  | { readonly type: 'worker-overdue' | 'kill-overdue' }
);

/** News that means the same in every phase. */
export type GenerationEvent = { readonly at: number } & (
  | { readonly type: 'restart-due' | 'drain-overdue'; readonly about: number }
  | { readonly type: 'hurry-asked' }
);

export type News = Event | WorkerEvent | GenerationEvent;

/** Each deadline is an event of its own about one generation or one worker. */
export type Deadline =
  | 'ready-overdue'
  | 'open-overdue'
  | 'pause-overdue'
  | 'hand-overdue'
  | 'warm-over'
  | 'restart-due'
  | 'drain-overdue'
  | 'worker-overdue'
  | 'kill-overdue';

/** The answer to an order. `handedOver` is measured by whoever moves the connections and added there. */
export type Answer =
  | { readonly ok: true; readonly started: number }
  | { readonly ok: true; readonly settled: Settling }
  | { readonly ok: true; readonly stopped: true }
  | { readonly ok: false; readonly code: ErrorCode; readonly account: Account; readonly active: number | null };

export interface Notice {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly generation?: number;
  readonly worker?: string;
  readonly reason?: string;
  readonly [extra: string]: unknown;
}

/** What the edges are told to do. The order in a list is part of the promise: accept first, pause second. */
export type Effect =
  | { readonly do: 'fork'; readonly worker: string; readonly generation: number; readonly release: Release }
  | { readonly do: 'accept' | 'activate' | 'deactivate' | 'terminate' | 'kill'; readonly worker: string }
  | { readonly do: 'pause' | 'drain'; readonly worker: string; readonly heirs: boolean }
  | {
      readonly do: 'set-deadline';
      readonly deadline: Deadline;
      readonly about: number | string;
      readonly afterMs: number;
    }
  | { readonly do: 'clear-deadline'; readonly deadline: Deadline; readonly about: number | string }
  | { readonly do: 'answer'; readonly request: number; readonly answer: Answer }
  | { readonly do: 'announce'; readonly notice: Notice }
  | { readonly do: 'close-listeners' };

/** What a step comes to. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}
