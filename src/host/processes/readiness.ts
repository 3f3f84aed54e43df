import type { Reason } from './family.ts';
import type { WorkerRecord } from './worker-record.ts';

/**
 * Judges whether a worker can serve.
 *
 * Invariant: a candidate is ready only when it listens on everything that the active generation serves. An address that
 * nobody accepts on after the cutover would be a service lost without a word.
 */
export class Readiness {
  readonly #mode: 'listening' | 'signal';
  readonly #active: () => number | null;
  /** What each generation serves; it outlives the workers, for their replacements must serve the same. */
  readonly #served = new Map<number, Set<string>>();

  constructor(mode: 'listening' | 'signal', active: () => number | null) {
    this.#mode = mode;
    this.#active = active;
  }

  isMet(record: WorkerRecord): boolean {
    if (record.asking.size > 0) return false;
    if (this.#mode === 'signal' ? !record.signalled : record.keys.size === 0) return false;
    return this.#missing(record).length === 0;
  }

  /** What each worker is waited for that cannot serve yet, and what helps. */
  async explainAll(records: readonly WorkerRecord[], show: (key: string) => string): Promise<Reason> {
    const late = records.filter((record) => !record.ready);
    const reasons = await Promise.all(late.map((record) => this.explain(record, show)));
    const told = late.map(
      ({ id, process }, at) => `worker ${id} (pid ${process.pid}) is running but ${reasons[at]?.why}`
    );
    const fix = reasons.find((reason) => reason.fix !== null)?.fix ?? null;
    return { why: told.join('; ') || 'its workers were still being started', fix };
  }

  /** What a worker is waited for, in words that follow "is running but". */
  async explain(record: WorkerRecord, show: (key: string) => string): Promise<Reason> {
    const plain = (why: string): Reason => ({ why, fix: null });
    if (this.#mode === 'signal' && !record.signalled) return plain('never called ready()');
    if (record.keys.size > 0)
      return plain(
        `did not listen on ${this.#missing(record).map(show).join(', ')}, which the active generation serves`
      );
    if (record.bindFailure !== null) return plain(`never listened (${record.bindFailure})`);
    return record.process.explain();
  }

  /** A server of a worker listens. It counts for the generation once that serves, or when nobody does yet. */
  onListening(record: WorkerRecord, key: string): void {
    record.keys.add(key);
    const active = this.#active();
    if (active === null || active === record.generation) this.#servedBy(record.generation).add(key);
  }

  /** A generation accepts: what it listens on is what its successor must. */
  onAccepting(record: WorkerRecord): void {
    for (const key of record.keys) this.#servedBy(record.generation).add(key);
  }

  /** An app closed a server: without a second worker on that address, it is no longer served. */
  onUnlisten(record: WorkerRecord, key: string, others: readonly WorkerRecord[]): void {
    record.keys.delete(key);
    if (!others.some((other) => other !== record && other.keys.has(key)))
      this.#served.get(record.generation)?.delete(key);
  }

  forget(generation: number): void {
    this.#served.delete(generation);
  }

  #missing(record: WorkerRecord): string[] {
    const needed = this.#served.get(this.#active() ?? record.generation) ?? [];
    return [...needed].filter((key) => !record.keys.has(key));
  }

  #servedBy(generation: number): Set<string> {
    const served = this.#served.get(generation) ?? new Set();
    this.#served.set(generation, served);
    return served;
  }
}
