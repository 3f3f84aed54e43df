import type { Connection } from '../connections/registry.ts';

/** How long a connection may keep this worker from being done with it, after a pause. */
export class HandoverBudget {
  readonly #budgetMs: number;
  readonly #drainMs: number;
  #limitMs: number;
  #since = 0;
  /** When somebody took a connection last. */
  #movedAt = 0;

  constructor(budgetMs: number, drainMs: number) {
    this.#budgetMs = budgetMs;
    this.#drainMs = drainMs;
    this.#limitMs = budgetMs;
  }

  /** When it began. */
  get since(): number {
    return this.#since;
  }

  begin(): void {
    this.#since = performance.now();
  }

  /** Ends early enough that those who are told to close can do so before the drain timeout ends them. */
  shorten(): void {
    this.#limitMs = Math.min(this.#budgetMs, this.#drainMs / 2);
  }

  /** The next one is as long as any. */
  reset(): void {
    this.#limitMs = this.#budgetMs;
  }

  onMoved(): void {
    this.#movedAt = performance.now();
  }

  /** Whether it is over with a connection; null is one that cannot be told from the others of its server. */
  isOver(connection: Connection | null): boolean {
    const from = this.#startFor(connection);
    return from !== null && performance.now() - from > this.#limitMs;
  }

  /** One whose turn has not come has all of it, while others move: only a handover that stands still wears it out. */
  #startFor(connection: Connection | null): number | null {
    if (!connection) return this.#since;
    const { kind, movableAt, missed, pipelines } = connection;
    // One whose client sends ahead may never be idle, and so never have a turn.
    if (pipelines) return movableAt ?? this.#since;
    if (movableAt === null) return null;
    return kind === 'http1' && !missed ? Math.max(movableAt, this.#movedAt) : movableAt;
  }
}
