import type net from 'node:net';
import { attachConnection, type Handle } from '../../internals/net.ts';
import type { Arrival } from './arrival.ts';
import { adopt, speaksHttp1 } from './http1.ts';
import type { Connection, Registry } from './registry.ts';

/**
 * Gives a connection that another process accepted to a server of this one, counted in its registry.
 *
 * @param onParked called with one that has been used before: it waits for its next request
 */
export function giveConnection(
  registry: Registry,
  server: net.Server,
  handle: Handle,
  { key, fresh, pipelines, last, private: isPrivate }: Arrival,
  onParked: (connection: Connection) => void
): void {
  if (!speaksHttp1(server)) {
    const socket = attachConnection(server, handle);
    registry.add(server, socket, key).private = isPrivate;
    server.emit('connection', socket);
    return;
  }
  adopt(server, handle, fresh, (socket) => {
    const connection = Object.assign(registry.add(server, socket, key), { private: isPrivate, pipelines, stays: last });
    if (!fresh) onParked(connection);
  });
}
