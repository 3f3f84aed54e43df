import { onInternalMessage, sendHandle } from '../internals/ipc.ts';
import type { Handle } from '../internals/net.ts';
import type { ToSupervisor, ToWorker } from '../protocol/messages.ts';
import { parse, seal } from '../protocol/parse.ts';

/** The worker's end of the conversation with its supervisor. */
export class Channel {
  #open = true;

  /**
   * Sends a message, and a connection with it where there is one.
   *
   * @param done called once: with true when the kernel has taken it, with false when the supervisor is gone
   */
  send(message: ToSupervisor, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    if (!this.#open || !process.connected) {
      done(false);
      return;
    }
    sendHandle(process, seal(message), handle, (error) => done(error === null || error === undefined));
  }

  /** Listens to the supervisor. Messages that are not of the protocol are Node's own, and left alone. */
  listen(onMessage: (message: ToWorker, handle: Handle | undefined) => void): void {
    onInternalMessage(process, (raw, handle) => {
      const parsed = parse<ToWorker>(raw);
      if (parsed && 'message' in parsed) onMessage(parsed.message, handle);
    });
  }

  close(): void {
    this.#open = false;
  }
}
