import type net from 'node:net';

/** Closes a server when the signal that its `listen()` was given is aborted, the way Node does. */
export function closeOnAbort(server: net.Server, signal: AbortSignal): void {
  const close = () => void server.close();
  if (signal.aborted) {
    process.nextTick(close);
    return;
  }
  signal.addEventListener('abort', close, { once: true });
  server.once('close', () => signal.removeEventListener('abort', close));
}
