import { Asks } from './asks.ts';
import type { WorkerRecord } from './worker-record.ts';

/** How long a worker may take to tell. */
const TELL_MS = 500;
const MOST = 20;

/** Asks workers what they have been asked for lately, so that a new version can be warmed up with it. */
export class Recalls {
  readonly #asks = new Asks<readonly string[]>();

  /** @returns such as `GET /path`; those of a worker that does not answer in time are left out */
  async ask(records: readonly WorkerRecord[]): Promise<string[]> {
    const told = await Promise.all(
      records.map(({ process }) =>
        this.#asks.ask(TELL_MS, (ask, done) => process.send({ type: 'recall', ask }, undefined, done))
      )
    );
    // Each worker tells its most frequent ones first.
    const ranked = Array.from({ length: MOST }, (_, rank) => told.flatMap((requests) => requests?.[rank] ?? []));
    return [...new Set(ranked.flat())].slice(0, MOST);
  }

  take(ask: number, requests: readonly string[]): void {
    this.#asks.take(ask, requests);
  }
}
