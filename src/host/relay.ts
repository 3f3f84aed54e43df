import type { Handle } from '../internals.ts';

/** Whoever can take a connection, with the number it is believed to have. */
export interface Heir {
  readonly worker: string;
  readonly connections: number;
}

interface Parcel {
  readonly id: string;
  readonly key: string;
  readonly fresh: boolean;
  readonly from: string;
  readonly handle: Handle;
  readonly declined: Set<string>;
  to: string | null;
}

export interface RelayPorts {
  /** The workers that accept for the active generation now. */
  heirs(): readonly Heir[];
  /** Whether it is worth waiting for an heir where there is none. */
  expectsHeirs(): boolean;
  /** Sends a connection to a worker. `onFailed` is called if it could not be sent. */
  deliver(
    worker: string,
    parcel: { readonly id: string; readonly key: string; readonly fresh: boolean; readonly last: boolean },
    handle: Handle,
    onFailed: () => void
  ): void;
  /** Tells the worker it came from that somebody has it. */
  confirm(worker: string, id: string): void;
  isAlive(worker: string): boolean;
  onLost(from: string): void;
}

/**
 * Carries idle connections from a worker that has paused to those that accept.
 *
 * The supervisor keeps its own copy until the receiver acks, so a receiver that dies on the way costs the client
 * nothing: the copy is dealt to the next one. Nobody on the way reads.
 *
 * @source ack before forget: nodejs/node lib/internal/cluster (handoff)
 */
export class Relay {
  readonly #parcels = new Map<string, Parcel>();
  readonly #moved = new Map<number, number>();
  readonly #ports: RelayPorts;

  constructor(ports: RelayPorts) {
    this.#ports = ports;
  }

  /** Connections that have moved away from a generation since the count was last taken. */
  takeCount(generation: number): number {
    const count = this.#moved.get(generation) ?? 0;
    this.#moved.delete(generation);
    return count;
  }

  take(from: string, message: { id: string; key: string; fresh: boolean }, handle: Handle): void {
    const { id, key, fresh } = message;
    const parcel: Parcel = { id, key, fresh, from, handle, declined: new Set(), to: null };
    this.#parcels.set(id, parcel);
    this.#deal(parcel);
  }

  onAdopted(worker: string, id: string): void {
    const parcel = this.#parcels.get(id);
    if (parcel?.to !== worker) return;
    this.#parcels.delete(id);
    parcel.handle.close();
    if (worker !== parcel.from) {
      const generation = Number.parseInt(parcel.from, 10);
      this.#moved.set(generation, (this.#moved.get(generation) ?? 0) + 1);
    }
    this.#ports.confirm(parcel.from, id);
  }

  onDeclined(worker: string, id: string): void {
    const parcel = this.#parcels.get(id);
    if (parcel?.to !== worker) return;
    parcel.declined.add(worker);
    parcel.to = null;
    this.#deal(parcel);
  }

  /** A worker is gone: what it had not acked goes to another. */
  onGone(worker: string): void {
    for (const parcel of this.#parcels.values()) {
      if (parcel.to !== worker) continue;
      parcel.to = null;
      this.#deal(parcel);
    }
  }

  /** Somebody accepts who did not: connections that nobody could take are dealt again. */
  onHeir(): void {
    for (const parcel of this.#parcels.values()) if (parcel.to === null) this.#deal(parcel);
  }

  /** The number of connections on their way to a worker. */
  countTo(worker: string): number {
    let count = 0;
    for (const parcel of this.#parcels.values()) if (parcel.to === worker) count += 1;
    return count;
  }

  close(): void {
    for (const { handle } of this.#parcels.values()) handle.close();
    this.#parcels.clear();
  }

  #deal(parcel: Parcel): void {
    const heirs = this.#ports.heirs();
    const willing = heirs.filter(({ worker }) => !parcel.declined.has(worker));
    const load = ({ worker, connections }: Heir) => connections + this.countTo(worker);
    const best = willing.reduce<Heir | null>(
      (least, heir) => (least && load(least) <= load(heir) ? least : heir),
      null
    );
    if (best) return this.#send(parcel, best.worker, false);
    if (heirs.length === 0 && this.#ports.expectsHeirs()) return; // it waits here until somebody accepts
    if (this.#ports.isAlive(parcel.from) && !parcel.declined.has(parcel.from))
      return this.#send(parcel, parcel.from, true);
    this.#parcels.delete(parcel.id);
    parcel.handle.close();
    this.#ports.onLost(parcel.from);
  }

  #send(parcel: Parcel, worker: string, last: boolean): void {
    parcel.to = worker;
    const { id, key, fresh, handle } = parcel;
    this.#ports.deliver(worker, { id, key, fresh, last }, handle, () => {
      if (this.#parcels.get(id)?.to !== worker) return;
      parcel.to = null;
      parcel.declined.add(worker);
      this.#deal(parcel);
    });
  }
}
