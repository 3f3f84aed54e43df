import type { Deadline, News } from '../core/state/state.ts';

/** Named timers. Each fires as an event about one generation or one worker. */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #post: (news: News) => void;
  readonly #explain: (generation: number) => string;
  readonly #now: () => number;

  /** @param explain why a generation is not ready, as far as can be seen from outside */
  constructor(post: (news: News) => void, explain: (generation: number) => string, now: () => number) {
    this.#post = post;
    this.#explain = explain;
    this.#now = now;
  }

  set(deadline: Deadline, about: number | string, afterMs: number): void {
    this.clear(deadline, about);
    const key = `${deadline} ${about}`;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#post(this.#event(deadline, about));
    }, afterMs);
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

  #event(deadline: Deadline, about: number | string): News {
    const at = this.#now();
    if (deadline === 'worker-overdue' || deadline === 'leave-overdue' || deadline === 'kill-overdue')
      return { type: deadline, worker: String(about), at };
    if (deadline === 'ready-overdue')
      return { type: deadline, about: Number(about), why: this.#explain(Number(about)), at };
    return { type: deadline, about: Number(about), at };
  }
}
