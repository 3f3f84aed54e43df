import { MOST_CLAIMS } from '../protocol/claims.ts';

/** Which worker knows which value of a client: a session, say. So many at the most; the oldest are forgotten first. */
export class Claims {
  readonly #owners = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** A worker knows these from now on. */
  claim(worker: string, values: readonly unknown[]): void {
    for (const value of values) if (typeof value === 'string') this.#set(value, worker);
  }

  /** Who knows a value; empty where nobody does. @param worker who does from now on, where nobody did; or null */
  ask(value: string, worker: string | null): string {
    const owner = this.#owners.get(value) ?? worker ?? '';
    if (owner !== '') this.#set(value, owner);
    return owner;
  }

  /** How many values a worker knows. */
  countOf(worker: string): number {
    return this.#counts.get(worker) ?? 0;
  }

  /** A worker is gone. @returns whether it knew anything */
  drop(worker: string): boolean {
    if (!this.#counts.delete(worker)) return false;
    for (const [value, owner] of this.#owners) if (owner === worker) this.#owners.delete(value);
    return true;
  }

  #set(value: string, worker: string): void {
    this.#forget(value);
    this.#owners.set(value, worker);
    this.#counts.set(worker, this.countOf(worker) + 1);
    const [oldest] = this.#owners.keys();
    if (this.#owners.size > MOST_CLAIMS && oldest !== undefined) this.#forget(oldest);
  }

  #forget(value: string): void {
    const owner = this.#owners.get(value);
    if (owner === undefined) return;
    this.#owners.delete(value);
    const left = this.countOf(owner) - 1;
    if (left > 0) this.#counts.set(owner, left);
    else this.#counts.delete(owner);
  }
}
