import type { Listeners } from '../listeners/listeners.ts';
import type { WorkerRecord } from './worker-record.ts';

/** What workers hold for the service, and for the supervisor after this one: copies of its listeners, and what is to be known. */
export class Lending {
  readonly #listeners: Listeners;
  readonly #records: () => readonly WorkerRecord[];
  #memory = '';

  constructor(listeners: Listeners, records: () => readonly WorkerRecord[]) {
    this.#listeners = listeners;
    this.#records = records;
  }

  /** A worker has been started. */
  begin(record: WorkerRecord): void {
    record.process.send({ type: 'remember', memory: this.#memory });
    for (const { key } of this.#listeners.held) this.#keep(record, key);
  }

  /** Has a worker accept on a listener. */
  lend(record: WorkerRecord, key: string): void {
    const listener = this.#listeners.find(key);
    if (listener) record.process.send({ type: 'accept', key }, listener.handle);
    // Once more, since it may have been bound anew.
    this.#keep(record, key);
  }

  /** An address is let go of: no worker may keep it. */
  drop(key: string): void {
    for (const { process } of this.#records()) process.send({ type: 'drop', key });
  }

  /** Tells every worker what the next supervisor is to know. */
  remember(memory: string): void {
    this.#memory = memory;
    for (const { process } of this.#records()) process.send({ type: 'remember', memory });
  }

  /** Has every worker say hello to the next supervisor. */
  relink(path: string): void {
    for (const { process } of this.#records()) process.send({ type: 'relink', path });
  }

  #keep(record: WorkerRecord, key: string): void {
    const listener = this.#listeners.find(key);
    if (listener) record.process.send({ type: 'keep', key }, listener.handle);
  }
}
