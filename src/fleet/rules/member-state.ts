import type { Goal, Limit } from './goal.ts';
import type { MachinePlace } from './permits.ts';
import type { Outcome, Way } from './records.ts';

/** What a machine's own supervisor runs. */
export interface Running {
  readonly label: string | null;
  readonly generation: number | null;
  /** What it can go back to at once; null where there is nothing. */
  readonly standby: { readonly label: string | null } | null;
  /** Whether a worker accepts and answers. */
  readonly ready: boolean;
  /** Whether a handover is in progress. */
  readonly busy: boolean;
}

export interface KnownGoal {
  readonly doc: Goal;
  /** The revision that it was written at: what every write is guarded by. */
  readonly revision: number;
}

/** Something for the own supervisor to do. */
export interface Deed {
  readonly do: 'deploy' | 'roll-back' | 'go-back-to';
  readonly deploy: string;
  readonly attempt: number;
  readonly way: Way;
  /** The generation that was active when it began. */
  readonly from: number | null;
  /** The generation of the history that it goes back to. */
  readonly to: number | null;
}

/** One that is done, and not written down yet. */
export interface DoneDeed {
  readonly deed: Deed & { readonly givenUp: boolean };
  readonly result: DeedResult;
}

export type DeedResult =
  | { readonly ok: true; readonly verdict: string | null }
  | { readonly ok: false; readonly code: string; readonly why: string };

/** Something to be asked of etcd, with everything that is needed for it. One at a time. */
export type Ask =
  /** To stand in the queue. */
  | { readonly ask: 'enqueue'; readonly place: string }
  /** How many are ahead, of how many machines, and whom to wait for where there are too many. */
  | {
      readonly ask: 'look';
      readonly place: string;
      readonly maxUnavailable: Limit;
      /** The one that it waits for already, if it does. */
      readonly watched: Watched | null;
    }
  /** A permit, with the outcome that says what for; null: only to have it, for this machine is missing. */
  | {
      readonly ask: 'permit';
      readonly held: number | null;
      readonly hint: number | null;
      readonly limit: number;
      readonly revision: number;
      readonly outcome: Outcome | null;
      readonly place: string | null;
    }
  | Settle
  /** Whether a machine that was ahead has gone away while it deployed. */
  | {
      readonly ask: 'whether-lost';
      readonly deploy: string;
      readonly machines: readonly string[];
      /** Whether that counts also where it had said that it was deployed. */
      readonly evenDeployed: boolean;
    }
  /** What became of a write that was not answered: it may have arrived. Places where it may stand. */
  | { readonly ask: 'recover'; readonly deploy: string; readonly place: string; readonly earlier: string | null }
  /** Whether everybody has come to an end. */
  | { readonly ask: 'whether-ended'; readonly deploy: string; readonly attempt: number; readonly way: Way };

/** To write what came of it, to leave the queue, to give the permit back, and to change the goal, all or nothing. */
export interface Settle {
  readonly ask: 'settle';
  /** Whose outcome it is; that of another machine is written only while that one is gone. */
  readonly of: string;
  readonly outcome: Outcome | null;
  readonly leave: string | null;
  readonly vacate: number | null;
  readonly goal: Goal | null;
  readonly revision: number;
}

/** The one to wait for. */
export interface Watched {
  readonly key: string;
  readonly machine: string;
  /** The permit that is free once it is gone; null where it is not known. */
  readonly slot: number | null;
  /** When it was read: what happens after that is watched for. */
  readonly revision: number;
}

/** Where it stands, as it was last looked. */
export interface InQueue {
  readonly ahead: number;
  readonly limit: number;
  /** Null where it is its turn. */
  readonly watched: Watched | null;
  /** Whether there was no permit although it was its turn. */
  readonly refused: boolean;
}

/** What one machine knows. Everything that it does follows from this. */
export interface MemberState {
  readonly me: MachinePlace;
  /** Whether it has a lease, and has read the goal since. */
  readonly joined: boolean;
  readonly goal: KnownGoal | null;
  readonly running: Running;
  readonly outcome: Outcome | null;
  /** The permit that it has. */
  readonly slot: number | null;
  /** Where it stands in the queue: the deploy, and its place in it. */
  readonly queued: string | null;
  readonly inQueue: InQueue | null;
  /** Whom it has seen leave the queue, and does not know yet whether that was well; and the permit that is free since. */
  readonly left: { readonly machine: string; readonly slot: number | null } | null;
  /** What it has found out of the others, and has not acted on yet. */
  readonly found: { readonly lost: readonly string[]; readonly ended: boolean } | null;
  /** A permit that somebody has just given back. */
  readonly hint: number | null;
  readonly machines: number;
  readonly asking: Ask | null;
  /** Whether a write was not answered: nobody knows what it did. */
  readonly unsure: boolean;
  /** Whether etcd did not answer the last time: it is asked again after a while. */
  readonly troubled: boolean;
  readonly deed: (Deed & { readonly givenUp: boolean }) | null;
  readonly result: DoneDeed | null;
  /** Whether it has run, in this life, what the goal says as it is. */
  readonly wasThere: boolean;
  readonly bake: {
    readonly deploy: string;
    readonly attempt: number;
    readonly forMs: number;
    readonly over: boolean;
  } | null;
  /** Whether it is time to look at what nobody tells. */
  readonly due: boolean;
}

export type MemberEvent =
  | {
      readonly type: 'joined';
      readonly goal: KnownGoal | null;
      readonly outcome: Outcome | null;
      readonly slot: number | null;
      readonly queued: string | null;
      readonly machines: number;
    }
  | { readonly type: 'lease-lost' }
  | { readonly type: 'goal'; readonly goal: KnownGoal | null }
  | { readonly type: 'running'; readonly running: Running }
  | { readonly type: 'answered'; readonly answer: Answer }
  | { readonly type: 'unanswered' }
  /** @param slot the permit that it had, as far as that was seen */
  | { readonly type: 'left-queue'; readonly key: string; readonly slot: number | null }
  | { readonly type: 'deed-done'; readonly result: DeedResult }
  | { readonly type: 'bake-over'; readonly deploy: string; readonly attempt: number }
  | { readonly type: 'recheck' };

/** What etcd said. `goal` is there where it was found to be another one. */
export type Answer =
  | { readonly to: 'enqueue' }
  | { readonly to: 'look'; readonly machines: number | null; readonly inQueue: InQueue }
  | { readonly to: 'permit'; readonly slot: number | null; readonly goal?: KnownGoal | null }
  | { readonly to: 'settle'; readonly done: boolean; readonly goal?: KnownGoal | null }
  | {
      readonly to: 'recover';
      readonly slot: number | null;
      readonly queued: string | null;
      readonly outcome: Outcome | null;
      readonly goal: KnownGoal | null;
    }
  | { readonly to: 'whether-lost'; readonly lost: readonly string[] }
  | { readonly to: 'whether-ended'; readonly ended: boolean; readonly lost: readonly string[] };

export type MemberEffect =
  | { readonly do: 'ask'; readonly ask: Ask }
  | { readonly do: 'deed'; readonly deed: Deed }
  | { readonly do: 'give-up' };

export interface MemberStep {
  readonly state: MemberState;
  readonly effects: readonly MemberEffect[];
}

export const NOTHING_RUNS: Running = {
  ...{ label: null, generation: null, standby: null, ready: false, busy: true }
};

export function createMember(me: MachinePlace): MemberState {
  return {
    ...{ me, joined: false, goal: null, running: NOTHING_RUNS, outcome: null, slot: null, queued: null, inQueue: null },
    ...{ left: null, found: null, hint: null, machines: 1, asking: null, unsure: false, troubled: false, deed: null },
    ...{ result: null, wasThere: false, bake: null, due: false }
  };
}
