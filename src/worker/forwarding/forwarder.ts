import type { ServerResponse } from 'node:http';
import { FORWARDING } from '../../protocol/not-of-clients.ts';
import { AS_OPENED } from '../../protocol/opened.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import { Lane } from './lane.ts';

/** A link is closed that was not used from one look to the next, or that nobody has taken: it is asked for again then. */
const LOOK_MS = 5_000;

/** Has a request answered here after all. */
type Stay = (connection: Connection, response: ServerResponse) => void;

/** Forwards requests to the workers that are to answer them, and brings the answers; their connections stay. */
export class Forwarder {
  readonly #lanes = new Map<string, Lane>();
  /** Those that nobody has taken yet, by the ids by which the supervisor says that somebody has. */
  readonly #asked = new Map<string, Lane>();
  /** Where nobody is: not asked again for a while. */
  readonly #refused = new Set<string>();
  readonly #worker: string;
  readonly #channel: Channel;
  readonly #stay: Stay;
  #timer: NodeJS.Timeout | null = null;
  #lastId = 0;
  #isEnding = false;

  constructor(worker: string, channel: Channel, stay: Stay) {
    this.#worker = worker;
    this.#channel = channel;
    this.#stay = stay;
  }

  /** Whether a request that came by a listener can be forwarded there now. Where not, a link is asked for. */
  canReach(to: string, key: string): boolean {
    if (this.#isEnding) return false;
    const lane = this.#lanes.get(to);
    if (!lane && !this.#refused.has(to)) this.#ask(to);
    return lane?.isOpenFor(key) ?? false;
  }

  /** @param request as latin1, as a whole; `canReach` was true in this very moment */
  forward(connection: Connection, response: ServerResponse, request: string, to: string): void {
    this.#lanes.get(to)?.forward(connection, response, request);
  }

  /** A connection is gone from here. */
  forget(connection: Connection): void {
    for (const lane of this.#lanes.values()) lane.forget(connection);
  }

  /** The supervisor says that somebody has the other end of a link. @returns whether it is one */
  onMoved(id: string): boolean {
    const lane = this.#asked.get(id);
    lane?.onTaken();
    return this.#asked.delete(id);
  }

  /** The other end of a link comes back: nobody is there. */
  onReturned(id: string): void {
    const lane = this.#asked.get(id);
    for (const [to, one] of this.#lanes) if (one === lane) this.#refused.add(to);
    lane?.close();
  }

  /** This worker is to end: nothing is forwarded any more. */
  end(): void {
    this.#isEnding = true;
    for (const lane of this.#lanes.values()) lane.end();
  }

  #ask(to: string): void {
    this.#lastId += 1;
    const id = `${this.#worker}:f${this.#lastId}`;
    const lane = new Lane({
      give: (far, secret, done) => {
        const moving = { ...AS_OPENED, id, key: FORWARDING, to, request: secret };
        this.#channel.send({ type: 'connection', ...moving }, far, done);
      },
      stay: this.#stay,
      onClosed: () => {
        this.#lanes.delete(to);
        this.#asked.delete(id);
      }
    });
    this.#lanes.set(to, lane);
    this.#asked.set(id, lane);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    this.#refused.clear();
    for (const lane of this.#lanes.values()) lane.closeUnused();
    if (this.#lanes.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
