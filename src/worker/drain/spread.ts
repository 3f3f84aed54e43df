/** How often it is looked who is next. */
const TICK_MS = 20;
/** How often it is looked, when all should have left, whether others have come. */
const LATE_MS = 500;

/**
 * Does something to many connections one by one, evenly over a time: their clients come back as they went, and not all in
 * the same moment.
 */
export class Spread<T> {
  readonly #find: () => readonly T[];
  readonly #leave: (one: T) => void;
  #timer: NodeJS.Timeout | null = null;
  #queue: readonly T[] = [];
  #done = 0;
  #since = 0;
  #limitMs = 0;

  /**
   * @param find who has not left
   * @param leave is called once for each
   */
  constructor(find: () => readonly T[], leave: (one: T) => void) {
    this.#find = find;
    this.#leave = leave;
  }

  get isRunning(): boolean {
    return this.#timer !== null;
  }

  /** Begins, or, where it has begun, brings what is left to its end within a shorter time. */
  begin(limitMs: number): void {
    const now = performance.now();
    if (this.#timer && this.#since + this.#limitMs - now <= limitMs) return;
    this.end();
    this.#since = now;
    this.#limitMs = limitMs;
    this.#queue = this.#find();
    this.#done = 0;
    this.#tick();
  }

  end(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const passed = performance.now() - this.#since;
    const isOver = passed >= this.#limitMs;
    // Half a step before the first one: those of other workers come between.
    const due = isOver ? this.#queue.length : Math.floor((this.#queue.length * passed) / this.#limitMs + 0.5);
    for (const one of this.#queue.slice(this.#done, due)) this.#leave(one);
    this.#done = Math.max(this.#done, due);
    if (isOver) for (const late of this.#find()) this.#leave(late);
    this.#timer = setTimeout(() => this.#tick(), isOver ? LATE_MS : TICK_MS);
    this.#timer.unref();
  }
}
