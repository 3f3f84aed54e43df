import { randomBytes } from 'node:crypto';
import type { WorkerProcess } from './processes/worker-process.ts';

/** What `tls.Server.setTicketKeys()` takes. */
const KEYS_BYTES = 48;
/** A server has one set of keys: each change of it costs each client one full handshake. */
const ROTATE_MS = 24 * 60 * 60 * 1_000;

/**
 * The keys with which every worker of every generation encrypts its TLS session tickets, so that a client resumes its session
 * wherever it comes. They are kept in memory only, and changed every day.
 */
export class TicketKeys {
  readonly #workers = new Set<WorkerProcess>();
  #keys = randomBytes(KEYS_BYTES);
  readonly #timer = setInterval(() => this.rotate(), ROTATE_MS).unref();

  /** Gives a worker the keys, now and whenever they change. */
  give(worker: WorkerProcess): void {
    this.#workers.add(worker);
    worker.ended.signal.addEventListener('abort', () => this.#workers.delete(worker), { once: true });
    this.#send(worker);
  }

  /** Takes over the keys of an earlier supervisor: clients hold tickets that were encrypted with them. */
  adopt(keys: string): void {
    if (keys !== '') this.#keys = Buffer.from(keys, 'base64');
  }

  rotate(): void {
    this.#keys = randomBytes(KEYS_BYTES);
    for (const worker of this.#workers) this.#send(worker);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #send(worker: WorkerProcess): void {
    worker.send({ type: 'tickets', keys: this.#keys.toString('base64') });
  }
}
