import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { finishResponse } from '../../internals/http.ts';
import type { Handle } from '../../internals/net.ts';
import { makePair } from '../../internals/pair.ts';
import { FORWARDING } from '../../protocol/not-of-clients.ts';
import type { Channel } from '../channel.ts';
import { addressesOf, type Connection } from '../connections/connection.ts';
import { type Client, ForwardLink, type Frame } from './forward-link.ts';

/** After so long a link is asked for again that nobody took, and one is closed that was not used. */
const AGAIN_MS = 5_000;
/** What may wait for a process that does not read: whatever else moves to it. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** The other process hears of it when its client has taken so much of an answer. */
const TAKEN_BYTES = 64 * 1024;

interface Forward {
  readonly connection: Connection;
  readonly response: ServerResponse;
  /** The request, as latin1. */
  readonly request: string;
  /** What its client has got, or is about to, and the other process has not heard of. */
  taken: number;
}

/** The way to one destination. */
interface Lane {
  readonly to: string;
  /** By which the supervisor says that somebody has the other end. */
  readonly id: string;
  readonly askedAt: number;
  link: ForwardLink | null;
  /** The end that is on its way. */
  far: Handle | null;
  isOpen: boolean;
  /** Whether it is closed as soon as nothing is on its way. */
  isLeaving: boolean;
  isUnused: boolean;
  readonly streams: Map<Connection, number>;
  readonly onWay: Map<number, Forward>;
}

interface Hands {
  /** The request goes with its connection after all. */
  move(connection: Connection, response: ServerResponse, request: string, to: string): void;
}

/** Forwards requests to the workers that are to answer them, and brings the answers; their connections stay. */
export class Forwarder {
  readonly #lanes = new Map<string, Lane>();
  readonly #worker: string;
  readonly #channel: Channel;
  readonly #hands: Hands;
  #timer: NodeJS.Timeout | null = null;
  #last = 0;
  #isEnding = false;

  constructor(worker: string, channel: Channel, hands: Hands) {
    this.#worker = worker;
    this.#channel = channel;
    this.#hands = hands;
  }

  /** Whether a request can be forwarded there now. Where not, a link is asked for. */
  canReach(to: string): boolean {
    const lane = this.#lanes.get(to);
    if (!lane) this.#ask(to);
    if (!lane?.isOpen || lane.isLeaving || this.#isEnding) return false;
    return (lane.link?.waiting ?? 0) < MOST_WAITING_BYTES;
  }

  /** @param request as latin1, as a whole; `canReach` was true in this very moment */
  forward(connection: Connection, response: ServerResponse, request: string, to: string): void {
    const lane = this.#lanes.get(to);
    if (!lane?.link) return this.#hands.move(connection, response, request, to);
    const stream = lane.streams.get(connection) ?? this.#open(lane, lane.link, connection);
    lane.isUnused = false;
    connection.isForwarding = true;
    connection.forwards += 1;
    lane.onWay.set(stream, { connection, response, request, taken: 0 });
    lane.link.send('request', stream, Buffer.from(request, 'latin1'));
  }

  /** A connection is gone from here. */
  forget(connection: Connection): void {
    for (const lane of this.#lanes.values()) {
      const stream = lane.streams.get(connection);
      if (stream === undefined) continue;
      lane.streams.delete(connection);
      lane.onWay.delete(stream);
      lane.link?.send('gone', stream);
      this.#closeIfDone(lane);
    }
  }

  /** The supervisor says that somebody has the other end of a link. @returns whether it is one */
  onMoved(id: string): boolean {
    const lane = this.#find(id);
    if (!lane) return false;
    lane.far?.close();
    lane.far = null;
    lane.isOpen = true;
    return true;
  }

  /** The other end of a link comes back: nobody is there. */
  onReturned(id: string): void {
    const lane = this.#find(id);
    if (lane) this.#close(lane, true);
  }

  /** This worker is to end: nothing is forwarded any more. */
  end(): void {
    this.#isEnding = true;
    for (const lane of this.#lanes.values()) this.#leave(lane);
  }

  #find(id: string): Lane | undefined {
    return [...this.#lanes.values()].find((lane) => lane.id === id && !lane.isOpen);
  }

  #ask(to: string): void {
    if (this.#isEnding) return;
    this.#last += 1;
    const id = `${this.#worker}:f${this.#last}`;
    const lane: Lane = {
      ...{
        to,
        id,
        askedAt: performance.now(),
        link: null,
        far: null,
        isOpen: false,
        isLeaving: false,
        isUnused: false
      },
      streams: new Map(),
      onWay: new Map()
    };
    this.#lanes.set(to, lane);
    this.#timer ??= setInterval(() => this.#look(), AGAIN_MS).unref();
    makePair((pair) => {
      if (lane.isLeaving) for (const end of [pair?.near, pair?.far]) end?.close();
      if (!pair || lane.isLeaving) return;
      lane.far = pair.far;
      lane.link = new ForwardLink(pair.near, {
        onFrame: (frame, stream, payload) => this.#onFrame(lane, frame, stream, payload),
        onEnd: () => this.#close(lane)
      });
      const secret = randomBytes(16).toString('hex');
      lane.link.send('hello', 0, Buffer.from(secret, 'latin1'));
      const moving = {
        id,
        key: FORWARDING,
        to,
        request: secret,
        fresh: false,
        pipelines: false,
        resume: '',
        tries: ''
      };
      this.#channel.send({ type: 'connection', ...moving, lot: -1, sides: 0 }, pair.far);
    });
  }

  #open(lane: Lane, link: ForwardLink, connection: Connection): number {
    this.#last += 1;
    lane.streams.set(connection, this.#last);
    const client: Client = { key: connection.key, ...addressesOf(connection) };
    link.send('open', this.#last, Buffer.from(JSON.stringify(client)));
    return this.#last;
  }

  #onFrame(lane: Lane, frame: Frame, stream: number, payload: Buffer): void {
    if (frame === 'leaving') return this.#leave(lane);
    const one = lane.onWay.get(stream);
    if (!one) return;
    const { connection, response, request } = one;
    if (frame === 'answer') return this.#answer(lane, stream, one, payload);
    lane.onWay.delete(stream);
    connection.isForwarding = false;
    if (frame === 'refused') this.#hands.move(connection, response, request, lane.to);
    else if (frame === 'gone') connection.socket.destroySoon();
    else if (frame === 'answered') {
      connection.isForwarding = true; // while it is not to be counted as an answer of this worker
      finishResponse(response, connection.socket);
      connection.isForwarding = false;
      if (payload.length > 0) connection.socket.destroySoon();
    }
    this.#closeIfDone(lane);
  }

  #answer(lane: Lane, stream: number, one: Forward, bytes: Buffer): void {
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
    socket.write(bytes, () => lane.link?.send('taken', stream, taken));
  }

  #leave(lane: Lane): void {
    lane.isLeaving = true;
    this.#closeIfDone(lane);
  }

  #closeIfDone(lane: Lane): void {
    if (lane.isLeaving && lane.onWay.size === 0) this.#close(lane);
  }

  /** @param waits whether another link is not to be asked for at once */
  #close(lane: Lane, waits = false): void {
    lane.isLeaving = true;
    if (!waits) this.#lanes.delete(lane.to);
    lane.link?.close();
    lane.link = null;
    lane.far?.close();
    lane.far = null;
    // What was in a process that is gone is lost with it, as it is with a connection that has moved there.
    for (const { connection } of lane.onWay.values()) connection.socket.destroySoon();
    lane.onWay.clear();
  }

  #look(): void {
    const now = performance.now();
    for (const lane of this.#lanes.values()) {
      if (!lane.isOpen) {
        if (now - lane.askedAt >= AGAIN_MS) this.#close(lane);
      } else if (lane.onWay.size === 0 && lane.isUnused) this.#close(lane);
      else lane.isUnused = lane.onWay.size === 0;
    }
    if (this.#lanes.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
