import { hasParser, isBetweenRequests } from '../../internals/http.ts';
import type { Handle } from '../../internals/net.ts';
import type { Resume } from '../../protocol/kinds.ts';
import type { Connection } from './connection.ts';
import { detach, isQuiet, speaksHttp1 } from './http1.ts';
import { isUntouched } from './idle.ts';

/** A connection taken off its server: it is not read, and what its client sends waits in the kernel. */
export interface Detached {
  readonly connection: Connection;
  readonly handle: Handle;
  /** Whether it has never been used. */
  readonly fresh: boolean;
  /** What it takes to go on in the middle of an answer. */
  readonly resume: Resume | null;
  /** What has been read of it and nobody has answered, as latin1. */
  readonly request: string;
}

/** Whether the connection is idle, so that it can be taken off its server in this very tick. */
export function isIdle(connection: Connection): boolean {
  const { socket, server, isWithheld } = connection;
  if (isWithheld || !isQuiet(socket)) return false;
  if (isUntouched(connection) || connection.idleMark === socket.bytesRead) return true;
  // An upgraded connection has no HTTP parser any more.
  return speaksHttp1(server) && hasParser(socket) && isBetweenRequests(server, socket);
}

/** Takes a connection off its server. The caller found it idle in this very tick. */
export function takeOff(connection: Connection, resume: Resume | null = null, request = ''): Detached {
  const fresh = resume === null && request === '' && isUntouched(connection) && !connection.parked;
  connection.moving = true;
  return { connection, handle: detach(connection.socket), fresh, resume, request };
}
