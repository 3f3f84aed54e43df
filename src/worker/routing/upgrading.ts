import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import { currentResponse } from '../../internals/http.ts';
import { blockReading } from '../../internals/net.ts';
import { type Connection, connectionOf } from '../connections/connection.ts';
import type { Destination } from './destinations.ts';
import { writeHead } from './request-bytes.ts';

interface Hands {
  find(connection: Connection, request: IncomingMessage): Destination;
  /** Counts why it is answered here, although it belongs elsewhere. */
  count(why: string): false;
  leave(connection: Connection, bytes: string, to: string): void;
}

/**
 * Brings a request for an upgrade to the process that is to answer it.
 *
 * @param args what the app would be told with
 * @returns whether the app is not to hear of it
 */
export function takesUpgrade(server: net.Server, args: readonly unknown[], hands: Hands): boolean {
  const [request, socket, head] = args as [IncomingMessage, net.Socket, Buffer];
  const connection = connectionOf(socket);
  if (!connection || connection.private) return false;
  const isFinal = connection.isExempt;
  connection.isExempt = false;
  const to = isFinal ? null : hands.find(connection, request);
  if (to === null) return false;
  if (currentResponse(socket)) return hands.count('upgrade behind another request');
  const letRead = blockReading(socket);
  const settle = (found: string | null) => {
    if (socket.destroyed) return;
    letRead();
    if (found === null) {
      connection.isExempt = true;
      server.emit('upgrade', ...args);
      return;
    }
    connection.registry.requests += 1; // it was not counted as a request, and is taken off when it leaves
    hands.leave(connection, writeHead(request) + head.toString('latin1'), found);
  };
  void Promise.resolve(to).then((found) => setImmediate(settle, found));
  return true;
}
