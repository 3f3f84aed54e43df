import type { Connection } from '../connections/connection.ts';

/** How long connections may take to move after a pause. */
export class HandoverBudget {
  readonly #budgetMs: number;
  readonly #drainMs: number;
  #limitMs: number;
  #since = 0;
  /** When a connection was last taken by a receiver. */
  #movedAt = 0;
  /** Since when a supervisor is there again. */
  #resumedAt = 0;
  #isSuspended = false;

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

  /** Shortens the budget, so that clients that are told to close can do so before the drain timeout. */
  shorten(): void {
    this.#limitMs = Math.min(this.#budgetMs, this.#drainMs / 2);
  }

  /** Takes the shortening back, for the next pause. */
  reset(): void {
    this.#limitMs = this.#budgetMs;
  }

  onMoved(): void {
    this.#movedAt = performance.now();
  }

  /** Without a supervisor nothing can move: it costs no connection of its budget. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** The next supervisor is there: all budgets begin anew. */
  resume(): void {
    this.#isSuspended = false;
    this.#resumedAt = performance.now();
  }

  /** Whether the budget of a connection is used up; null stands for one that is not known. */
  isOver(connection: Connection | null): boolean {
    const from = this.#startFor(connection);
    if (from === null || this.#isSuspended) return false;
    return performance.now() - Math.max(from, this.#resumedAt) > this.#limitMs;
  }

  /** When a connection's budget began. For one whose turn has not come, it begins anew whenever another one has moved. */
  #startFor(connection: Connection | null): number | null {
    if (!connection) return this.#since;
    const { kind, movableAt, missed, pipelines } = connection;
    // A client that sends ahead may never be idle, and so never have a turn.
    if (pipelines) return movableAt ?? this.#since;
    if (movableAt === null) return null;
    return kind === 'http1' && !missed ? Math.max(movableAt, this.#movedAt) : movableAt;
  }
}
