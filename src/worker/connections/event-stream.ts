import { ServerResponse } from 'node:http';
import { headOf, isChunked, isEventStream } from '../../internals/http.ts';
import { isFlushed } from '../../internals/net.ts';
import type { Resume } from '../../protocol/kinds.ts';
import { Events } from './event-fields.ts';
import { headerOf, requestHead } from './heads.ts';

/** The property by which a response refers to its stream: null where it is none, undefined where nothing was written yet. */
const STREAM = Symbol('handover.event-stream');
type Marked = ServerResponse & { [STREAM]?: EventStream | null };

/** A response that is a stream of server-sent events: its events are followed, so that it can move or end between two. */
export class EventStream {
  readonly response: ServerResponse;
  readonly #events = new Events();
  /** Whether it is to end as soon as it is between two events. */
  #isToEnd = false;

  constructor(response: ServerResponse) {
    this.response = response;
    const { 'last-event-id': id } = response.req.headers;
    if (typeof id === 'string' && id !== '') this.#events.begin(Buffer.from(id, 'latin1').toString());
  }

  onWrite(chunk: unknown, encoding: unknown): void {
    if (typeof chunk === 'string' && (typeof encoding !== 'string' || encoding === 'utf8')) this.#events.take(chunk);
    else if (typeof chunk === 'string') this.#events.take(Buffer.from(chunk, encoding as BufferEncoding));
    else if (chunk instanceof Uint8Array) this.#events.take(chunk);
    if (this.#isToEnd && this.isBoundary) this.#end();
  }

  get isBoundary(): boolean {
    return this.#events.isBoundary;
  }

  /** Whether another process can go on with it: its client knows where it is, and its bytes are what the app writes. */
  get isResumable(): boolean {
    const { lastId, isUnnumbered } = this.#events;
    const { response } = this;
    const isPlain = isChunked(response) && headerOf(headOf(response), 'content-encoding') === '';
    return lastId !== null && !isUnnumbered && isPlain;
  }

  /** What another process needs to go on with it from here; null where that is not possible at this moment. */
  resume(): Resume | null {
    const { response } = this;
    const { socket, req } = response;
    const { lastId } = this.#events;
    const isAway = !socket || response.destroyed || response.writableEnded || response.writableNeedDrain;
    if (isAway || !this.isBoundary || !this.isResumable || lastId === null) return null;
    if (!isFlushed(socket) || socket.readableLength > 0 || !req.complete) return null;
    return {
      kind: 'event-stream',
      request: requestHead(req, { 'last-event-id': Buffer.from(lastId).toString('latin1') }),
      answer: headOf(response),
      state: null
    };
  }

  /** Ends it as soon as it is between two events. Its client comes back, and says which one it has got last. */
  endAtBoundary(): void {
    this.#isToEnd = true;
    if (this.isBoundary) this.#end();
  }

  /** Takes that back. */
  cancel(): void {
    this.#isToEnd = false;
  }

  #end(): void {
    const { response } = this;
    // In a later turn: the app may go on writing in this one.
    setImmediate(() => {
      if (!this.#isToEnd || response.writableEnded || !this.isBoundary) return;
      this.#isToEnd = false;
      endResponse(response);
    });
  }
}

/** Ends a response that the app would go on with. */
export function endResponse(response: ServerResponse): void {
  response.on('error', () => {}); // what the app still writes fails, which must not end the process
  response.end();
}

/** Ends a stream, between two of its events where that is known. */
export function endEventStream(response: ServerResponse): void {
  const stream = eventStreamOf(response);
  if (stream) stream.endAtBoundary();
  else endResponse(response);
}

/** The stream that a response is; null for every other one. */
export function eventStreamOf(response: ServerResponse): EventStream | null {
  return (response as Marked)[STREAM] ?? null;
}

/**
 * Follows the events of every response that is a stream of them, from its beginning.
 *
 * By a `write` of all responses: only those that are written in parts come by it, and each other response pays nothing.
 */
export function watchEventStreams(): void {
  const { write } = ServerResponse.prototype;
  type Write = (this: ServerResponse, chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
  const watched: Write = function (this: Marked, chunk, encoding, callback) {
    const isTaken = (write as Write).call(this, chunk, encoding, callback);
    const stream = this[STREAM];
    if (stream === null) return isTaken;
    (stream ?? begin(this))?.onWrite(chunk, encoding);
    return isTaken;
  };
  ServerResponse.prototype.write = watched as typeof write;
}

function begin(response: Marked): EventStream | null {
  const isOne = isEventStream(response) && String(response.req.headers.accept).includes('text/event-stream');
  const stream = isOne ? new EventStream(response) : null;
  response[STREAM] = stream;
  return stream;
}
