import type { Start } from './while-active.ts';

/**
 * What the preload leaves for `handover/worker` and `supervise()`: they may be other copies of this package, in another
 * module system, so they meet under a symbol of the registry.
 */
export interface Self {
  readonly worker: string;
  readonly generation: number;
  ready(): void;
  onDrain(run: () => void | Promise<void>): () => void;
  whileActive(start: Start): () => Promise<void>;
}

const KEY = Symbol.for('handover.worker');

/** This process as a worker, or null outside a supervisor. */
export function self(): Self | null {
  return (globalThis as { [KEY]?: Self })[KEY] ?? null;
}

export function setSelf(value: Self): void {
  Object.defineProperty(globalThis, KEY, { value, configurable: true });
}
