import type { carryFor } from './carry.ts';
import type { Start } from './while-active.ts';

/**
 * What the preload leaves for `handover/worker` and `supervise()`. They may be other copies of this package, in another
 * module system, so it is found by a symbol of the global registry.
 */
export interface WorkerGlobal {
  readonly worker: string;
  readonly generation: number;
  ready(): void;
  onDrain(run: () => void | Promise<void>): () => void;
  whileActive(start: Start): () => Promise<void>;
  claim(value: string): void;
  carry: ReturnType<typeof carryFor>;
}

const KEY = Symbol.for('handover.worker');

/** This process as a worker, or null outside a supervisor. */
export function workerGlobal(): WorkerGlobal | null {
  return (globalThis as { [KEY]?: WorkerGlobal })[KEY] ?? null;
}

export function setWorkerGlobal(value: WorkerGlobal): void {
  Object.defineProperty(globalThis, KEY, { value, configurable: true });
}
