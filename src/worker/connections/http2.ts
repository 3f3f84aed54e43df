import type { ServerHttp2Session } from 'node:http2';
import type net from 'node:net';

/** The open HTTP/2 sessions of the app's servers. Only they show which streams are in progress. */
export class Sessions {
  readonly #open = new Map<net.Server, Set<ServerHttp2Session>>();

  /** Watches a server; one without HTTP/2 never has a session. */
  watch(server: net.Server): void {
    server.on('session', (session: ServerHttp2Session) => {
      const open = this.#open.get(server) ?? new Set();
      this.#open.set(server, open.add(session));
      session.once('close', () => open.delete(session));
    });
  }

  has(server: net.Server): boolean {
    return (this.#open.get(server)?.size ?? 0) > 0;
  }

  /** Lets each session end by itself: the streams in progress are finished, and the client is told to begin no other. */
  end(): void {
    for (const open of this.#open.values()) for (const session of open) session.close();
  }
}
