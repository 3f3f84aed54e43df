import { isChannelOpen, markDisconnected } from '../internals/ipc.ts';

/**
 * Keeps the channel to the supervisor when the app calls `process.disconnect()`.
 *
 * Some libraries call it. A worker without its channel could not be told to pause, and would answer beside the next version.
 * For the app, `disconnect` is emitted as usual, but `process.connected` stays true.
 *
 * Node calls the same function when the supervisor is gone, and closes the channel in the same turn: then it is really gone.
 */
export function keepChannel(): void {
  let hasBeenTold = false;
  process.disconnect = () => {
    process.nextTick(() => {
      if (!isChannelOpen()) return markDisconnected();
      if (!hasBeenTold) process.emit('disconnect');
      hasBeenTold = true;
    });
  };
}
