import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';

/** The open HTTP/2 sessions of the app's servers. Only they show which streams are in progress. */
export class Sessions {
  readonly #open = new Map<net.Server, Set<ServerHttp2Session>>();
  /** Streams that may be of server-sent events: to another method they are answers that are being written. */
  readonly #gets = new WeakSet<ServerHttp2Stream>();
  readonly #streams = new Map<net.Server, Set<ServerHttp2Stream>>();

  /** Watches a server; one without HTTP/2 never has a session. */
  watch(server: net.Server): void {
    server.on('session', (session: ServerHttp2Session) => {
      const open = this.#open.get(server) ?? new Set();
      this.#open.set(server, open.add(session));
      session.once('close', () => open.delete(session));
      session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
        if (headers[':method'] === 'GET') this.#gets.add(stream);
        const streams = this.#streams.get(server) ?? new Set();
        this.#streams.set(server, streams.add(stream));
        stream.once('close', () => streams.delete(stream));
      });
    });
  }

  /** Whether a stream is in progress that is no stream of server-sent events. */
  isBusy(server: net.Server): boolean {
    return [...(this.#streams.get(server) ?? [])].some((stream) => !this.#isEventStream(stream));
  }

  /** Ends the streams of server-sent events: nothing else would. */
  endStreams(): void {
    for (const streams of this.#streams.values()) {
      for (const stream of streams) {
        if (!this.#isEventStream(stream)) continue;
        stream.on('error', () => {}); // what the app still writes fails, which must not end the process
        stream.end();
      }
    }
  }

  has(server: net.Server): boolean {
    return (this.#open.get(server)?.size ?? 0) > 0;
  }

  /** Lets each session end by itself: the streams in progress are finished, and the client is told to begin no other. */
  end(): void {
    for (const open of this.#open.values()) for (const session of open) session.close();
  }

  #isEventStream(stream: ServerHttp2Stream): boolean {
    return this.#gets.has(stream) && String(stream.sentHeaders?.['content-type']).startsWith('text/event-stream');
  }
}
