import type { Handle } from '../internals/net.ts';
import type { Moving, ToSupervisor } from '../protocol/messages.ts';
import { FORWARDING } from '../protocol/not-of-clients.ts';
import { fdLimit } from './fd-limit.ts';

/** Whoever can take a connection, with the number it is believed to have. */
export interface Receiver {
  readonly worker: string;
  readonly connections: number;
}

interface Transfer {
  readonly moving: Moving;
  readonly from: string;
  readonly handle: Handle;
  readonly declined: Set<string>;
  to: string | null;
  /** Whether its sender has been told to forget it: it is only here then. */
  kept: boolean;
}

type Adopted = Pick<Extract<ToSupervisor, { type: 'adopted' }>, 'id' | 'busy' | 'refused'>;

export interface RelayPorts {
  /** The workers that accept for the active generation now. */
  receivers(): readonly Receiver[];
  /** The workers that can take what is meant for a generation, or for one worker; none where nobody of them is there. */
  receiversOf(to: string): readonly Receiver[];
  /** Whether it is worth waiting for an receiver where there is none. */
  expectsReceivers(): boolean;
  /** Sends a connection to a worker. `onFailed` is called if it could not be sent. */
  deliver(worker: string, moving: Moving & { readonly last: boolean }, handle: Handle, onFailed: () => void): void;
  /** Tells the worker it came from that somebody has it, and how busy that one is. */
  confirm(worker: string, id: string, busy: number): void;
  isAlive(worker: string): boolean;
  onMoved(from: string, moving: Moving, refused: string): void;
  onLost(from: string): void;
}

/** How many connections may be on their way to one worker. More would only wait in its queue, before its other news. */
const WINDOW = 16;

/**
 * Carries idle connections from a worker that has paused to those that accept, and others with a request to whoever is to
 * answer it. Where nobody of those is there, that goes back to its sender.
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
  readonly #transfers = new Map<string, Transfer>();
  /** Those that are on their way to nobody, by whom they are meant for, the longest waiting first: none waits for those of others. */
  readonly #waiting = new Map<string, Set<Transfer>>();
  /** Of these, the ones that their senders still answer for. */
  readonly #unkept = new Set<Transfer>();
  readonly #onWay = new Map<string, number>();
  readonly #arrived = new Set<string>();
  readonly #ports: RelayPorts;
  readonly #room: number;
  #kept = 0;
  #dealing = false;

  /** @param room how many connections may be kept here; each is a file descriptor. Beyond that, their senders wait */
  constructor(ports: RelayPorts, room: number = fdLimit() / 2) {
    this.#ports = ports;
    this.#room = room;
  }

  /** Whether no connection is on its way. */
  get isEmpty(): boolean {
    return this.#transfers.size === 0;
  }

  /** Under an earlier supervisor these have arrived, of which their senders may not have heard. */
  knowArrived(ids: Iterable<string>): void {
    for (const id of ids) this.#arrived.add(id);
  }

  take(
    from: string,
    { id, key, fresh, pipelines, resume, to, request, lot, sides, tries }: Moving,
    handle: Handle
  ): void {
    if (this.#arrived.delete(id)) {
      handle.close();
      return this.#ports.confirm(from, id, 0);
    }
    const moving = { id, key, fresh, pipelines, resume, to, request, lot, sides, tries };
    const transfer: Transfer = { moving, from, handle, declined: new Set(), to: null, kept: false };
    this.#transfers.set(id, transfer);
    this.#await(transfer);
    this.#deal();
  }

  /**
   * @param busy of the receiver, 0-1
   * @param refused why its app did not go on with what another had begun; empty where it did
   */
  onAdopted(worker: string, { id, busy, refused }: Adopted): void {
    const transfer = this.#transfers.get(id);
    if (transfer?.to !== worker) return;
    this.#recall(transfer);
    this.#forget(transfer);
    if (worker !== transfer.from) this.#ports.onMoved(transfer.from, transfer.moving, refused);
    if (!transfer.kept) this.#ports.confirm(transfer.from, id, busy);
    this.#deal();
  }

  onDeclined(worker: string, id: string): void {
    const transfer = this.#transfers.get(id);
    if (transfer?.to !== worker) return;
    transfer.declined.add(worker);
    this.#recall(transfer);
    this.#await(transfer);
    this.#deal();
  }

  /** A worker is gone: what it had not acked goes to another. */
  onGone(worker: string): void {
    for (const transfer of this.#transfers.values()) {
      if (transfer.to !== worker) continue;
      this.#recall(transfer);
      this.#await(transfer);
    }
    this.#deal();
  }

  /** Somebody accepts who did not: connections that nobody could take are dealt again. */
  onReceiver(): void {
    this.#deal();
  }

  /** The number of connections on their way to a worker. */
  countTo(worker: string): number {
    return this.#onWay.get(worker) ?? 0;
  }

  close(): void {
    for (const { handle } of this.#transfers.values()) handle.close();
    for (const all of [this.#transfers, this.#waiting, this.#unkept, this.#onWay]) all.clear();
  }

  /** Deals what waits, in order, until whoever is next in line has no room for more. */
  #deal(): void {
    if (this.#dealing) return; // a delivery failed at once: its transfer waits again, and is seen by the round in progress
    this.#dealing = true;
    try {
      for (const waiting of this.#waiting.values()) for (const transfer of waiting) if (!this.#dealOne(transfer)) break;
    } finally {
      this.#dealing = false;
    }
  }

  /** @returns whether there may be room for the next one */
  #dealOne(transfer: Transfer): boolean {
    const { to: meant } = transfer.moving;
    const receivers = meant === '' ? this.#ports.receivers() : this.#ports.receiversOf(meant);
    if (meant === '' && receivers.length === 0 && this.#ports.expectsReceivers()) {
      this.#keep();
      return false;
    }
    const to = this.#choose(transfer, receivers);
    if (to !== null && this.countTo(to) >= WINDOW) return false;
    const waiting = this.#waiting.get(meant);
    waiting?.delete(transfer);
    if (waiting?.size === 0) this.#waiting.delete(meant);
    this.#unkept.delete(transfer);
    if (to !== null) this.#send(transfer, to, receivers);
    else {
      this.#forget(transfer);
      if (transfer.moving.key !== FORWARDING) this.#ports.onLost(transfer.from);
    }
    return true;
  }

  /** The receiver with the least connections; where none is willing the sender, if it is there; or nobody. */
  #choose({ declined, from, moving }: Transfer, receivers: readonly Receiver[]): string | null {
    const load = ({ worker, connections }: Receiver) => connections + this.countTo(worker);
    const willing = receivers.filter(({ worker }) => !declined.has(worker));
    // All requests that its sender forwards go over a link, whatever it counts: those of several senders to several.
    if (moving.key === FORWARDING && willing.length > 0)
      return willing[(numberOf(from) - 1) % willing.length]?.worker ?? null;
    const best = willing.reduce<Receiver | null>(
      (least, receiver) => (least && load(least) <= load(receiver) ? least : receiver),
      null
    );
    if (best) return best.worker;
    return this.#ports.isAlive(from) && !declined.has(from) ? from : null;
  }

  /** Lets the senders of what waits forget it: it is kept here until an receiver is there. */
  #keep(): void {
    for (const transfer of this.#unkept) {
      if (this.#kept >= this.#room) return;
      this.#unkept.delete(transfer);
      transfer.kept = true;
      this.#kept += 1;
      this.#ports.confirm(transfer.from, transfer.moving.id, 0);
    }
  }

  #await(transfer: Transfer): void {
    const { to: meant } = transfer.moving;
    this.#waiting.set(meant, (this.#waiting.get(meant) ?? new Set()).add(transfer));
    // A request is not kept here: it goes on at once, or back.
    if (!transfer.kept && meant === '') this.#unkept.add(transfer);
  }

  #send(transfer: Transfer, worker: string, receivers: readonly Receiver[]): void {
    transfer.to = worker;
    this.#onWay.set(worker, this.countTo(worker) + 1);
    const { moving, handle } = transfer;
    // What comes back because nobody of those it was meant for is there may move as before.
    const last = moving.to === '' && !receivers.some((receiver) => receiver.worker === worker);
    this.#ports.deliver(worker, { ...moving, last }, handle, () => this.onDeclined(worker, moving.id));
  }

  /** Takes back what was on its way. */
  #recall(transfer: Transfer): void {
    const { to } = transfer;
    if (to === null) return;
    transfer.to = null;
    const left = this.countTo(to) - 1;
    if (left > 0) this.#onWay.set(to, left);
    else this.#onWay.delete(to);
  }

  #forget(transfer: Transfer): void {
    this.#transfers.delete(transfer.moving.id);
    if (transfer.kept) this.#kept -= 1;
    transfer.handle.close();
  }
}

/** The number of a worker in its generation, from 1 on. */
function numberOf(worker: string): number {
  return Number(worker.split('.')[1]) || 1;
}
