import { sealResume } from '../../protocol/kinds.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import type { Detached } from '../connections/detached.ts';

/**
 * The connections that are on their way to another process.
 *
 * Each is kept open here until the supervisor confirms that a receiver has it, so that a lost copy can be sent again.
 */
export class Transit {
  readonly #onWay = new Map<string, { readonly detached: Detached; sent: boolean }>();
  readonly #channel: Channel;
  readonly #worker: string;
  readonly #takeBack: (detached: Detached) => void;
  #lastId = 0;

  constructor(channel: Channel, worker: string, takeBack: (detached: Detached) => void) {
    this.#channel = channel;
    this.#worker = worker;
    this.#takeBack = takeBack;
  }

  get size(): number {
    return this.#onWay.size;
  }

  send(detached: Detached): void {
    const { connection, handle, fresh, resume } = detached;
    this.#lastId += 1;
    const id = `${this.#worker}:${this.#lastId}`;
    const item = { detached, sent: false };
    this.#onWay.set(id, item);
    const { key, pipelines } = connection;
    this.#channel.send(
      { type: 'connection', id, key, fresh, pipelines, resume: sealResume(resume) },
      handle,
      (sent) => {
        item.sent = sent;
        if (!sent && this.#onWay.delete(id)) this.#takeBack(detached);
      }
    );
  }

  /** @returns the connection that has arrived at its receiver; null if it is not known */
  onMoved(id: string): Connection | null {
    const item = this.#onWay.get(id);
    if (!item) return null;
    this.#onWay.delete(id);
    item.detached.handle.close();
    return item.detached.connection;
  }

  /**
   * The supervisor is gone. Connections that it had got are closed here, so that none is served twice; those that were not
   * sent yet are served here again.
   */
  abandon(): void {
    const all = [...this.#onWay.values()];
    this.#onWay.clear();
    for (const { detached, sent } of all) {
      if (sent) detached.handle.close();
      else this.#takeBack(detached);
    }
  }
}
