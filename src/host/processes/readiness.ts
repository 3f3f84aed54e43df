import type { Seat } from './worker-record.ts';

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

  isMet(seat: Seat): boolean {
    if (seat.asking.size > 0) return false;
    if (this.#mode === 'signal' ? !seat.signalled : seat.keys.size === 0) return false;
    return this.#missing(seat).length === 0;
  }

  /** What each worker is waited for that cannot serve yet. */
  explainAll(seats: readonly Seat[], show: (key: string) => string): string {
    const reasons = seats
      .filter((seat) => !seat.ready)
      .map((seat) => `worker ${seat.id} (pid ${seat.process.pid}) is running but ${this.explain(seat, show)}`);
    return reasons.join('; ') || 'its workers were still being started';
  }

  /** What a worker is waited for, in words that follow "is running but". */
  explain(seat: Seat, show: (key: string) => string): string {
    if (this.#mode === 'signal' && !seat.signalled) return 'never called ready()';
    if (seat.keys.size === 0) return `never listened${seat.bindFailure ? ` (${seat.bindFailure})` : ''}`;
    return `did not listen on ${this.#missing(seat).map(show).join(', ')}, which the active generation serves`;
  }

  /** A server of a worker listens. It counts for the generation once that serves, or when nobody does yet. */
  onListening(seat: Seat, key: string): void {
    seat.keys.add(key);
    const active = this.#active();
    if (active === null || active === seat.generation) this.#servedBy(seat.generation).add(key);
  }

  /** A generation accepts: what it listens on is what its successor must. */
  onAccepting(seat: Seat): void {
    for (const key of seat.keys) this.#servedBy(seat.generation).add(key);
  }

  /** An app closed a server: without a second worker on that address, it is no longer served. */
  onUnlisten(seat: Seat, key: string, others: readonly Seat[]): void {
    seat.keys.delete(key);
    if (!others.some((other) => other !== seat && other.keys.has(key))) this.#served.get(seat.generation)?.delete(key);
  }

  forget(generation: number): void {
    this.#served.delete(generation);
  }

  #missing(seat: Seat): string[] {
    const needed = this.#served.get(this.#active() ?? seat.generation) ?? [];
    return [...needed].filter((key) => !seat.keys.has(key));
  }

  #servedBy(generation: number): Set<string> {
    const served = this.#served.get(generation) ?? new Set();
    this.#served.set(generation, served);
    return served;
  }
}
