import type net from 'node:net';
import type { SocketInside } from './net.ts';

// What `node:tls` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** The socket that a TLS connection runs over, or the socket itself. Missing: private requests over TLS are counted as public ones. */
export function carrierOf(socket: net.Socket): net.Socket {
  return (socket as unknown as SocketInside)._parent ?? socket;
}
