import type { EventEmitter } from 'node:events';
import type {
  AbortDone,
  History,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone
} from '../control/routes.ts';
import type { Status } from '../core/status.ts';
import type { ServiceEvents } from './events.ts';

/** A supervised service. It is this process that owns the listeners. */
export interface Service extends EventEmitter<ServiceEvents> {
  readonly name: string;
  /** Path of the control socket. */
  readonly socket: string;
  /** Addresses that are owned, as `host:port` or `unix:/path`. */
  readonly addresses: readonly string[];
  /**
   * Hands over to a new generation, of the same entry or another from now on.
   *
   * Settles once the new generation is active and the old one has stopped accepting.
   *
   * @throws HANDOVER_ERR_CANDIDATE_*, HANDOVER_ERR_REFUSED_*; the active generation is still active then
   */
  reload(order?: string | ReloadOrder): Promise<ReloadDone>;
  /**
   * Makes the previous generation active again. Nothing is started, unless an earlier one is named, or the strategy
   * keeps none warm.
   *
   * @throws HANDOVER_ERR_REFUSED_NO_STANDBY, HANDOVER_ERR_REFUSED_REJECTED, HANDOVER_ERR_REFUSED_BUSY
   */
  rollback(order?: RollbackOrder): Promise<RollbackDone>;
  /**
   * Ends the bake: the new generation is kept.
   *
   * @throws HANDOVER_ERR_REFUSED_NOT_BAKING
   */
  promote(): Promise<PromoteDone>;
  /**
   * Ends the bake, or a candidate that is still starting: the generation before is active (again).
   *
   * @throws HANDOVER_ERR_REFUSED_NOT_BAKING
   */
  abort(): Promise<AbortDone>;
  /** Ends the standby now. */
  retire(): Promise<RetireDone>;
  /** Settles when as many workers accept. Generations to come have as many, too. */
  scale(workers: number): Promise<ScaleDone>;
  history(): Promise<History>;
  status(): Promise<Status>;
  /** Stops gracefully: pause, drain, retire. Settles when the last worker has exited. */
  close(): Promise<void>;
}
