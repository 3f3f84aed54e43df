import type { Address } from './messages.ts';

/** Environment variable that carries {@link WorkerSettings} to a worker; the worker removes it before the app is loaded. */
export const SETTINGS_VARIABLE = 'HANDOVER_WORKER_ORDERS';

/** File descriptor of a worker that leads to the supervisor's own stderr, for the last words of an orphan. */
export const LAST_WORDS_FD = 3;

/** A listener that the supervisor already holds. */
export interface Lent {
  readonly key: string;
  readonly address: Address;
  /** Whether it was named with `--listen`. */
  readonly named: boolean;
  /** The port that the server asks for which is to get it, where the operator said so: 3000 in `--listen 80=3000`. */
  readonly asked: number | null;
}

/** What a worker is told when it is started. */
export interface WorkerSettings {
  readonly version: number;
  readonly worker: string;
  readonly generation: number;
  /** The unix socket on which the supervisor hears its workers, and what they have to know there. */
  readonly link: { readonly path: string; readonly secret: string };
  readonly lent: readonly Lent[];
  readonly backlog: number;
  readonly budgetMs: number;
  /** How long connections may be let go one by one; 0 = all at once. */
  readonly rampMs: number;
  readonly drainMs: number;
  /** Over how long WebSockets and streams are ended one by one. */
  readonly upgradeSpreadMs: number;
  readonly websockets: 'close' | 'keep';
  readonly eventStreams: 'move' | 'keep' | 'end';
  /** By what a client stays with the process that knows it; null where it does not. */
  readonly affinity: Affinity | null;
  readonly orphanMs: number;
  /** Whether it counts what `sample` asks for. */
  readonly measures: boolean;
  /** Whether it remembers what it was asked for lately. */
  readonly remembers: boolean;
  /** Whether it rehearses a handover before it serves. */
  readonly rehearses: boolean;
}

/** What loads a module before those that an app's own NODE_OPTIONS preload: put in front of them. */
export function preloadOption(path: string): string {
  return `--require ${JSON.stringify(path)}`;
}

/**
 * Loaded after every module that is preloaded with `--import`: what listens from here on is the app's.
 *
 * A plain `?` would begin the query of the URL, which is not run.
 */
export const APP_BEGINS = "--import=data:text/javascript,globalThis[Symbol.for('handover.app-begins')]%3F.()";

/** What of a request says who asks. */
export type Affinity =
  | { readonly kind: 'random' | 'connection' }
  | { readonly kind: 'ip'; readonly header: string | null }
  | { readonly kind: 'cookie' | 'header' | 'query'; readonly name: string };
