import { setImmediate as turn } from 'node:timers/promises';
import type { Gate } from './gate.ts';

/** So many turns of the event loop without a new connection, and the queues are taken for empty. */
const QUIET_TURNS = 8;
/** Clients that never cease to come are let go at some point. */
const MOST_TURNS = 600;
const MOST_MS = 1_000;

/** How a worker ceases to accept. */
export class Leaving {
  readonly #gates: () => readonly Gate[];
  readonly #shut: () => void;
  #emptied: Promise<void> | null = null;

  /** @param shut shuts all of them */
  constructor(gates: () => readonly Gate[], shut: () => void) {
    this.#gates = gates;
    this.#shut = shut;
  }

  /**
   * Accepts no more; then `next` follows, at once where nothing is waited for.
   *
   * @param last whether nobody accepts on these sockets afterwards: those whom the kernel has let in are accepted before, since it
   * would reset them
   */
  leave(last: boolean, next: () => void): void {
    const open = last && !this.#emptied ? this.#gates().filter((gate) => gate.narrow()) : [];
    if (open.length > 0) this.#emptied = this.#empty(open);
    if (this.#emptied) return void this.#emptied.then(next);
    this.#shut();
    next();
  }

  /** All copies of a socket have one queue, which is narrowed here: whoever is let in from now on is one at a time. */
  async #empty(open: readonly Gate[]): Promise<void> {
    const count = () => open.reduce((sum, { accepted }) => sum + accepted, 0);
    const deadline = performance.now() + MOST_MS;
    let before = count();
    for (let turns = 0, quiet = 0; turns < MOST_TURNS && quiet < QUIET_TURNS; turns += 1) {
      await turn();
      quiet = count() === before ? quiet + 1 : 0;
      before = count();
      if (performance.now() > deadline) break;
    }
    this.#emptied = null;
    this.#shut();
  }
}
