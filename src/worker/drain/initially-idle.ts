import type { Connection } from '../connections/connection.ts';

/** The connections that were idle at the pause and have neither moved nor got a request since. */
export class InitiallyIdle {
  readonly #left = new Set<Connection>();
  readonly #onDone: () => void;
  #done = true;

  /** @param onDone called once after each `begin`, when none is left or the rest does not count any more */
  constructor(onDone: () => void) {
    this.#onDone = onDone;
  }

  begin(connections: readonly Connection[]): void {
    this.#done = false;
    for (const connection of connections) this.#left.add(connection);
    if (this.#left.size === 0) this.finish();
  }

  drop(connection: Connection): void {
    if (this.#left.delete(connection) && this.#left.size === 0) this.finish();
  }

  finish(): void {
    this.#left.clear();
    if (this.#done) return;
    this.#done = true;
    this.#onDone();
  }
}
