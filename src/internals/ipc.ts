import type { ChildProcess } from 'node:child_process';
import type { Handle } from './net.ts';

// What the IPC channel between parent and child does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10.

type RawSend = (message: object, handle: Handle | undefined, done: (error: Error | null) => void) => boolean;

/**
 * Sends a message, with a raw handle where there is one, over an IPC channel.
 *
 * Documented for `net.Socket` and `net.Server` only; a raw handle is sent as it is, without being read from.
 */
export function sendHandle(
  channel: ChildProcess | NodeJS.Process,
  message: object,
  handle: Handle | undefined,
  done: (error: Error | null) => void
): void {
  (channel.send as unknown as RawSend).call(channel, message, handle, done);
}

/** Listens to messages whose `cmd` begins with `NODE_`; they never reach `on('message')`. */
export function onInternalMessage(
  channel: ChildProcess | NodeJS.Process,
  listener: (message: unknown, handle: Handle | undefined) => void
): void {
  (channel as NodeJS.EventEmitter).on('internalMessage', listener);
}

/**
 * Whether our end of the IPC channel is still open: its file descriptor, which only Node's own types leave out.
 *
 * Node calls `process.disconnect()` itself when the parent is gone, and closes the channel in the same turn.
 *
 * Missing: false, as if the parent were gone.
 */
export function isChannelOpen(): boolean {
  return typeof (process.channel as { fd?: unknown } | undefined)?.fd === 'number';
}

/** Does the rest of `process.disconnect()` for a channel that Node has closed already. */
export function markDisconnected(): void {
  if (!process.connected) return;
  process.connected = false;
  process.emit('disconnect');
}

/** How often it is looked whether the IPC channel has ended, since Node does not always say so. */
const LOOK_MS = 500;

/**
 * Listens for the end of the IPC channel without keeping the process alive: an app that is done may still exit.
 *
 * Node delays `disconnect` until each handle that was sent is acknowledged, which never happens if the receiver was killed:
 * so the channel is polled as well.
 *
 * Missing: the app's process stays until it is told to end.
 */
export function onQuietDisconnect(listener: () => void): void {
  const end = () => {
    if (process.connected) return; // the app gave up the channel, and we kept it
    clearInterval(timer);
    process.off('disconnect', end);
    listener();
  };
  const timer = setInterval(() => process.connected || end(), LOOK_MS);
  timer.unref();
  process.on('disconnect', end);
  (process.channel as { unrefCounted?(): void } | undefined)?.unrefCounted?.();
}
