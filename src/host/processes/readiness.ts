import type { Options } from '../../options/options.ts';
import { namedOf, ownerOf } from '../../protocol/named.ts';
import { showAddress } from '../listeners/explain.ts';
import type { Listeners } from '../listeners/listeners.ts';
import type { Plans } from '../listeners/plans.ts';
import type { Reason } from './family.ts';
import type { WorkerRecord } from './worker-record.ts';

/** How long a candidate is given to listen on what else the active generation serves, before it does without. */
const GIVEN_UP_MS = 5_000;
/** For a worker that got there too late: nothing is missing but time. */
const LATE_FIX = 'It was about to be ready: raise readyTimeout, or look what keeps the machine busy';

export interface ReadinessPorts {
  readonly listeners: Listeners;
  readonly plans: Plans;
  /** When a worker of a generation is ready, and how long that may take. */
  readinessOf(generation: number): Pick<Options, 'ready' | 'readyTimeout' | 'ramp'>;
  /** The generation that answers for the service, or null. */
  active(): number | null;
}

/**
 * Judges whether a worker can serve.
 *
 * Invariant: a candidate is ready only when a server of its app answers on everything that was named with `--listen`, and
 * when there was time to listen on everything else that the active generation serves. What it does not listen on by then
 * is given up by this version.
 */
export class Readiness {
  readonly #ports: ReadinessPorts;
  /** What each generation serves; it outlives the workers, for their replacements are to serve the same. */
  readonly #served = new Map<number, Set<string>>();

  constructor(ports: ReadinessPorts) {
    this.#ports = ports;
  }

  isMet(record: WorkerRecord): boolean {
    if (record.asking.size > 0 || record.refusal !== null) return false;
    if (record.keys.size > 0 && !record.rehearsed) return false;
    if (this.#bySignal(record) ? !record.signalled : !isListening(record)) return false;
    return this.#unanswered(record).length === 0 && this.leftToWait(record) === 0;
  }

  /** For how many milliseconds it is still waited for what only the active generation serves. */
  leftToWait(record: WorkerRecord): number {
    const { ready, readyTimeout } = this.#ports.readinessOf(record.generation);
    if (this.#missing(record).length === 0 || ready === 'signal') return 0;
    return Math.max(0, Math.ceil(record.listenedAt + Math.min(GIVEN_UP_MS, readyTimeout / 2) - performance.now()));
  }

  /** What each worker is waited for that cannot serve yet, and what helps. */
  async explainAll(records: readonly WorkerRecord[]): Promise<Reason> {
    const late = records.filter((record) => !record.ready);
    const reasons = await Promise.all(late.map((record) => this.explain(record)));
    const told = late.map(
      ({ id, process }, at) => `worker ${id} (pid ${process.pid}) is running but ${reasons[at]?.why}`
    );
    const fix = reasons.find((reason) => reason.fix !== null)?.fix ?? null;
    return { why: told.join('; ') || 'its workers were still being started', fix };
  }

  /** What a worker is waited for, in words that follow "is running but". */
  async explain(record: WorkerRecord): Promise<Reason> {
    const plain = (why: string): Reason => ({ why, fix: null });
    const show = (key: string) => this.#ports.listeners.show(key);
    if (this.#bySignal(record) && !record.signalled) return plain('never called ready()');
    if (record.refusal !== null) return plain(`was refused what it asked for (${record.refusal})`);
    if (!isListening(record)) {
      if (record.bindFailure !== null) return plain(`never listened (${record.bindFailure})`);
      const isComing = record.asking.size > record.undecided.size;
      if (record.keys.size === 0 && isComing) return { why: 'called listen() only just now', fix: LATE_FIX };
      if (record.keys.size === 0) return record.process.explain();
      return plain(`never listened: only a module that is preloaded did, on ${shownKeys(record, show)}`);
    }
    const unanswered = this.#unanswered(record);
    if (unanswered.length === 0) {
      const missing = this.#missing(record).map(show).join(', ');
      if (missing === '') return { why: `listened on ${shownKeys(record, show)} only just now`, fix: LATE_FIX };
      return plain(`did not listen on ${missing}, which the active generation serves`);
    }
    return {
      why: `listened on ${shownKeys(record, show)}, and not on ${unanswered.join(', ')}, which was named with --listen`,
      fix: 'Let its public server listen on process.env.PORT, or say which it is, as in `--listen 80=3000`'
    };
  }

  /** A server of a worker listens. It counts for the generation once that was told to serve, or when nobody does yet. */
  onListening(record: WorkerRecord, key: string): void {
    record.listenedAt = performance.now();
    const active = this.#ports.active();
    const counts = active === null || active === record.generation || record.serving;
    if (counts) this.#servedBy(record.generation).add(key);
  }

  /** A generation accepts: what it listens on is what its successor is to. */
  onAccepting(record: WorkerRecord): void {
    for (const key of record.keys.keys()) this.#servedBy(record.generation).add(key);
  }

  /** An app closed a server: without a second worker on that address, it is no longer served. */
  onUnlisten(record: WorkerRecord, key: string, others: readonly WorkerRecord[]): void {
    record.keys.delete(key);
    if (!others.some((other) => other !== record && other.keys.has(key)))
      this.#served.get(record.generation)?.delete(key);
  }

  /** Whether the active generation serves an address, or is to once its workers are back. */
  isServed(key: string): boolean {
    return this.#served.get(this.#ports.active() ?? -1)?.has(key) === true;
  }

  /** Whether a generation has accepted, now or earlier. */
  hasServed(generation: number): boolean {
    return this.#served.has(generation);
  }

  forget(generation: number): void {
    this.#served.delete(generation);
  }

  #bySignal({ generation }: WorkerRecord): boolean {
    return this.#ports.readinessOf(generation).ready === 'signal';
  }

  /** What was named and none of its servers answers on. */
  #unanswered({ generation, keys }: WorkerRecord): string[] {
    const held = this.#ports.plans.lentTo(generation);
    const named = namedOf(held).filter(({ key }) => ownerOf(held, (one) => keys.has(one), key) === null);
    return named.map(({ address, asked }) => `${showAddress(address)}${asked === null ? '' : `=${asked}`}`);
  }

  /** What the active generation serves besides, and this worker does not. */
  #missing({ generation, keys }: WorkerRecord): string[] {
    const { listeners, plans, active } = this.#ports;
    const before = active() ?? generation;
    // What is named for one of them only was given or taken away by the config.
    const isNamed = (key: string) => plans.isNamedFor(generation, key) || plans.isNamedFor(before, key);
    const needed = this.#served.get(before) ?? [];
    return [...needed].filter((key) => !keys.has(key) && listeners.find(key) && !isNamed(key));
  }

  #servedBy(generation: number): Set<string> {
    const served = this.#served.get(generation) ?? new Set();
    this.#served.set(generation, served);
    return served;
  }
}

/** Whether a server of the app itself listens. */
function isListening({ keys }: WorkerRecord): boolean {
  return [...keys.values()].some(({ preloaded }) => !preloaded);
}

function shownKeys({ keys }: WorkerRecord, show: (key: string) => string): string {
  return [...keys.keys()].map(show).join(', ') || 'nothing that is shared';
}
