/** What an app gives to `whileActive`: it begins something, and returns what ends it, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: an app's function may return nothing at all
export type Start = () => Stop | void | Promise<Stop | void>;
/** Ends what `start()` began; a promise is awaited. */
export type Stop = () => void | Promise<void>;

/** After this, the operator is told that a task does not end. */
const SLOW_MS = 10_000;

interface Task {
  readonly start: Start;
  /** The end of the run in progress, or null while the task does not run. */
  running: Promise<ReturnType<Start>> | null;
}

/** Runs the app's `whileActive` tasks, only while this worker belongs to the active generation. */
export class WhileActiveTasks {
  readonly #tasks = new Set<Task>();
  #active = false;

  /**
   * Adds a task, and starts it if this generation is active already.
   *
   * @returns a function that ends and forgets the task
   */
  add(start: Start): () => Promise<void> {
    const task: Task = { start, running: null };
    this.#tasks.add(task);
    if (this.#active) begin(task);
    return async () => {
      this.#tasks.delete(task);
      await end(task);
    };
  }

  activate(): void {
    if (this.#active) return;
    this.#active = true;
    for (const task of this.#tasks) begin(task);
  }

  /** Ends every task, and settles when the last one has ended. */
  async deactivate(): Promise<void> {
    this.#active = false;
    const slow = setTimeout(() => {
      process.emitWarning(
        `handover: what whileActive() runs has not ended after ${SLOW_MS / 1000} s; the next generation starts its own only then`
      );
    }, SLOW_MS);
    slow.unref();
    await Promise.all([...this.#tasks].map(end));
    clearTimeout(slow);
  }
}

function begin(task: Task): void {
  // What `start` throws becomes an unhandled rejection of the app.
  task.running = Promise.resolve().then(task.start);
}

async function end(task: Task): Promise<void> {
  const { running } = task;
  task.running = null;
  if (!running) return;
  const stop = await running;
  if (typeof stop === 'function') await stop();
}
