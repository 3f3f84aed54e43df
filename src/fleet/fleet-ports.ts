import type { ReloadDone, ReloadOrder } from '../control/routes.ts';
import type { DrainedStatus } from '../core/drained-status.ts';
import type { Notice } from '../core/state/state.ts';
import type { Etcd } from './etcd/etcd.ts';
import type { Running } from './rules/member-state.ts';

/** What the fleet needs of an etcd. */
export type Store = Pick<
  Etcd,
  'get' | 'range' | 'count' | 'txn' | 'watch' | 'grant' | 'keepAlive' | 'revoke' | 'close'
>;

/** What a supervisor runs, and what others may see of it. */
export interface Seen extends Running {
  /** How the last handover was judged; null where it was not. */
  readonly verdict: string | null;
  /** The phase, as `handover status` shows it. */
  readonly state: string;
  readonly addresses: readonly string[];
  /** Whether an operator has taken it out of its load balancers. */
  readonly drained: DrainedStatus | null;
}

/** What the fleet sees of its own supervisor, and asks of it, in the name of whoever gave the order. */
export interface FleetPorts {
  /** Of the service: what paths of a release are meant from. */
  readonly folder: string;
  readonly host: string;
  /** The control socket. */
  readonly socket: string;
  look(): Seen;
  /** @returns a function that ends the subscription */
  onChange(listener: () => void): () => void;
  reload(order: ReloadOrder, by: Asking): Promise<ReloadDone>;
  /** @param to a generation of the history; null: what is kept warm */
  rollback(to: number | null, by: Asking): Promise<unknown>;
  abort(by: Asking): Promise<unknown>;
  /** Runs a command in the folder of the service; `why` has what it said last. */
  fetch(command: string, label: string, signal: AbortSignal): Promise<{ ok: true } | { ok: false; why: string }>;
  announce(notice: Notice): void;
}

/** Who asks. */
export interface Asking {
  readonly user: string | null;
  /** Such as `handover fleet deploy 43`. */
  readonly command: string;
}

/** Time, as far as a machine needs it: its own, which never goes back. */
export interface Clock {
  now(): number;
  /** @returns a function that calls it off */
  after(ms: number, then: () => void): () => void;
  /** Drawn from [0, 1). */
  draw(): number;
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  draw: Math.random
};

/** Who this machine is, and where. */
export interface MemberPlace {
  readonly service: string;
  readonly machine: string;
  readonly zone: string | null;
}
