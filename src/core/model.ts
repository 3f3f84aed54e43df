import type { Account, ErrorCode } from '../errors.ts';
import type { Chapter, Generation, Limits, Order, Release, Retiring, Settling } from './nouns.ts';

export type * from './nouns.ts';

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
        /** The candidate is ready, and is checked and warmed up privately before it may accept. */
        readonly phase: 'checking';
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
  | { readonly type: 'proven'; readonly about: number }
  | { readonly type: 'check-failed'; readonly about: number; readonly check: string; readonly why: string }
  | { readonly type: 'check-overdue'; readonly about: number }
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
  | { readonly type: 'worker-inactive' | 'worker-drained' | 'worker-down' }
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
  | 'check-overdue'
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
  | { readonly do: 'prove'; readonly generation: number }
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
