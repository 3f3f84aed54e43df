import type { EventEmitter } from 'node:events';
import type {
  AbortDone,
  CanaryDone,
  DrainDone,
  DrainOrder,
  History,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone,
  UndrainDone
} from '../control/routes.ts';
import type { Status } from '../core/status.ts';
import type { ServiceEvents } from './events.ts';

/** A supervised service, as {@link supervise} gives it: this process owns the listeners and controls the workers. */
export interface Service extends EventEmitter<ServiceEvents> {
  /** Name of the app, by which the `handover` commands find this supervisor. */
  readonly name: string;
  /** Path of the control socket. */
  readonly socket: string;
  /** Addresses that are owned, as `host:port`, `[ipv6]:port` or `unix:/path`. */
  readonly addresses: readonly string[];
  /**
   * Hands over to a new generation: of the same entry, or of another one that holds from now on.
   *
   * Settles once the new generation is active, the old one has stopped accepting and idle connections have moved; with
   * `wait`, after the verdict.
   *
   * @param order an entry, or what to start and how
   * @throws HANDOVER_ERR_CANDIDATE_*, HANDOVER_ERR_REFUSED_*, HANDOVER_ERR_LISTEN_*, HANDOVER_ERR_OPTION_INVALID; the
   * error's `active` is the generation that serves then
   * @example
   * await service.reload();
   * await service.reload({ entry: './releases/43/server.js', label: 'v43', wait: true });
   */
  reload(order?: string | ReloadOrder): Promise<ReloadDone>;
  /**
   * Makes the previous generation active again. Nothing is started, unless an earlier one is named, or the strategy
   * keeps none warm.
   *
   * @throws HANDOVER_ERR_REFUSED_NO_STANDBY, HANDOVER_ERR_REFUSED_REJECTED, HANDOVER_ERR_REFUSED_NO_GENERATION,
   * HANDOVER_ERR_REFUSED_BUSY; where a version is started, HANDOVER_ERR_CANDIDATE_* too
   * @example await service.rollback({ to: 5 });
   */
  rollback(order?: RollbackOrder): Promise<RollbackDone>;
  /**
   * Gives the canary another share.
   *
   * @param share 0-1, or a text such as `"25%"`
   * @throws HANDOVER_ERR_REFUSED_NOT_BAKING, HANDOVER_ERR_OPTION_INVALID
   */
  canary(share: string | number): Promise<CanaryDone>;
  /**
   * Ends the bake: the new generation is kept. A canary gets the rest.
   *
   * @throws HANDOVER_ERR_REFUSED_NOT_BAKING, HANDOVER_ERR_REFUSED_BUSY
   */
  promote(): Promise<PromoteDone>;
  /**
   * Ends the bake by a rollback, or gives up a candidate that is not active yet: the generation before is active (again).
   *
   * @throws HANDOVER_ERR_REFUSED_NOT_BAKING, HANDOVER_ERR_REFUSED_BUSY, HANDOVER_ERR_REFUSED_NO_STANDBY
   */
  abort(): Promise<AbortDone>;
  /**
   * Ends the standby now, for its memory; a rollback needs an earlier version's files from then on.
   *
   * @throws HANDOVER_ERR_REFUSED_NO_STANDBY, HANDOVER_ERR_REFUSED_BUSY
   */
  retire(): Promise<RetireDone>;
  /**
   * Changes the number of workers, of the active generation and of those to come. Settles when as many accept.
   *
   * @param workers 1 to 128
   * @throws HANDOVER_ERR_WORKER_SCALE, HANDOVER_ERR_REFUSED_BUSY, HANDOVER_ERR_OPTION_INVALID
   */
  scale(workers: number): Promise<ScaleDone>;
  /**
   * Takes this machine out of its load balancers: `/ready` and the agent check say so. Whoever comes is served.
   *
   * @param order how long, and whether each answer ends its connection
   * @throws HANDOVER_ERR_REFUSED_STOPPING, HANDOVER_ERR_OPTION_INVALID
   * @example await service.drain({ for: '5m', closeIdle: true });
   */
  drain(order?: DrainOrder): Promise<DrainDone>;
  /**
   * Puts it back.
   *
   * @throws HANDOVER_ERR_REFUSED_STOPPING
   */
  undrain(): Promise<UndrainDone>;
  /** The last 50 generations, oldest first: what they were started from, how long they were active and how they ended. */
  history(): Promise<History>;
  /** What runs now: the phase, each generation with its workers and their measurements, and the history. */
  status(): Promise<Status>;
  /**
   * Stops gracefully, after `drainBefore`: the addresses are closed, what is in flight is answered until `drainTimeout`, the workers end. Settles
   * when the last worker has exited, and `onEvent` was told or 5 s are over; a second call settles with the first.
   */
  close(): Promise<void>;
}
