import type net from 'node:net';
import type { SocketInside } from './net.ts';

// Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** Where a connection comes from and goes to. */
export interface Ends {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/**
 * Both addresses of a socket, without leaving a trace on it: what Node keeps there the first time it is asked makes it another kind
 * of socket for V8. Missing: it leaves its trace.
 */
export function endsOf(socket: net.Socket): Ends {
  const { _handle: handle } = socket as unknown as SocketInside;
  const remote: Partial<net.AddressInfo> = {};
  const local: Partial<net.AddressInfo> = {};
  if (!handle?.getpeername || !handle.getsockname) {
    const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = socket;
    return { remoteAddress, remotePort, remoteFamily, localAddress, localPort };
  }
  handle.getpeername(remote);
  handle.getsockname(local);
  return {
    ...{ remoteAddress: remote.address, remotePort: remote.port, remoteFamily: remote.family },
    ...{ localAddress: local.address, localPort: local.port }
  };
}
