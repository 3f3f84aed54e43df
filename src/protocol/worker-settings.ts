import type { Address } from './messages.ts';

/** Environment variable that carries {@link WorkerSettings} to a worker; the worker removes it before the app is loaded. */
export const SETTINGS_VARIABLE = 'HANDOVER_WORKER_ORDERS';

/** File descriptor of a worker that leads to the supervisor's own stderr, for the last words of an orphan. */
export const LAST_WORDS_FD = 4;

/** A listener that the supervisor already holds. */
export interface Lent {
  readonly key: string;
  readonly address: Address;
  /** Whether it was named with `--listen`: such listeners go to the app's servers in order, whatever these ask for. */
  readonly named: boolean;
}

/** What a worker is told when it is started. */
export interface WorkerSettings {
  readonly version: number;
  readonly worker: string;
  readonly generation: number;
  readonly lent: readonly Lent[];
  readonly backlog: number;
  readonly budgetMs: number;
  readonly drainMs: number;
  readonly orphanMs: number;
  /** Whether it counts what `sample` asks for. */
  readonly measures: boolean;
}
