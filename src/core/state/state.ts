import type { Account, ErrorCode } from '../../errors.ts';
import type {
  Bake,
  Chapter,
  Comparison,
  Generation,
  Limits,
  Order,
  Release,
  Retiring,
  Scaling,
  Settling,
  StrategyName
} from './types.ts';

export type * from './types.ts';

/** What every phase carries. */
export interface Common {
  readonly limits: Limits;
  readonly lastGeneration: number;
  readonly retiring: readonly Retiring[];
  readonly history: readonly Chapter[];
}

/** What every phase of a handover carries before its cutover. */
interface Underway {
  readonly active: Generation;
  /** The standby of before; null in a rollback, where it is the one that comes. */
  readonly standby: Generation | null;
  readonly order: Order;
}

/**
 * Where the one possible handover stands. Each phase carries exactly the generations that exist in it.
 *
 * Invariant: `active` is the generation that accepts connections; it is never paused before another accepts, except
 * where the strategy of the order says so.
 */
export type State = Common &
  (
    | { readonly phase: 'booting'; readonly candidate: Generation; readonly request: number }
    | {
        readonly phase: 'steady';
        readonly active: Generation;
        readonly standby: Generation | null;
        readonly settling: Settling | null;
        readonly bake: Bake | null;
        readonly scaling: Scaling | null;
      }
    | (Underway & { readonly phase: 'starting'; readonly candidate: Generation })
    /** The candidate is ready, and is checked and warmed up privately before it may accept. */
    | (Underway & { readonly phase: 'checking'; readonly candidate: Generation })
    /** Exclusive: the active generation accepts no more, holds its idle connections and answers what has reached it. */
    | (Underway & { readonly phase: 'quieting'; readonly next: Generation; readonly openedAt: number })
    /** Exclusive: nobody serves, and what must happen between the versions happens. */
    | (Underway & {
        readonly phase: 'migrating';
        readonly next: Generation;
        readonly openedAt: number;
        /** Why the handover fails as soon as what runs between the versions has ended. */
        readonly failing: Loss | Abandoned | null;
      })
    /** The next generation was told to accept; the active one still accepts too, unless the order is exclusive. */
    | (Underway & { readonly phase: 'opening'; readonly next: Generation; readonly openedAt: number })
    /** Worker by worker: both generations serve. `openedAt` is when the first worker of the next one accepted. */
    | (Underway & { readonly phase: 'rolling'; readonly next: Generation; readonly openedAt: number | null })
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

/** A candidate, or a next generation, that is given up although nothing is wrong with it. */
export interface Abandoned {
  readonly type: 'abandoned';
  readonly why: string;
  readonly at: number;
}

/** A worker of a generation that was to become active is gone. */
export interface Loss {
  readonly type: 'worker-lost';
  readonly about: number;
  readonly worker: string;
  readonly why: string;
  readonly at: number;
}

export type Phase = State['phase'];
export type In<P extends Phase> = Extract<State, { phase: P }>;

/** What a reload, or a rollback to a generation that does not run any more, starts. */
export interface Start {
  readonly request: number | null;
  readonly release: Release;
  readonly size: number;
  readonly kind: 'reload' | 'rollback';
  readonly strategy: StrategyName;
  /** Whether a candidate that is still starting is given up for this one. */
  readonly supersedes: boolean;
  /** Whether the answer is the verdict, not the cutover. */
  readonly waits: boolean;
}

/** News about the whole: what the table is written in. `at` is the clock, handed in. */
export type Event = { readonly at: number } & (
  | {
      readonly type: 'boot-asked';
      readonly request: number;
      readonly release: Release;
      readonly size: number;
      readonly strategy: StrategyName;
    }
  | ({ readonly type: 'reload-asked' } & Start & { readonly request: number })
  /** `to` names the generation, for one that is wanted although it was rejected. */
  | { readonly type: 'rollback-asked'; readonly request: number; readonly to: number | null }
  | { readonly type: 'promote-asked' | 'abort-asked' | 'retire-asked'; readonly request: number }
  | { readonly type: 'scale-asked'; readonly request: number; readonly size: number }
  | { readonly type: 'stop-asked'; readonly request: number; readonly why: string }
  | { readonly type: 'all-ready'; readonly about: number }
  | { readonly type: 'proven'; readonly about: number }
  | { readonly type: 'check-failed'; readonly about: number; readonly check: string; readonly why: string }
  | { readonly type: 'check-overdue'; readonly about: number }
  | { readonly type: 'all-quiet'; readonly about: number }
  | { readonly type: 'quiet-overdue'; readonly about: number }
  | { readonly type: 'migrated'; readonly about: number }
  | { readonly type: 'migrate-failed'; readonly about: number; readonly why: string }
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
  | ({ readonly type: 'sampled'; readonly about: number } & Comparison)
  | { readonly type: 'bake-over'; readonly about: number }
  | { readonly type: 'scale-overdue'; readonly about: number }
);
export type EventType = Event['type'];

/** News about one worker, folded into its generation before the table is asked. */
export type WorkerEvent = { readonly at: number; readonly worker: string } & (
  | { readonly type: 'worker-ready' | 'worker-proven' | 'worker-accepting' | 'worker-paused' | 'worker-quiet' }
  | { readonly type: 'worker-handed' | 'worker-inactive' | 'worker-drained' | 'worker-down' }
  | { readonly type: 'worker-exited'; readonly why: string }
  | { readonly type: 'worker-refused'; readonly code: ErrorCode; readonly why: string }
  | { readonly type: 'worker-hung'; readonly silentMs: number }
  | { readonly type: 'worker-heavy'; readonly rssBytes: number; readonly limitBytes: number }
  | { readonly type: 'worker-overdue' | 'leave-overdue' | 'kill-overdue' }
);

/** News that means the same in every phase. */
export type GenerationEvent = { readonly at: number } & (
  | { readonly type: 'restart-due' | 'drain-overdue'; readonly about: number }
  | { readonly type: 'memory-low'; readonly share: number }
  | { readonly type: 'hurry-asked' }
);

export type News = Event | WorkerEvent | GenerationEvent;

/** Each deadline is an event of its own about one generation or one worker. */
export type Deadline =
  | 'ready-overdue'
  | 'check-overdue'
  | 'quiet-overdue'
  | 'open-overdue'
  | 'pause-overdue'
  | 'hand-overdue'
  | 'warm-over'
  | 'bake-over'
  | 'scale-overdue'
  | 'restart-due'
  | 'drain-overdue'
  | 'worker-overdue'
  | 'leave-overdue'
  | 'kill-overdue';

/** The answer to an order. `handedOver` is measured by whoever moves the connections and added there. */
export type Answer =
  | { readonly ok: true; readonly started: number }
  /** `reason` is why the generation was kept, for those who wait for the verdict. */
  | { readonly ok: true; readonly settled: Settling; readonly reason: string | null }
  | { readonly ok: true; readonly promoted: number; readonly standby: number | null; readonly reason: string }
  | { readonly ok: true; readonly abandoned: number; readonly active: number; readonly reason: string }
  | { readonly ok: true; readonly retired: number }
  | { readonly ok: true; readonly scaled: Scaling; readonly active: number }
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
  /** Checks and warms up one worker, or all of the generation. */
  | { readonly do: 'prove'; readonly generation: number; readonly worker: string | null }
  /** Runs what must happen between two versions. */
  | { readonly do: 'migrate'; readonly from: number; readonly generation: number; readonly release: Release }
  | { readonly do: 'cancel-migration' | 'close-listeners' }
  /** Where it yields, the next generation may serve from here on. */
  | { readonly do: 'hold'; readonly worker: string; readonly yields: boolean }
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
  | { readonly do: 'announce'; readonly notice: Notice };

/** What a step comes to. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}
