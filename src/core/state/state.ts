import type { Limits } from './release.ts';
import type {
  Bake,
  Canary,
  Completion,
  Drained,
  Generation,
  HistoryEntry,
  Order,
  PlannedStop,
  Retiring,
  Scaling
} from './types.ts';

export type * from './effects.ts';
export type * from './news.ts';
export type * from './release.ts';
export type * from './types.ts';

/** What every phase carries. */
export interface Common {
  /** Those of the generation that is being started, else of the active one. */
  readonly limits: Limits;
  readonly lastGeneration: number;
  readonly retiring: readonly Retiring[];
  readonly history: readonly HistoryEntry[];
  /** Null where no operator has drained the service. */
  readonly drained: Drained | null;
  /** Null where no stop is waited for; `stopping` comes after it. */
  readonly plannedStop: PlannedStop | null;
}

/** What every phase of a handover carries before its cutover. */
interface Underway {
  readonly active: Generation;
  /** The standby from before the order; null in a rollback, where it is the next generation. */
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
        readonly completing: Completion | null;
        readonly bake: Bake | null;
        readonly scaling: Scaling | null;
      }
    | (Underway & { readonly phase: 'starting'; readonly candidate: Generation })
    /** The candidate is ready, and is checked and warmed up privately before it may accept. */
    | (Underway & { readonly phase: 'checking'; readonly candidate: Generation })
    /** Exclusive or in place: load balancers are told before anything changes. In place, the candidate has no worker yet. */
    | (Underway & { readonly phase: 'withdrawing'; readonly candidate: Generation })
    /** Exclusive: the active generation accepts no more, holds its idle connections and answers what has reached it. */
    | (Underway & { readonly phase: 'quieting'; readonly next: Generation; readonly openedAt: number })
    /** Exclusive: nobody serves, and `beforeCutover` runs. */
    | (Underway & {
        readonly phase: 'migrating';
        readonly next: Generation;
        readonly openedAt: number;
        /** Why the handover fails as soon as `beforeCutover` has ended; null while it may still succeed. */
        readonly failing: Loss | Abandoned | null;
      })
    /** Both answer: the next generation a share of the requests. It accepts no connection; they are brought to it. */
    | (Underway & {
        readonly phase: 'canary';
        readonly next: Generation;
        readonly openedAt: number;
        readonly canary: Canary;
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

/** A worker of a candidate, or of a next generation, is gone. */
export interface Loss {
  readonly type: 'worker-lost';
  readonly about: number;
  readonly worker: string;
  readonly why: string;
  readonly at: number;
}

export type Phase = State['phase'];
export type In<P extends Phase> = Extract<State, { phase: P }>;
