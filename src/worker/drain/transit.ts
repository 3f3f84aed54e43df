import { sealResume } from '../../protocol/kinds.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import type { Detached } from '../connections/detached.ts';

/** After so long, a connection that could not be sent is served here again. */
const RETRY_MS = 20;

interface Item {
  readonly detached: Detached;
  readonly to: string;
  readonly tries: string;
  /** Whether a supervisor may have got it. */
  sent: boolean;
}

/**
 * The connections that are on their way to another process.
 *
 * Each is kept open here until the supervisor confirms that a receiver has it, so that a lost copy can be sent again.
 */
export class Transit {
  readonly #onWay = new Map<string, Item>();
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

  /**
   * @param to the number of a generation, or the id of a worker; empty: whoever accepts
   * @param tries where it goes back to unless it is answered with 2xx; empty: any answer will do
   */
  send(detached: Detached, to = '', tries = ''): void {
    this.#lastId += 1;
    const id = `${this.#worker}:${this.#lastId}`;
    const item = { detached, to, tries, sent: false };
    this.#onWay.set(id, item);
    this.#offer(id, item);
  }

  /** Offers all that are on their way to the next supervisor, by the same ids: receivers know which of them have arrived. */
  sendAgain(): void {
    for (const [id, item] of this.#onWay) this.#offer(id, item);
  }

  #offer(id: string, item: Item): void {
    const { detached, to, tries } = item;
    const { connection, handle, fresh, resume, request } = detached;
    const { key, pipelines, lot, sides } = connection;
    this.#channel.send(
      { type: 'connection', id, key, fresh, pipelines, resume: sealResume(resume), to, request, lot, sides, tries },
      handle,
      (sent) => {
        item.sent ||= sent;
        // Not at once: it would be offered again, without end. Where the supervisor is gone, it waits for the next one.
        if (!item.sent) setTimeout(() => this.#giveUp(id, item), RETRY_MS).unref();
      }
    );
  }

  #giveUp(id: string, item: Item): void {
    if (item.sent || !this.#channel.isOpen || this.#onWay.get(id) !== item) return;
    this.#onWay.delete(id);
    this.#takeBack(item.detached);
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
