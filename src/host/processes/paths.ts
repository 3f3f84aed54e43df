import { setTimeout as wait } from 'node:timers/promises';
import { showAddress } from '../listeners/explain.ts';
import type { Listeners } from '../listeners/listeners.ts';
import type { WorkerRecord } from './worker-record.ts';

/** How long workers are waited for that are to listen on a socket which was bound anew. */
const LISTEN_MS = 1_000;

export interface PathsPorts {
  readonly listeners: Listeners;
  /** The workers that serve on an address. */
  serving(key: string): readonly WorkerRecord[];
  lend(record: WorkerRecord, key: string): void;
  /** A path was gone, and is there again. */
  onRestored(address: string): void;
}

/** Puts the unix sockets of the service back whose files are gone: a script, a cleaner or the app itself removed them. */
export class Paths {
  readonly #ports: PathsPorts;
  readonly #listening = new Map<string, () => void>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: PathsPorts) {
    this.#ports = ports;
  }

  onAccepting(key: string): void {
    this.#listening.get(key)?.();
    this.#ports.listeners.noteAccess(); // which apps set when they listen
  }

  /** @returns which path cannot be had, and why; null where all are there */
  restore(): Promise<string | null> {
    // One after the other: two at once would bind a path twice.
    const restored = this.#last.then(() => this.#restoreAll());
    this.#last = restored;
    return restored;
  }

  async #restoreAll(): Promise<string | null> {
    this.#ports.listeners.noteAccess();
    let missing: string | null = null;
    for (const { key } of [...this.#ports.listeners.held]) {
      try {
        missing ??= await this.#restoreOne(key);
      } catch (error) {
        missing ??= (error as Error).message;
      }
    }
    return missing;
  }

  async #restoreOne(key: string): Promise<string | null> {
    const { listeners, serving, lend, onRestored } = this.#ports;
    const restored = await listeners.restore(key);
    if (restored === null || typeof restored === 'string') return restored;
    const records = serving(key);
    if (records.length > 0) {
      const listening = new Promise<void>((done) => this.#listening.set(key, done));
      for (const record of records) lend(record, key);
      await Promise.race([listening, wait(LISTEN_MS, undefined, { ref: false })]);
      this.#listening.delete(key);
    }
    restored.reveal();
    onRestored(showAddress(restored.listener.address));
    return null;
  }
}
