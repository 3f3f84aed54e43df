import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { finishResponse } from '../../internals/http.ts';
import { type Handle, isFlushed } from '../../internals/net.ts';
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
  /** How long its socket may be silent: meanwhile that is for the other process to say. 0: as long as it likes. */
  readonly silentMs: number;
  /** What its client has got, or is about to, and the other process has not heard of. */
  taken: number;
}

interface Hands {
  /** Gives the other end of the link to whoever answers there; `secret` is what this end says first. `done` is called once. */
  give(far: Handle, secret: string, done: () => void): void;
  /** A request without a body is answered here after all. */
  stay(connection: Connection, response: ServerResponse): void;
  onClosed(): void;
}

/** The way to one destination: a link, once somebody has its other end, and what is on its way over it. */
export class Lane {
  readonly #hands: Hands;
  readonly #streams = new Map<Connection, number>();
  readonly #onWay = new Map<number, Forward>();
  /** By key of a listener: whether whoever has the other end serves it; false where that is not known. */
  readonly #serves = new Map<string, boolean>();
  #link: ForwardLink | null = null;
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
      this.#link = new ForwardLink(pair.near, {
        onFrame: (frame, stream, payload) => this.#onFrame(frame, stream, payload),
        onEnd: () => this.close()
      });
      const secret = randomBytes(16).toString('hex');
      this.#link.send('hello', 0, Buffer.from(secret, 'latin1'));
      hands.give(pair.far, secret, () => pair.far.close());
    });
  }

  /** Whether requests that came by a listener can be forwarded now. Where it is not known, it is asked. */
  isOpenFor(key: string): boolean {
    const link = this.#link;
    if (!link || !this.#isTaken || this.#isLeaving) return false;
    if (!this.#serves.has(key)) {
      this.#serves.set(key, false);
      link.send('asks', 0, Buffer.from(key));
    }
    return this.#serves.get(key) === true && link.waiting < MOST_WAITING_BYTES;
  }

  /** Somebody has the other end. */
  onTaken(): void {
    this.#isTaken = true;
  }

  /** @param request as latin1, as a whole; the lane is open for it in this very moment */
  forward(connection: Connection, response: ServerResponse, request: string): void {
    if (!this.#link) return;
    const stream = this.#streams.get(connection) ?? this.#show(connection, this.#link);
    this.#wasUsed = true;
    connection.isForwarding = true;
    connection.forwards += 1;
    const { socket } = connection;
    const silentMs = socket.timeout ?? 0;
    if (silentMs > 0) socket.setTimeout(0);
    this.#onWay.set(stream, { connection, response, silentMs, taken: 0 });
    this.#link.send('request', stream, Buffer.from(request, 'latin1'));
  }

  /** A connection is gone from here. */
  forget(connection: Connection): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    this.#streams.delete(connection);
    this.#link?.send('gone', stream);
    this.#forgetRequest(stream);
  }

  /** This worker is to end: the lane is closed as soon as nothing is on its way. */
  end(): void {
    this.#link?.send('leaving', 0);
    this.#leave();
  }

  /** Closes it where it was not used since this was last asked, or nobody has taken it. */
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
    // What was in a process that is gone is lost with it, as it is with a connection that has moved there.
    for (const one of this.#onWay.values()) this.#lose(one);
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
    if (frame === 'serves') return void this.#serves.set(payload.toString(), true);
    const one = this.#onWay.get(stream);
    if (!one) return;
    const { socket } = one.connection;
    const finish = () => {
      if (this.#onWay.get(stream) === one) this.#finish(stream, one, payload.length > 0);
    };
    if (frame === 'answer') this.#answer(stream, one, payload);
    else if (frame === 'refused') this.#refuse(stream, one);
    else if (frame === 'gone') {
      this.#lose(one);
      this.#forgetRequest(stream);
    } else if (frame === 'answered') {
      // Node, too, goes on when the last byte has left: a client that reads slowly is not silent.
      if (isFlushed(socket) || !socket.writable) finish();
      else socket.write('', finish);
    }
  }

  #forgetRequest(stream: number): void {
    this.#onWay.delete(stream);
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

  /** Its app there has just closed the server. */
  #refuse(stream: number, one: Forward): void {
    const { connection, response } = one;
    this.#serves.delete(connection.key);
    this.#forgetRequest(stream);
    // A body was read, and is gone.
    if (response.req.headers['content-length'] ?? response.req.headers['transfer-encoding']) return this.#lose(one);
    connection.isForwarding = false;
    if (!connection.socket.destroyed) this.#hands.stay(connection, response);
  }

  #lose({ connection: { socket }, silentMs }: Forward): void {
    if (silentMs > 0) socket.setTimeout(silentMs);
    socket.destroySoon();
  }

  /** @param isLast whether the connection ends */
  #finish(stream: number, { connection, response, silentMs }: Forward, isLast: boolean): void {
    const { socket } = connection;
    this.#forgetRequest(stream);
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
