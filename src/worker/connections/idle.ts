import type http from 'node:http';
import type net from 'node:net';
import { idleConnections } from '../../internals/http.ts';
import { blockReading } from '../../internals/net.ts';
import type { Connection, Registry } from './registry.ts';

/** The connections of a server on which nothing is going on, by Node's own judgement. Empty for a server without HTTP/1.1. */
export function findIdle(server: net.Server): Set<net.Socket> {
  // https.Server keeps the same book as http.Server.
  return 'closeIdleConnections' in server ? idleConnections(server as http.Server) : new Set();
}

/**
 * Never a byte received here, or none since it came here to be idle: not idle to Node, which waits for its first head, but
 * nothing is going on. A connection that was taken back has been counting its bytes all the while.
 */
export function isUntouched({ socket, kind, parked, idleMark }: Connection): boolean {
  return kind === 'http1' && socket.bytesRead === (parked ? idleMark : 0) && !socket.destroyed;
}

/** Every idle socket of a worker: what Node calls idle, what was never used, and what waits after a move. */
export function findAllIdle(registry: Registry): Set<net.Socket> {
  const idle = new Set<net.Socket>();
  for (const server of new Set([...registry.connections].map(({ server }) => server))) {
    for (const socket of findIdle(server)) idle.add(socket);
  }
  for (const connection of registry.connections) if (isUntouched(connection)) idle.add(connection.socket);
  return idle;
}

/** How long the client of a connection that ends may still talk before it is cut. */
const LINGER_MS = 2_000;

/** Ends a connection without cutting anything off: FIN, then keep reading for a moment. */
export function endGently(socket: net.Socket): void {
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.resume();
}

/** Ends a connection whose client has been silent: FIN, and what it says after all is not heard any more. */
export function endUnread(socket: net.Socket): void {
  blockReading(socket);
  socket.on('error', () => {}); // what the app still writes goes nowhere, and is no reason to end the process
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
