import https from 'node:https';
import { currentResponse, hasParser } from '../../internals/http.ts';
import { canDetach } from '../../internals/net.ts';
import type { Connection } from './connection.ts';
import { endUnread, isUntouched } from './idle.ts';
import type { Registry } from './registry.ts';

/** Whether a connection can never move: TLS, HTTP/2, raw, or upgraded to an unknown protocol. */
export function isImmovable(connection: Connection): boolean {
  const { socket, kind } = connection;
  if (kind !== 'http1' || !canDetach(socket)) return true;
  return !hasParser(socket) && currentResponse(socket) === null && !isUntouched(connection);
}

/** Whether a connection of an HTTPS server was upgraded, as by a WebSocket: HTTP reads it no more. */
export function isUpgradedBehindTls({ secured, server }: Connection): boolean {
  return server instanceof https.Server && secured !== null && !hasParser(secured) && currentResponse(secured) === null;
}

/** Ends connections that cannot move, each after a moment of silence and none in the middle of a request. */
export class Immovable {
  readonly #registry: Registry;
  #silent = new Map<Connection, number>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /**
   * Ends the connections without a byte since the last look, if their server has no response in progress: behind TLS it
   * cannot be seen which connection a response belongs to.
   *
   * @returns the ones that were ended; they are not read any more
   */
  sweep(connections: readonly Connection[]): Connection[] {
    if (connections.length > 0) this.#registry.sessions.end();
    const answering = new Set(this.#registry.hiddenResponses().map(({ server }) => server));
    const silent = new Map<Connection, number>();
    const ended: Connection[] = [];
    for (const connection of connections) {
      const { socket, server } = connection;
      const bytes = socket.bytesRead + socket.bytesWritten;
      const isBusy = answering.has(server) || this.#registry.sessions.has(server);
      if (isBusy || this.#silent.get(connection) !== bytes) silent.set(connection, bytes);
      else ended.push(connection);
    }
    for (const { socket } of ended) endUnread(socket);
    this.#silent = silent;
    return ended;
  }
}
