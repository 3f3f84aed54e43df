import type net from 'node:net';
import type { Handle } from '../internals/net.ts';
import { openResume } from '../protocol/kinds.ts';
import type { Moving, ToWorker } from '../protocol/messages.ts';
import { FORWARDING, PRIVATE_ID, REHEARSAL } from '../protocol/not-of-clients.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { Busy } from './busy.ts';
import type { Channel } from './channel.ts';
import type { Arrival } from './connections/arrival.ts';
import type { Connection } from './connections/connection.ts';
import type { Detached } from './connections/detached.ts';
import { giveConnection } from './connections/give.ts';
import type { Registry } from './connections/registry.ts';
import { ForwardedRequests } from './forwarding/forwarded-requests.ts';
import type { Servers } from './listen/servers.ts';
import { Rehearsal } from './rehearsal/rehearsal.ts';
import type { Router } from './routing/router.ts';

interface Hands {
  readonly channel: Channel;
  readonly settings: WorkerSettings;
  readonly registry: Registry;
  readonly servers: Servers;
}

/** Gives connections to the app's servers that come from elsewhere: from other workers, or back from this one. */
export class Arrivals {
  /** What comes without its connection. */
  readonly forwarded: ForwardedRequests;
  readonly #hands: Hands;
  readonly #router: Pick<Router, 'onArrived' | 'forwarder'>;
  readonly #onParked: (connection: Connection) => void;
  readonly #busy = new Busy();
  #rehearsal: Rehearsal | null = null;

  /** @param onParked called with a connection that has been used before, and has arrived */
  constructor(
    hands: Hands,
    router: Pick<Router, 'onArrived' | 'forwarder'>,
    onParked: (connection: Connection) => void
  ) {
    this.#hands = hands;
    this.#router = router;
    this.#onParked = onParked;
    this.forwarded = new ForwardedRequests(hands.registry, (key) => hands.servers.ownerOf(key)?.server);
  }

  /** A connection moves here. */
  adopt(moving: Extract<ToWorker, { type: 'adopt' }>, handle: Handle | undefined): void {
    const { id, key } = moving;
    const { channel, servers } = this.#hands;
    if (handle && key.startsWith(REHEARSAL)) return this.#rehearsal?.onReturned(moving, handle);
    if (handle && key === FORWARDING) return this.#takeLink(moving, handle);
    const owner = servers.ownerOf(key);
    if (!owner || !handle) {
      handle?.close();
      return channel.send({ type: 'declined', id });
    }
    const adopted = (refused: string) => channel.send({ type: 'adopted', id, busy: this.#busy.take(), refused });
    const resume = openResume(moving.resume);
    const give = () => this.#give(owner.server, handle, { ...moving, resume, private: id === PRIVATE_ID }, adopted);
    if (moving.request !== '') {
      // It is said before the app sees the request: if this process ends meanwhile, nobody else may answer it once more.
      this.#router.onArrived(id);
      return channel.send({ type: 'adopted', id, busy: this.#busy.take(), refused: '' }, undefined, give);
    }
    give();
    if (!resume) adopted('');
  }

  /** A connection of this worker's own is served here again. */
  takeBack({ connection, handle, fresh, resume, request }: Detached): void {
    this.#give(connection.server, handle, { ...connection, fresh, resume, request, last: false });
  }

  /** Before the first server of the app accepts. */
  rehearse(): void {
    const { channel, settings } = this.#hands;
    if (this.#rehearsal || !settings.rehearses) return;
    this.#rehearsal = new Rehearsal(channel, settings);
    void this.#rehearsal.run();
  }

  /** Another worker forwards requests; or it is an own link, which nobody has taken. */
  #takeLink({ id, request }: Moving, handle: Handle): void {
    const { channel, settings } = this.#hands;
    if (id.startsWith(`${settings.worker}:`)) {
      handle.close();
      this.#router.forwarder.onReturned(id);
    } else this.forwarded.take(handle, request);
    channel.send({ type: 'adopted', id, busy: this.#busy.take(), refused: '' });
  }

  #give(server: net.Server, handle: Handle, arrival: Arrival, onSettled?: (refused: string) => void): void {
    giveConnection(this.#hands.registry, server, handle, arrival, this.#onParked, onSettled);
  }
}
