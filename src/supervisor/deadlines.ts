import type { Deadline, News } from '../core/state/state.ts';
import type { Reason } from '../host/processes/family.ts';

/** Named timers. Each fires as an event about one generation or one worker. */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #post: (news: News) => void;
  readonly #explain: (generation: number) => Promise<Reason>;
  readonly #now: () => number;

  /** @param explain why a generation is not ready, as far as can be seen from outside; it may take a moment to find out */
  constructor(post: (news: News) => void, explain: (generation: number) => Promise<Reason>, now: () => number) {
    this.#post = post;
    this.#explain = explain;
    this.#now = now;
  }

  set(deadline: Deadline, about: number | string, afterMs: number): void {
    this.clear(deadline, about);
    const key = `${deadline} ${about}`;
    const timer = setTimeout(() => void this.#fire(deadline, about, timer), afterMs);
    this.#timers.set(key, timer);
  }

  clear(deadline: Deadline, about: number | string): void {
    const key = `${deadline} ${about}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  clearAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #fire(deadline: Deadline, about: number | string, timer: NodeJS.Timeout): Promise<void> {
    const key = `${deadline} ${about}`;
    const reason = deadline === 'ready-overdue' ? await this.#explain(Number(about)) : null;
    // It may have been called off, or set anew, while the reason was found out.
    if (this.#timers.get(key) !== timer) return;
    this.#timers.delete(key);
    this.#post(this.#event(deadline, about, reason));
  }

  #event(deadline: Deadline, about: number | string, reason: Reason | null): News {
    const at = this.#now();
    if (deadline === 'worker-overdue' || deadline === 'leave-overdue' || deadline === 'kill-overdue')
      return { type: deadline, worker: String(about), at };
    if (deadline === 'ready-overdue')
      return { type: deadline, about: Number(about), why: reason?.why ?? '', fix: reason?.fix ?? null, at };
    return { type: deadline, about: Number(about), at };
  }
}
