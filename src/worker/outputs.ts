import type { Handle } from '../internals/net.ts';
import type { Channel } from './channel.ts';

/**
 * The other ends of this worker's own stdout and stderr. Nobody reads them here.
 *
 * As long as they are open, what the app writes neither fails nor is lost while there is no supervisor: it waits in the
 * kernel for the next one.
 */
export class Outputs {
  readonly #ends = new Map<number, Handle>();

  keep(fd: number, end: Handle): void {
    this.#ends.get(fd)?.close();
    end.unref?.();
    this.#ends.set(fd, end);
  }

  /** Gives a copy of each to the next supervisor. */
  give(channel: Channel): void {
    for (const [fd, end] of this.#ends) channel.send({ type: 'kept-output', fd }, end);
  }

  /** Nobody will read them any more: what is written fails, as under a plain shell whose pipe has ended. */
  close(): void {
    for (const end of this.#ends.values()) end.close();
    this.#ends.clear();
  }
}
