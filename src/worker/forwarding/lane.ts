import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { finishResponse } from '../../internals/http.ts';
import type { Handle } from '../../internals/net.ts';
import { makePair } from '../../internals/pair.ts';
import { addressesOf, type Connection } from '../connections/connection.ts';
import { type Client, ForwardLink, type Frame } from './forward-link.ts';

/** What may wait for a process that does not read: whatever else moves to it. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** The other process hears of it when its client has taken so much of an answer. */
const TAKEN_BYTES = 64 * 1024;

interface Forward {
  readonly connection: Connection;
  readonly response: ServerResponse;
  /** The request, as latin1. */
  readonly request: string;
  /** How long its socket may be silent: meanwhile that is for the other process to say. 0: as long as it likes. */
  readonly silentMs: number;
  /** What its client has got, or is about to, and the other process has not heard of. */
  taken: number;
}

interface Hands {
  /** Gives the other end of the link to whoever answers there; `secret` is what this end says first. */
  give(far: Handle, secret: string): void;
  /** The request goes with its connection after all. */
  move(connection: Connection, response: ServerResponse, request: string): void;
  onClosed(): void;
}

/** The way to one destination: a link, once somebody has its other end, and what is on its way over it. */
export class Lane {
  readonly askedAt = performance.now();
  readonly #hands: Hands;
  readonly #streams = new Map<Connection, number>();
  readonly #onWay = new Map<number, Forward>();
  #link: ForwardLink | null = null;
  /** The end that is on its way. */
  #far: Handle | null = null;
  #isTaken = false;
  #isLeaving = false;
  #isClosed = false;
  #wasUsed = true;
  #last = 0;

  constructor(hands: Hands) {
    this.#hands = hands;
    makePair((pair) => {
      if (this.#isClosed) for (const end of [pair?.near, pair?.far]) end?.close();
      if (!pair || this.#isClosed) return;
      this.#far = pair.far;
      this.#link = new ForwardLink(pair.near, {
        onFrame: (frame, stream, payload) => this.#onFrame(frame, stream, payload),
        onEnd: () => this.close()
      });
      const secret = randomBytes(16).toString('hex');
      this.#link.send('hello', 0, Buffer.from(secret, 'latin1'));
      hands.give(pair.far, secret);
    });
  }

  /** Whether somebody has the other end. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  get isOpen(): boolean {
    return this.#isTaken && !this.#isLeaving && (this.#link?.waiting ?? MOST_WAITING_BYTES) < MOST_WAITING_BYTES;
  }

  onTaken(): void {
    this.#isTaken = true;
    this.#far?.close();
    this.#far = null;
  }

  /** @param request as latin1, as a whole; the lane is open in this very moment */
  forward(connection: Connection, response: ServerResponse, request: string): void {
    if (!this.#link) return this.#hands.move(connection, response, request);
    const stream = this.#streams.get(connection) ?? this.#show(connection, this.#link);
    this.#wasUsed = true;
    connection.isForwarding = true;
    connection.forwards += 1;
    const { socket } = connection;
    const silentMs = socket.timeout ?? 0;
    if (silentMs > 0) socket.setTimeout(0);
    this.#onWay.set(stream, { connection, response, request, silentMs, taken: 0 });
    this.#link.send('request', stream, Buffer.from(request, 'latin1'));
  }

  /** A connection is gone from here. */
  forget(connection: Connection): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    this.#streams.delete(connection);
    this.#onWay.delete(stream);
    this.#link?.send('gone', stream);
    this.#closeIfDone();
  }

  /** This worker is to end: the lane is closed as soon as nothing is on its way. */
  end(): void {
    this.#link?.send('leaving', 0);
    this.#leave();
  }

  /** Closes it where it was not used since this was last asked. */
  closeUnused(): void {
    if (this.#onWay.size > 0) return;
    if (this.#wasUsed) this.#wasUsed = false;
    else this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isLeaving = true;
    this.#link?.close();
    this.#link = null;
    this.#far?.close();
    this.#far = null;
    // What was in a process that is gone is lost with it, as it is with a connection that has moved there.
    for (const { connection } of this.#onWay.values()) connection.socket.destroySoon();
    this.#onWay.clear();
    this.#hands.onClosed();
  }

  #show(connection: Connection, link: ForwardLink): number {
    this.#last += 1;
    this.#streams.set(connection, this.#last);
    const client: Client = { key: connection.key, ...addressesOf(connection) };
    link.send('open', this.#last, Buffer.from(JSON.stringify(client)));
    return this.#last;
  }

  #onFrame(frame: Frame, stream: number, payload: Buffer): void {
    if (frame === 'leaving') return this.#leave();
    const one = this.#onWay.get(stream);
    if (!one) return;
    if (frame === 'answer') return this.#answer(stream, one, payload);
    this.#onWay.delete(stream);
    if (frame === 'refused') this.#refuse(one);
    else if (frame === 'gone') one.connection.socket.destroySoon();
    else if (frame === 'answered') this.#finish(one, payload.length > 0);
    this.#closeIfDone();
  }

  #answer(stream: number, one: Forward, bytes: Buffer): void {
    const { socket } = one.connection;
    if (!socket.writable) return;
    one.taken += bytes.length;
    if (one.taken < TAKEN_BYTES) {
      socket.write(bytes);
      return;
    }
    const taken = Buffer.alloc(4);
    taken.writeUInt32BE(one.taken);
    one.taken = 0;
    socket.write(bytes, () => this.#link?.send('taken', stream, taken));
  }

  #refuse({ connection, response, request }: Forward): void {
    connection.isForwarding = false;
    this.#hands.move(connection, response, request);
  }

  /** @param isLast whether the connection ends */
  #finish({ connection, response, silentMs }: Forward, isLast: boolean): void {
    const { socket } = connection;
    finishResponse(response, socket); // still as one that is forwarded, so that it does not count as an answer of this worker
    connection.isForwarding = false;
    if (silentMs > 0 && !socket.timeout) socket.setTimeout(silentMs);
    if (isLast) socket.destroySoon();
  }

  #leave(): void {
    this.#isLeaving = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#isLeaving && this.#onWay.size === 0) this.close();
  }
}
