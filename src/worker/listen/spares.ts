import type { Handle } from '../../internals/net.ts';
import type { Channel } from '../channel.ts';

/**
 * A copy of each listener of the service, and with it the kernel's queue, whatever becomes of the supervisor.
 *
 * Nobody accepts on them: they are for the next supervisor.
 */
export class Spares {
  readonly #handles = new Map<string, Handle>();

  get keys(): readonly string[] {
    return [...this.#handles.keys()];
  }

  keep(key: string, handle: Handle): void {
    this.drop(key);
    handle.unref?.();
    this.#handles.set(key, handle);
  }

  /** @returns a copy that is the caller's from now on */
  take(key: string): Handle | undefined {
    const handle = this.#handles.get(key);
    this.#handles.delete(key);
    return handle;
  }

  drop(key: string): void {
    this.take(key)?.close();
  }

  dropAll(): void {
    for (const key of this.keys) this.drop(key);
  }

  /** Gives a copy of each to the next supervisor. */
  give(channel: Channel): void {
    for (const [key, handle] of this.#handles) channel.send({ type: 'kept', key }, handle);
  }
}
