import type net from 'node:net';
import tls from 'node:tls';
import type { SocketInside } from './net.ts';

// What `node:tls` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** The socket that a TLS connection runs over, or the socket itself. Missing: private requests over TLS are counted as public ones. */
export function carrierOf(socket: net.Socket): net.Socket {
  return (socket as unknown as SocketInside)._parent ?? socket;
}

interface ServerInside {
  sessionIdContext?: string;
  ticketKeys?: Buffer;
  _sharedCreds?: { context?: { setSessionIdContext?(context: string): void } };
}

/** The one of a server that was given none: Node makes it from the arguments of the process, which differ between versions. */
let usualContext: string | undefined;

/** Whether an app has given a server keys of its own, when it made the server. */
export function hasOwnTicketKeys(server: tls.Server): boolean {
  return (server as unknown as ServerInside).ticketKeys !== undefined;
}

/**
 * Gives a server that has none of its own the session id context that all processes share: without the same one, no session
 * of another process is resumed.
 *
 * Missing: each client makes a full handshake when it comes to another process.
 */
export function shareSessionContext(server: tls.Server, context: string): void {
  const inside = server as unknown as ServerInside;
  usualContext ??= (new tls.Server() as unknown as ServerInside).sessionIdContext;
  if (inside.sessionIdContext !== undefined && inside.sessionIdContext !== usualContext) return;
  inside._sharedCreds?.context?.setSessionIdContext?.(context);
}
