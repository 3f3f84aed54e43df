import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import type { Connection } from './connection.ts';
import { tellToGoAway } from './http2-goaway.ts';

interface Known {
  readonly server: net.Server;
  readonly session: ServerHttp2Session;
  readonly streams: Set<ServerHttp2Stream>;
  connection: Connection | null;
  /** `performance.now()` when the last stream began, or the session. */
  lastStreamAt: number;
  isTold: boolean;
}

/** The open HTTP/2 sessions of the app's servers. Only they show which streams are in progress. */
export class Sessions {
  readonly #open = new Set<Known>();
  /** Streams that may be of server-sent events: to another method they are answers that are being written. */
  readonly #gets = new WeakSet<ServerHttp2Stream>();
  /** Whether each session is told to end as soon as it is there. */
  #isEnding = false;

  /**
   * Watches a server; one without HTTP/2 never has a session.
   *
   * @param find finds the connection of what stands for the socket of a session
   */
  watch(server: net.Server, find: (socket: net.Socket) => Connection | undefined): void {
    server.on('session', (session: ServerHttp2Session) => {
      const streams = new Set<ServerHttp2Stream>();
      const not = { connection: null, isTold: false };
      const known: Known = { server, session, streams, lastStreamAt: performance.now(), ...not };
      this.#open.add(known);
      session.once('close', () => this.#open.delete(known));
      session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
        known.lastStreamAt = performance.now();
        if (headers[':method'] === 'GET') this.#gets.add(stream);
        streams.add(stream);
        stream.once('close', () => streams.delete(stream));
      });
      // Its connection may be counted only after this.
      setImmediate(() => {
        if (session.destroyed) return;
        known.connection = find(session.socket as net.Socket) ?? null;
        if (known.connection) known.connection.isHttp2 = true;
        if (this.#isEnding) this.#end(known);
      });
    });
  }

  /** Whether a stream is in progress that is no stream of server-sent events. */
  isBusy(server: net.Server): boolean {
    return [...this.#open].some(
      (one) => one.server === server && [...one.streams].some((stream) => !this.#isEventStream(stream))
    );
  }

  /** Ends the streams of server-sent events: nothing else would. */
  endStreams(): void {
    for (const { streams } of this.#open) {
      for (const stream of streams) {
        if (!this.#isEventStream(stream)) continue;
        stream.on('error', () => {}); // what the app still writes fails, which must not end the process
        stream.end();
      }
    }
  }

  has(server: net.Server): boolean {
    return [...this.#open].some((one) => one.server === server);
  }

  /**
   * Lets each session end by itself: the streams in progress are finished, and the client begins the next one on another
   * connection. Sessions that are opened later are told the same, until {@link stay}.
   *
   * @returns how many were told now
   */
  end(): number {
    this.#isEnding = true;
    return [...this.#open].filter((known) => this.#end(known)).length;
  }

  /** Sessions that are opened from now on stay. */
  stay(): void {
    this.#isEnding = false;
  }

  #end(known: Known): boolean {
    const { session, streams, connection, lastStreamAt, isTold } = known;
    if (isTold || session.closed || session.destroyed || connection === null) return false;
    known.isTold = true;
    tellToGoAway(session, connection.secured ? null : connection.socket, streams, lastStreamAt);
    return true;
  }

  #isEventStream(stream: ServerHttp2Stream): boolean {
    return this.#gets.has(stream) && String(stream.sentHeaders?.['content-type']).startsWith('text/event-stream');
  }
}
