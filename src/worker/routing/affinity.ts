import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import { readValue } from '../../core/routing/choose.ts';
import type { By } from '../../core/routing/plan.ts';
import { headOf } from '../../internals/http.ts';
import { MOST_CLAIMS } from '../../protocol/claims.ts';
import type { Channel } from '../channel.ts';
import { addressesOf, connectionOf } from '../connections/connection.ts';

/** The most values that go in one message. */
const BATCH = 1_000;
/** How long the supervisor may take to say who knows a value. */
const ANSWER_MS = 5_000;
/** How much of the beginning of a body is looked at for a value. */
const BODY_BYTES = 2_048;

type Settle = (owner: string) => void;

/** Knows which values of clients (sessions, say) this process knows, and asks who knows the others. */
export class Affinity {
  readonly #by: By;
  readonly #worker: string;
  readonly #channel: Channel;
  /** The worker that knows a value, by value; the oldest first. */
  readonly #owners = new Map<string, string>();
  readonly #asks = new Map<number, Settle>();
  #lastAsk = 0;

  constructor(by: By, worker: string, channel: Channel) {
    this.#by = by;
    this.#worker = worker;
    this.#channel = channel;
  }

  /** The value of a request; undefined where it has none. */
  find({ headers, url = '', socket }: IncomingMessage): string | undefined {
    const by = this.#by;
    // The only thing of it that the system is asked for.
    const address = by.kind === 'ip' && by.header === null ? addressOf(socket) : undefined;
    return readValue(by, { headers, url, address });
  }

  /** The worker that knows a value, as far as it is known here. */
  ownerOf(value: string): string | undefined {
    return this.#owners.get(value);
  }

  /**
   * Asks who knows a value. Settles after a moment at the latest, as if nobody did.
   *
   * @param claims whether this worker does from now on, where nobody did
   * @returns the id of a worker; empty where nobody knows it
   */
  ask(value: string, claims: boolean): Promise<string> {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    return new Promise((done) => {
      const settle = (owner: string) => {
        clearTimeout(overdue);
        this.#asks.delete(ask);
        if (owner !== '') this.#note(value, owner);
        done(owner);
      };
      const overdue = setTimeout(() => settle(''), ANSWER_MS);
      this.#asks.set(ask, settle);
      this.#channel.send({ type: 'whose', ask, value, claims });
    });
  }

  onOwner(ask: number, owner: string): void {
    this.#asks.get(ask)?.(owner);
  }

  /** A worker is gone, and what it knew with it. */
  onOwnerGone(worker: string): void {
    for (const [value, owner] of this.#owners) if (owner === worker) this.#owners.delete(value);
  }

  /** This worker knows a value from now on. It is said before the client can hear of it. */
  claim(value: string): void {
    if (value === '' || this.#owners.get(value) === this.#worker) return;
    this.#note(value, this.#worker);
    this.#channel.send({ type: 'claim', values: [value] });
  }

  /** Tells the next supervisor all that is known here. */
  claimAgain(): void {
    const own = [...this.#owners].flatMap(([value, owner]) => (owner === this.#worker ? [value] : []));
    for (let at = 0; at < own.length; at += BATCH)
      this.#channel.send({ type: 'claim', values: own.slice(at, at + BATCH) });
  }

  /** Learns the value that an answer gives to its client. */
  watch(response: ServerResponse): void {
    const by = this.#by;
    if (by.kind === 'header' || by.kind === 'cookie') this.#watchHead(response, by.kind, by.name);
    else if (by.kind === 'query' && this.find(response.req) === undefined) this.#watchBody(response, by.name);
  }

  #watchHead(response: ServerResponse, kind: 'header' | 'cookie', name: string): void {
    const writeHead = response.writeHead as (...given: unknown[]) => ServerResponse;
    const pattern = kind === 'header' ? headerPattern(name) : cookiePattern(name);
    response.writeHead = ((...given: unknown[]) => {
      const written = writeHead.apply(response, given);
      const value = pattern.exec(headOf(response))?.[1];
      if (value) this.claim(value);
      return written;
    }) as typeof response.writeHead;
  }

  /** Engine.IO gives its session in the body: `{"sid":"..."}`. */
  #watchBody(response: ServerResponse, name: string): void {
    const pattern = new RegExp(`"${escapePattern(name)}":"([^"\\\\]{1,200})"`);
    const { write, end } = response;
    for (const method of ['write', 'end'] as const) {
      const original = response[method] as (...given: unknown[]) => unknown;
      (response as unknown as Record<string, unknown>)[method] = (...given: unknown[]) => {
        Object.assign(response, { write, end }); // not deleted: V8 handles what has lost a property slowly
        const [chunk] = given;
        const isText = typeof chunk === 'string' || Buffer.isBuffer(chunk);
        const value = isText ? pattern.exec(String(chunk.slice(0, BODY_BYTES)))?.[1] : undefined;
        if (value) this.claim(value);
        return original.apply(response, given);
      };
    }
  }

  #note(value: string, owner: string): void {
    this.#owners.delete(value);
    // A copy: a part of a text keeps the whole of it, such as all cookies of a request, in memory.
    this.#owners.set(Buffer.from(value).toString(), owner);
    const [oldest] = this.#owners.keys();
    if (this.#owners.size > MOST_CLAIMS && oldest !== undefined) this.#owners.delete(oldest);
  }
}

function addressOf(socket: net.Socket): string | undefined {
  const connection = connectionOf(socket);
  return connection ? addressesOf(connection).remoteAddress : socket.remoteAddress;
}

function headerPattern(name: string): RegExp {
  return new RegExp(`^${escapePattern(name)}: *([^\r\n]{1,500}?) *\r?$`, 'im');
}

function cookiePattern(name: string): RegExp {
  return new RegExp(`^set-cookie: *${escapePattern(name)}="?([^;"\r\n]{1,500})`, 'im');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
