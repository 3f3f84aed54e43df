import type { ErrorCode } from '../../errors.ts';
import type { CanaryPlan } from '../routing/plan.ts';
import type { Release } from './release.ts';
import type { AskedBy, Comparison, StrategyName } from './types.ts';

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
  /** How it goes where it gets a share first. */
  readonly canary?: CanaryPlan | null;
  readonly operator?: AskedBy | null;
}

/** The observed reason, and what helps against it where that is known. */
interface Explained {
  readonly why: string;
  readonly fix?: string | null;
}

/** News about the whole: the events of the table. `at` is the time, in milliseconds since the epoch. */
export type Event = { readonly at: number } & (
  | {
      readonly type: 'boot-asked';
      readonly request: number;
      readonly release: Release;
      readonly size: number;
      readonly strategy: StrategyName;
    }
  | ({ readonly type: 'reload-asked' } & Start & { readonly request: number })
  /** `to` names the generation: only then is a rejected one accepted. */
  | { readonly type: 'rollback-asked'; readonly request: number; readonly to: number | null }
  | { readonly type: 'promote-asked' | 'abort-asked' | 'retire-asked'; readonly request: number }
  | { readonly type: 'scale-asked'; readonly request: number; readonly size: number }
  | { readonly type: 'share-asked'; readonly request: number; readonly share: number }
  | { readonly type: 'stop-asked'; readonly request: number; readonly why: string }
  | { readonly type: 'all-ready'; readonly about: number }
  | { readonly type: 'proven'; readonly about: number }
  | { readonly type: 'check-failed'; readonly about: number; readonly check: string; readonly why: string }
  | { readonly type: 'check-overdue'; readonly about: number }
  | { readonly type: 'withdraw-over'; readonly about: number }
  | { readonly type: 'all-quiet'; readonly about: number }
  | { readonly type: 'quiet-overdue'; readonly about: number }
  | { readonly type: 'migrated'; readonly about: number }
  | { readonly type: 'migrate-failed'; readonly about: number; readonly why: string }
  | { readonly type: 'all-accepting'; readonly about: number }
  | { readonly type: 'all-paused'; readonly about: number }
  | { readonly type: 'all-handed'; readonly about: number }
  | ({ readonly type: 'worker-lost'; readonly about: number; readonly worker: string } & Explained)
  | {
      readonly type: 'accept-failed';
      readonly about: number;
      readonly worker: string;
      readonly code: ErrorCode;
      readonly why: string;
    }
  | ({ readonly type: 'ready-overdue'; readonly about: number } & Explained)
  /** Waiting would not make it ready. */
  | {
      readonly type: 'unfit';
      readonly about: number;
      readonly worker: string;
      readonly why: string;
      readonly fix: string;
    }
  | { readonly type: 'open-overdue'; readonly about: number }
  | { readonly type: 'pause-overdue'; readonly about: number }
  | { readonly type: 'hand-overdue'; readonly about: number }
  /** Workers answer on every address; `closed` are those that the active generation does not serve any more. */
  | { readonly type: 'reached'; readonly about: number; readonly closed: readonly string[] }
  | { readonly type: 'unreached'; readonly about: number; readonly why: string }
  | { readonly type: 'reach-overdue'; readonly about: number }
  | { readonly type: 'warm-over'; readonly about: number }
  | ({ readonly type: 'sampled'; readonly about: number } & Comparison)
  | { readonly type: 'bake-over'; readonly about: number }
  | { readonly type: 'step-over'; readonly about: number }
  | { readonly type: 'scale-overdue'; readonly about: number }
);
export type EventType = Event['type'];

/** News about one worker, applied to its generation before the table is asked. */
export type WorkerEvent = { readonly at: number; readonly worker: string } & (
  | { readonly type: 'worker-ready' | 'worker-proven' | 'worker-accepting' | 'worker-paused' | 'worker-quiet' }
  | { readonly type: 'worker-handed' | 'worker-inactive' | 'worker-drained' | 'worker-down' }
  | ({ readonly type: 'worker-exited' } & Explained)
  | { readonly type: 'worker-refused'; readonly code: ErrorCode; readonly why: string }
  | { readonly type: 'worker-unfit'; readonly why: string; readonly fix: string }
  | { readonly type: 'worker-hung'; readonly silentMs: number }
  | { readonly type: 'worker-heavy'; readonly rssBytes: number; readonly limitBytes: number }
  | { readonly type: 'worker-overdue' | 'leave-overdue' | 'kill-overdue' }
);

/** News that is handled alike in every phase. */
export type GenerationEvent = { readonly at: number } & (
  | { readonly type: 'restart-due' | 'drain-overdue'; readonly about: number }
  | { readonly type: 'memory-low'; readonly share: number }
  | { readonly type: 'hurry-asked' }
  | {
      readonly type: 'drain-asked';
      readonly request: number;
      readonly forMs: number | null;
      readonly closesIdle: boolean;
      readonly by: AskedBy | null;
    }
  | { readonly type: 'undrain-asked'; readonly request: number }
  /** About the whole, which has no number: 0. */
  | { readonly type: 'undrain-due' | 'stop-due'; readonly about: number }
);

export type News = Event | WorkerEvent | GenerationEvent;

/** Each deadline is an event of its own about one generation or one worker. */
export type Deadline =
  | 'ready-overdue'
  | 'check-overdue'
  | 'withdraw-over'
  | 'undrain-due'
  | 'stop-due'
  | 'quiet-overdue'
  | 'open-overdue'
  | 'pause-overdue'
  | 'hand-overdue'
  | 'reach-overdue'
  | 'warm-over'
  | 'bake-over'
  | 'step-over'
  | 'scale-overdue'
  | 'restart-due'
  | 'drain-overdue'
  | 'worker-overdue'
  | 'leave-overdue'
  | 'kill-overdue';
