import type { Channel } from './channel.ts';

/** A stand-in for a channel of Node's own: nothing of it keeps the process alive. */
const NOTHING = { ref() {}, unref() {}, hasRef: () => false };

/**
 * Gives the app what it would have if it had been forked: `process.send()`, `process.connected`, `process.disconnect()`.
 *
 * What it sends goes to the supervisor; nothing comes back. It stays connected whoever supervises: an app that sends to a
 * supervisor that is gone would end by the error that plain Node throws there.
 */
export function beAppChannel(channel: Channel): void {
  if (process.channel) return; // somebody else has forked it
  let hasBeenTold = false;
  const send = (message: unknown, ...rest: unknown[]): boolean => {
    if (message === undefined) throw missing();
    const callback = rest.find((one) => typeof one === 'function') as ((error: Error | null) => void) | undefined;
    channel.sendOfApp(message, () => callback && process.nextTick(callback, null));
    return true;
  };
  // Some libraries give the channel up. They are told that it is, and what others send still arrives.
  const disconnect = () => {
    process.nextTick(() => {
      if (!hasBeenTold) process.emit('disconnect');
      hasBeenTold = true;
    });
  };
  Object.assign(process, { send, disconnect, connected: true, channel: NOTHING });
}

/** As Node says it. */
function missing(): TypeError {
  const code = 'ERR_MISSING_ARGS';
  return Object.assign(new TypeError('The "message" argument must be specified'), { code });
}
