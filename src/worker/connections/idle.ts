import type http from 'node:http';
import type net from 'node:net';
import { idleConnections } from '../../internals/http.ts';
import { blockReading } from '../../internals/net.ts';
import type { Connection } from './connection.ts';
import type { Registry } from './registry.ts';

/** The connections of a server that Node itself calls idle. Empty for a server without HTTP/1.1. */
export function findIdle(server: net.Server): Set<net.Socket> {
  // https.Server keeps the same list of connections as http.Server.
  return 'closeIdleConnections' in server ? idleConnections(server as http.Server) : new Set();
}

/**
 * Whether no byte was received here, or none since it came here idle. Node does not call such a connection idle, because it
 * waits for its first head. For one that was taken back, `bytesRead` counts on from before.
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
  for (const connection of registry.connections) {
    if (isUntouched(connection)) idle.add(connection.socket);
    if (connection.isWithheld) idle.delete(connection.socket);
  }
  return idle;
}

/** The connections of a worker that can move now, marked as idle up to the byte that they have read. */
export function findMovable(registry: Registry): Connection[] {
  const idle = findAllIdle(registry);
  const found = [...registry.connections].filter(
    ({ kind, socket, moving, stays }) => kind === 'http1' && !moving && !stays && idle.has(socket)
  );
  for (const connection of found) connection.idleMark = connection.socket.bytesRead;
  return found;
}

/** How long a connection that was ended by FIN is still read before it is destroyed. */
const LINGER_MS = 2_000;

/** Ends a connection without cutting anything off: sends FIN, then keeps reading for a moment. */
export function endGently(socket: net.Socket): void {
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.resume();
}

/** Ends a connection whose client has been silent: sends FIN and reads nothing more. */
export function endUnread(socket: net.Socket): void {
  blockReading(socket);
  socket.on('error', () => {}); // what the app still writes fails, which must not end the process
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
