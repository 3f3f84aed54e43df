import type { IncomingMessage } from 'node:http';
import type { Connection } from '../connections/connection.ts';
import { speaksHttp1 } from '../connections/http1.ts';

/** After so many requests of the other side, one after the other, a connection goes there. */
const MOST_FORWARDS = 8;

/**
 * Whether a request goes alone to the process that is to answer it, while its connection stays: one that clients share, as those of a
 * load balancer, would go to and fro. What is to stay where it is answered, such as a stream of events, takes its connection along;
 * so does what the app answers by more than one answer.
 */
export function isForwardable(connection: Connection, { headers }: IncomingMessage): boolean {
  const { server, sides, forwards, pipelines } = connection;
  // Once there and back again.
  const isShared = sides >= 2 && sides % 2 === 0;
  if (!isShared || forwards >= MOST_FORWARDS || pipelines) return false;
  if (headers.expect !== undefined || headers.upgrade !== undefined || headers.accept?.includes('text/event-stream'))
    return false;
  // The next one may be one too many for Node, and whoever answers does not count those that are not its own.
  return speaksHttp1(server) && !server.maxRequestsPerSocket;
}

/** A connection goes where its request is answered. */
export function goAlong(connection: Connection): void {
  // Where most of its requests are answered it stays, from now on.
  connection.sides += connection.forwards >= MOST_FORWARDS ? 2 : 1;
  connection.forwards = 0;
}
