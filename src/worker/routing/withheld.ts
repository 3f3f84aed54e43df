import type { IncomingMessage, ServerResponse } from 'node:http';
import { currentResponse, isInRequest } from '../../internals/http.ts';
import { blockReading, canDetach, isFlushed } from '../../internals/net.ts';
import type { Connection } from '../connections/connection.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import { isPartOfChunked, writeRequest } from './request-bytes.ts';

/** How long it is waited for the rest of what has been read in part, so that it can leave as a whole. */
const REST_MS = 1_000;
/** How soon a connection is looked at again that cannot leave yet. */
const AGAIN_MS = 2;

export interface Request {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** By what event the app would have heard of it. */
  event: string;
}

interface Hands {
  /** It can leave now, with these bytes before what has not been read of it. */
  leave(bytes: string, to: string): void;
  /** Whether a request can be answered elsewhere while its connection stays. */
  mayForward(request: Request, to: string): boolean;
  /** It is answered elsewhere, with these bytes. */
  forward(request: Request, bytes: string, to: string): void;
  /** Its requests are the app's. @param why it cannot leave; null where it is not to */
  stay(requests: readonly Request[], why: string | null): void;
  /** There is nothing to leave any more. */
  drop(): void;
}

/**
 * The requests of one connection that the app is not to see: one that belongs elsewhere, or of which that is being asked, and
 * what has been read behind it.
 *
 * They leave together, as soon as every answer before them has left.
 */
export class Withheld {
  readonly #connection: Connection;
  readonly #hands: Hands;
  readonly #requests: Request[] = [];
  /** Where it belongs: the number of a generation, or the id of a worker; null while that is asked. */
  #to: string | null = null;
  #letRead: (() => void) | null = null;
  #since = 0;
  #isOver = false;

  /** @param to where it belongs; null: to this worker after all */
  constructor(connection: Connection, to: string | Promise<string | null>, hands: Hands) {
    this.#connection = connection;
    this.#hands = hands;
    // Not in the next tick: those run after each part of a body, in the middle of what Node parses.
    if (typeof to === 'string') setImmediate(() => this.#begin(to));
    else void to.then((found) => setImmediate(() => this.#begin(found)));
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.expect !== undefined) response.writeContinue = () => {}; // whoever answers says so
    this.#requests.push({ request, response, event: 'request' });
  }

  /** Node tells the app of one of them. */
  withhold(request: unknown, event: string): void {
    const one = this.#requests.find((known) => known.request === request);
    if (one) one.event = event;
  }

  /** Its connection is gone. */
  end(): void {
    this.#isOver = true;
  }

  #begin(to: string | null): void {
    this.#to = to;
    if (to !== null) return this.#look();
    if (!this.#isOver) this.#finish(() => this.#hands.stay(this.#requests, null));
  }

  #look(): void {
    const { socket } = this.#connection;
    const [first] = this.#requests;
    const last = this.#requests.at(-1);
    if (this.#isOver || !first || !last) return;
    if (socket.destroyed) return this.#finish(() => this.#hands.drop());
    const isGivenUp = first.response.socket === null;
    // Node itself has answered: no Host, too many requests on one connection.
    if (!isGivenUp && (first.response.headersSent || first.response.writableEnded) && isOwn(first.response, socket))
      return this.#finish(() => this.#hands.stay(this.#requests.slice(1), 'answered'));
    const earlier = currentResponse(socket);
    if (earlier !== first.response && !(isGivenUp && earlier === null)) {
      this.#letRead ??= blockReading(socket);
      if (earlier) earlier.once('close', () => setImmediate(() => this.#look()));
      else setTimeout(() => this.#look(), AGAIN_MS);
      return;
    }
    const to = this.#to ?? '';
    if (first === last && first.request.complete && !isGivenUp && this.#hands.mayForward(first, to))
      return this.#finish(() => this.#hands.forward(first, writeRequest(first.request), to));
    if (isPartOfChunked(last.request)) return this.#awaitRest('chunked');
    if (last.request.complete && this.#hasPartOfNext()) return this.#awaitRest('part of a next request');
    if (!isFlushed(socket) || !canDetach(socket)) {
      setTimeout(() => this.#look(), AGAIN_MS);
      return;
    }
    this.#finish(() => {
      const bytes = this.#requests.map(({ request }) => writeRequest(request)).join('');
      if (!isGivenUp) first.response.detachSocket(socket);
      this.#hands.leave(bytes, to);
    });
  }

  /** Whether the parser has a part of a head that its client has sent ahead: those bytes nobody can give away. */
  #hasPartOfNext(): boolean {
    const { server, socket } = this.#connection;
    return speaksHttp1(server) && (isInRequest(server, socket) ?? true);
  }

  /** Reads on until what has been read in part is here as a whole. */
  #awaitRest(of: string): void {
    this.#letRead?.();
    this.#letRead = null;
    const now = performance.now();
    this.#since ||= now;
    if (now - this.#since < REST_MS) setTimeout(() => this.#look(), AGAIN_MS);
    else this.#finish(() => this.#hands.stay(this.#requests, of));
  }

  #finish(end: () => void): void {
    this.#isOver = true;
    this.#letRead?.();
    end();
  }
}

/** Whether a response is the one that is being written, or was the last one, on a socket. */
function isOwn(response: ServerResponse, socket: Connection['socket']): boolean {
  const current = currentResponse(socket);
  return current === null || current === response;
}

/** Tells the app of a request that was withheld from it, as Node would have. */
export function giveToApp({ server }: Connection, { request, response, event }: Request): void {
  const expects = Object.hasOwn(response, 'writeContinue');
  if (expects) Reflect.deleteProperty(response, 'writeContinue');
  if (expects && event === 'request') response.writeContinue();
  server.emit(event, request, response);
}
