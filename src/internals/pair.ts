import { randomBytes } from 'node:crypto';
import type { Handle } from './net.ts';
import { bindings, type RawPipe } from './pipes.ts';

// Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** Both ends of a connection: one to keep, and one to give away. */
export interface Pair {
  readonly near: Handle;
  readonly far: Handle;
}

/**
 * Makes a connection between this process and another one, which is given its end. Node has no `socketpair(2)`: for a moment this
 * process listens in Linux' abstract namespace, and lets in one. Who that was is for the two ends to find out.
 *
 * Missing, as on other systems: none is made.
 *
 * @param onMade called once, null where there is none
 */
export function makePair(onMade: (pair: Pair | null) => void): void {
  const { Pipe, PipeConnectWrap, constants } = bindings().pipe;
  const name = `\0handover.${randomBytes(16).toString('hex')}`;
  const server = new Pipe(constants.SERVER);
  const near = new Pipe(constants.SOCKET);
  let far: RawPipe | null = null;
  let isConnected = false;
  const settle = (failed: boolean) => {
    if (!failed && (!far || !isConnected)) return;
    server.onconnection = null;
    server.close();
    request.oncomplete = () => {};
    if (!failed && far) return onMade({ near, far });
    far?.close();
    near.close();
    onMade(null);
  };
  const request = new PipeConnectWrap();
  request.oncomplete = (status) => {
    isConnected = status === 0;
    settle(status !== 0);
  };
  server.onconnection = (status, client) => {
    if (far) return client?.close();
    far = (client as RawPipe | undefined) ?? null;
    settle(status !== 0 || !far);
  };
  if ((server.bind(name) || server.listen(1) || near.connect(request, name)) !== 0) settle(true);
}
