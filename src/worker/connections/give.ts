import type net from 'node:net';
import { attachConnection, type Handle } from '../../internals/net.ts';
import type { Resume } from '../../protocol/kinds.ts';
import type { Arrival } from './arrival.ts';
import type { Connection } from './connection.ts';
import { adopt, speaksHttp1 } from './http1.ts';
import type { Registry } from './registry.ts';
import { Resumption } from './resumption.ts';

/**
 * Gives a connection that another process accepted to a server of this one, counted in its registry.
 *
 * @param onParked called with one that has been used before: it waits for its next request
 * @param onSettled called for one in the middle of an answer: with why the app does not go on with it, or with nothing
 */
export function giveConnection(
  registry: Registry,
  server: net.Server,
  handle: Handle,
  { key, fresh, pipelines, last, resume, request, lot, sides = 0, tries, private: isPrivate }: Arrival,
  onParked: (connection: Connection) => void,
  onSettled: (refused: string) => void = () => {}
): void {
  if (!speaksHttp1(server)) {
    const socket = attachConnection(server, handle);
    Object.assign(registry.add(server, socket, key), { private: isPrivate, lot, sides });
    server.emit('connection', socket);
    return;
  }
  if (resume) return resumeConnection(registry, server, handle, { key, resume, last }, onSettled);
  const known = { private: isPrivate, pipelines, stays: last, lot, sides };
  if (request !== '') {
    const socket = attachConnection(server, handle);
    // It is not to be taken for an idle one: these bytes are not counted as read.
    Object.assign(registry.add(server, socket, key), known, { parked: true, isExempt: true, tries });
    socket.unshift(Buffer.from(request, 'latin1'));
    server.emit('connection', socket);
    return;
  }
  adopt(server, handle, fresh, (socket) => {
    const connection = Object.assign(registry.add(server, socket, key), known);
    if (!fresh) onParked(connection);
  });
}

function resumeConnection(
  registry: Registry,
  server: net.Server,
  handle: Handle,
  { key, resume, last }: Pick<Arrival, 'key' | 'last'> & { readonly resume: Resume },
  onSettled: (refused: string) => void
): void {
  const socket = attachConnection(server, handle);
  const connection = registry.add(server, socket, key);
  connection.stays = last;
  connection.resumption = new Resumption(socket, resume, (refused) => {
    connection.resumption = null;
    onSettled(refused);
  });
  server.emit('connection', socket);
  connection.resumption?.replay();
}
