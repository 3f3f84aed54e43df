import type { StrategyName } from '../../options/strategies.ts';
import type { CanaryPlan } from '../routing/plan.ts';
import type { BothFigures } from '../verdict/figures.ts';
import type { Comparison, Decision } from '../verdict/judge.ts';
import type { Release } from './release.ts';

export type { Comparison, StrategyName };

/**
 * How far one worker is.
 *
 * `ready` and `paused` workers do not accept; a paused one has served before and may still hold connections. A `down` one has
 * exited, and its output is still being read.
 */
export type WorkerPhase = 'starting' | 'ready' | 'accepting' | 'paused' | 'draining' | 'ending' | 'down';

/** One process of a generation. Its id is never used again, not even for its replacement. */
export interface Worker {
  readonly id: string;
  readonly generation: number;
  readonly phase: WorkerPhase;
  /** Whether the app's `whileActive` tasks run here, or have been told to end. */
  readonly whileActive: 'off' | 'on' | 'ending';
  /** Whether the connections that were idle when it paused have all moved on. */
  readonly handed: boolean;
  /** Whether, as a standby, it was told to accept because the active generation cannot. */
  readonly covers: boolean;
  /** Whether it has said that nothing is in flight, while its `whileActive` tasks were still ending. */
  readonly drained: boolean;
  /** Whether it has answered everything that had reached it: it never served, or was told to hold. */
  readonly quiet: boolean;
  /** Whether it has passed its checks, under a strategy that checks worker by worker. */
  readonly proven: boolean;
  /** The last order that a strategy gave to this worker alone. */
  readonly told: 'check' | 'accept' | 'pause' | 'hold' | null;
  /** Whether it alone leaves a generation that stays. */
  readonly isLeaving: boolean;
  /** Whether it is one more than there were, and takes the place of none. */
  readonly isAdded: boolean;
  /** The worker that takes its place as soon as it accepts. */
  readonly successor: string | null;
  /** Why the supervisor ended it; null unless it did. */
  readonly fault: string | null;
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
  /** How it became active, or is to become it. */
  readonly strategy: StrategyName;
  /** Why it was rolled back, or should be; null if it was not rejected. */
  readonly rejected: string | null;
  /** Whether it has answered beside another one: as a canary, or as the active one beside it. */
  readonly isShared: boolean;
}

/** A generation on its way out. */
export interface Retiring {
  readonly generation: Generation;
  readonly why: string;
}

/** One generation in the history. */
export interface HistoryEntry {
  /** Its number. */
  readonly generation: number;
  /** What it was started from, so that it can be started again. Never shown whole: its environment may hold secrets. */
  readonly release: Release;
  /** The order that started it. */
  readonly kind: 'run' | 'reload' | 'rollback';
  /** How it became active, or was to become it. */
  readonly strategy: StrategyName;
  readonly startedAt: number;
  /** When it became active the last time. */
  readonly activeAt: number | null;
  /** How long it was active before it last stopped being so. */
  readonly activeMs: number;
  readonly endedAt: number | null;
  /** Requests it has answered, or whose response was cut short; null where they were not counted. */
  readonly requests: number | null;
  /** Of these requests, those with a status of 500 or above, or cut short; null where they were not counted. */
  readonly failed: number | null;
  /** What it is now, or how it ended. */
  readonly outcome: 'candidate' | 'active' | 'standby' | 'retired' | 'failed' | 'rejected';
  /** Why it ended that way; null where there is nothing to say. */
  readonly reason: string | null;
  /** The generation that was on standby while it was active. */
  readonly standby: number | null;
  /** How its last bake ended, and the figures of both versions then; null where it was not judged. */
  readonly verdict: Judged | null;
  /** Who gave the order that started it; left out or null where nobody did, or it is not known. */
  readonly operator?: AskedBy | null;
}

/** Who gave an order, as the client of the control socket says. */
export interface AskedBy {
  readonly uid: number | null;
  readonly user: string | null;
  /** Who became that user by sudo. */
  readonly sudoUser?: string;
  /** Such as `handover reload`. */
  readonly command: string;
}

/** How a bake ended. */
export interface Judged extends BothFigures {
  readonly decision: Decision;
  readonly reason: string;
}

/** The order that is being carried out, and when it came. */
export interface Order {
  /** The request to answer; null where the supervisor decided by itself. */
  readonly request: number | null;
  readonly kind: 'reload' | 'rollback';
  readonly strategy: StrategyName;
  /** Whether it goes back to the standby: nothing is started. */
  readonly warm: boolean;
  readonly askedAt: number;
  /** Whether the answer is the verdict, not the cutover. */
  readonly waits: boolean;
  /** When the active generation was told to hold: the beginning of the gap of an exclusive handover. */
  readonly heldAt: number | null;
  /** The rejection that this rollback carries out, if it does. */
  readonly verdict: Rejection | null;
  /** How it is to go where the next generation gets a share first; null where it takes over at once. */
  readonly canary: CanaryPlan | null;
  readonly operator?: AskedBy | null;
}

/** Two generations answer: how far that is. */
export interface Canary {
  readonly plan: CanaryPlan;
  /** Which of the plan's steps it is, from 0. */
  readonly step: number;
  /** The share of the next generation at the moment: that of the step, or what the operator said since. */
  readonly share: number;
  /** When the share was last changed. */
  readonly since: number;
  /** Whether the time of the step is over, and too few requests have come to judge by. */
  readonly isLate: boolean;
  /** What was measured of both last: the active one as `before`, the next one as `after`. */
  readonly measured: Comparison | null;
}

/** Why a generation is rolled back, and the requests that are answered with that. */
export interface Rejection {
  readonly generation: number;
  readonly reason: string;
  readonly requests: readonly number[];
}

/** An order whose cutover is done; its answer waits until the idle connections have moved. */
export interface Completion extends Order {
  readonly from: number;
  readonly to: number;
  /** From the order to the candidate being ready; 0 in a rollback, which starts nothing. */
  readonly bootMs: number;
  /** From there to the new generation accepting and the old one paused. */
  readonly cutoverMs: number;
  /** From the order to the new active generation accepting. */
  readonly tookMs: number;
  /** How long nobody accepted; null where somebody always did. */
  readonly gapMs: number | null;
  /** Whether the idle connections have moved, or their time is over. */
  readonly handed: boolean;
  /** How long they took from the cutover on; 0 until then. */
  readonly rampMs: number;
  /** Whether a worker has answered on every address since. */
  readonly reached: boolean;
  /** The addresses that the generation before served and the active one does not, as people write them. */
  readonly closed: readonly string[];
}

/** The active generation, as it is compared with the one before. */
export interface Bake {
  readonly generation: number;
  /** The generation before. */
  readonly from: number;
  /** Until when the generation before served alone: the end of the baseline. */
  readonly undisturbedUntil: number;
  readonly since: number;
  readonly forMs: number;
  /** Whether it goes on past that, because too few requests came to see anything. */
  readonly extended: boolean;
  /** What was measured last. */
  readonly measured: Comparison | null;
  /** Orders that are answered with the verdict. */
  readonly waiting: readonly Completion[];
}

/** A service that its operator has drained: its load balancers are told to send nobody, and whoever comes is served. */
export interface Drained {
  readonly since: number;
  /** When it ends by itself; null: with `undrain`. */
  readonly until: number | null;
  /** Whether each answer ends its connection. */
  readonly closesIdle: boolean;
  readonly by: AskedBy | null;
}

/** A stop that its load balancers are told of first. */
export interface PlannedStop {
  /** The orders that are answered when it is done. */
  readonly requests: readonly number[];
  readonly why: string;
}

/** An order to scale that is not done yet. */
export interface Scaling {
  readonly request: number;
  readonly from: number;
  readonly to: number;
}
