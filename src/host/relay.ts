import type { Handle } from '../internals/net.ts';
import type { Moving } from '../protocol/messages.ts';
import { descriptorLimit } from './fd-limit.ts';

/** Whoever can take a connection, with the number it is believed to have. */
export interface Heir {
  readonly worker: string;
  readonly connections: number;
}

interface Parcel {
  readonly moving: Moving;
  readonly from: string;
  readonly handle: Handle;
  readonly declined: Set<string>;
  to: string | null;
  /** Whether its sender has been told to forget it: it is only here then. */
  kept: boolean;
}

export interface RelayPorts {
  /** The workers that accept for the active generation now. */
  heirs(): readonly Heir[];
  /** Whether it is worth waiting for an heir where there is none. */
  expectsHeirs(): boolean;
  /** Sends a connection to a worker. `onFailed` is called if it could not be sent. */
  deliver(worker: string, moving: Moving & { readonly last: boolean }, handle: Handle, onFailed: () => void): void;
  /** Tells the worker it came from that somebody has it. */
  confirm(worker: string, id: string): void;
  isAlive(worker: string): boolean;
  onLost(from: string): void;
}

/** How many connections may be on their way to one worker. More would only wait in its queue, before its other news. */
const WINDOW = 16;

/**
 * Carries idle connections from a worker that has paused to those that accept.
 *
 * The supervisor keeps its own copy until the receiver acks, so a receiver that dies on the way costs the client
 * nothing: the copy is dealt to the next one. Nobody on the way reads.
 *
 * Where nobody accepts but somebody will, connections are kept here and their sender may forget them and end. What they
 * are sent meanwhile waits in the kernel.
 *
 * @source ack before forget: nodejs/node lib/internal/cluster (handoff)
 */
export class Relay {
  readonly #parcels = new Map<string, Parcel>();
  /** Those that are on their way to nobody, the longest waiting first. */
  readonly #waiting = new Set<Parcel>();
  /** Of these, the ones that their senders still answer for. */
  readonly #unkept = new Set<Parcel>();
  readonly #onWay = new Map<string, number>();
  readonly #moved = new Map<number, number>();
  readonly #ports: RelayPorts;
  readonly #room: number;
  #kept = 0;
  #dealing = false;

  /** @param room how many connections may be kept here; each is a file descriptor. Beyond that, their senders wait */
  constructor(ports: RelayPorts, room: number = descriptorLimit() / 2) {
    this.#ports = ports;
    this.#room = room;
  }

  /** Connections that have moved away from a generation since the count was last taken. */
  takeCount(generation: number): number {
    const count = this.#moved.get(generation) ?? 0;
    this.#moved.delete(generation);
    return count;
  }

  take(from: string, { id, key, fresh, pipelines }: Moving, handle: Handle): void {
    const moving = { id, key, fresh, pipelines };
    const parcel: Parcel = { moving, from, handle, declined: new Set(), to: null, kept: false };
    this.#parcels.set(id, parcel);
    this.#await(parcel);
    this.#deal();
  }

  onAdopted(worker: string, id: string): void {
    const parcel = this.#parcels.get(id);
    if (parcel?.to !== worker) return;
    this.#recall(parcel);
    this.#forget(parcel);
    if (worker !== parcel.from) {
      const generation = Number.parseInt(parcel.from, 10);
      this.#moved.set(generation, (this.#moved.get(generation) ?? 0) + 1);
    }
    if (!parcel.kept) this.#ports.confirm(parcel.from, id);
    this.#deal();
  }

  onDeclined(worker: string, id: string): void {
    const parcel = this.#parcels.get(id);
    if (parcel?.to !== worker) return;
    parcel.declined.add(worker);
    this.#recall(parcel);
    this.#await(parcel);
    this.#deal();
  }

  /** A worker is gone: what it had not acked goes to another. */
  onGone(worker: string): void {
    for (const parcel of this.#parcels.values()) {
      if (parcel.to !== worker) continue;
      this.#recall(parcel);
      this.#await(parcel);
    }
    this.#deal();
  }

  /** Somebody accepts who did not: connections that nobody could take are dealt again. */
  onHeir(): void {
    this.#deal();
  }

  /** The number of connections on their way to a worker. */
  countTo(worker: string): number {
    return this.#onWay.get(worker) ?? 0;
  }

  close(): void {
    for (const { handle } of this.#parcels.values()) handle.close();
    for (const all of [this.#parcels, this.#waiting, this.#unkept, this.#onWay]) all.clear();
  }

  /** Deals what waits, in order, until whoever is next in line has no room for more. */
  #deal(): void {
    if (this.#dealing) return; // a delivery failed at once: its parcel waits again, and is seen by the round in progress
    this.#dealing = true;
    try {
      for (const parcel of this.#waiting) if (!this.#dealOne(parcel)) return;
    } finally {
      this.#dealing = false;
    }
  }

  /** @returns whether there may be room for the next one */
  #dealOne(parcel: Parcel): boolean {
    const heirs = this.#ports.heirs();
    if (heirs.length === 0 && this.#ports.expectsHeirs()) {
      this.#keep();
      return false;
    }
    const to = this.#choose(parcel, heirs);
    if (to !== null && this.countTo(to) >= WINDOW) return false;
    this.#waiting.delete(parcel);
    this.#unkept.delete(parcel);
    if (to !== null) this.#send(parcel, to, heirs);
    else {
      this.#forget(parcel);
      this.#ports.onLost(parcel.from);
    }
    return true;
  }

  /** The heir with the least connections; where none is willing the sender, if it is there; or nobody. */
  #choose({ declined, from }: Parcel, heirs: readonly Heir[]): string | null {
    const load = ({ worker, connections }: Heir) => connections + this.countTo(worker);
    const best = heirs
      .filter(({ worker }) => !declined.has(worker))
      .reduce<Heir | null>((least, heir) => (least && load(least) <= load(heir) ? least : heir), null);
    if (best) return best.worker;
    return this.#ports.isAlive(from) && !declined.has(from) ? from : null;
  }

  /** Lets the senders of what waits forget it: it is kept here until an heir is there. */
  #keep(): void {
    for (const parcel of this.#unkept) {
      if (this.#kept >= this.#room) return;
      this.#unkept.delete(parcel);
      parcel.kept = true;
      this.#kept += 1;
      this.#ports.confirm(parcel.from, parcel.moving.id);
    }
  }

  #await(parcel: Parcel): void {
    this.#waiting.add(parcel);
    if (!parcel.kept) this.#unkept.add(parcel);
  }

  #send(parcel: Parcel, worker: string, heirs: readonly Heir[]): void {
    parcel.to = worker;
    this.#onWay.set(worker, this.countTo(worker) + 1);
    const { moving, handle } = parcel;
    const last = !heirs.some((heir) => heir.worker === worker);
    this.#ports.deliver(worker, { ...moving, last }, handle, () => this.onDeclined(worker, moving.id));
  }

  /** Takes back what was on its way. */
  #recall(parcel: Parcel): void {
    const { to } = parcel;
    if (to === null) return;
    parcel.to = null;
    const left = this.countTo(to) - 1;
    if (left > 0) this.#onWay.set(to, left);
    else this.#onWay.delete(to);
  }

  #forget(parcel: Parcel): void {
    this.#parcels.delete(parcel.moving.id);
    if (parcel.kept) this.#kept -= 1;
    parcel.handle.close();
  }
}
