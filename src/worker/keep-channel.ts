import { isChannelOpen, markDisconnected } from '../internals/ipc.ts';

/**
 * Keeps the channel to the supervisor when the app gives it up with `process.disconnect()`.
 *
 * Libraries call it that want no parent. A worker without its channel could not be told to pause, and would answer beside
 * the next version. To the app it has happened: `disconnect` is emitted. But `process.connected` stays true.
 *
 * Node calls the same function when the supervisor is gone, and closes the channel in the same turn: then it is the end.
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
