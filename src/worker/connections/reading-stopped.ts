import { hasParser, isBetweenRequests } from '../../internals/http.ts';
import { blockReading } from '../../internals/net.ts';
import type { Connection } from './connection.ts';
import { speaksHttp1 } from './http1.ts';

/**
 * Connections that are not read for now: what their clients send waits in the kernel, and moves with the connection.
 *
 * Only for clients that send requests ahead, whose connections would never be idle otherwise. While a connection is not
 * read, it is not noticed that its client has left.
 */
export class ReadingStopped {
  readonly #readAgain = new Map<Connection, () => void>();

  has(connection: Connection): boolean {
    return this.#readAgain.has(connection);
  }

  /** Stops reading a connection, if that is possible at this moment. */
  add(connection: Connection): void {
    const { socket, server, pipelines } = connection;
    if (!pipelines || socket.destroyed || this.has(connection) || !speaksHttp1(server)) return;
    // Only where no part of a next request has been read, since the rest of it must be read to be answered.
    if (hasParser(socket) && isBetweenRequests(server, socket)) this.#readAgain.set(connection, blockReading(socket));
  }

  /** Reads a connection again. */
  release(connection: Connection): void {
    this.#readAgain.get(connection)?.();
    this.drop(connection);
  }

  /** Forgets a connection that has left this process. */
  drop(connection: Connection): void {
    this.#readAgain.delete(connection);
  }

  /** Reads every one of them again. */
  clear(): void {
    for (const connection of [...this.#readAgain.keys()]) this.release(connection);
  }
}
