import type { Clock } from '../../src/fleet/fleet-ports.ts';

interface Timer {
  readonly at: number;
  readonly turn: number;
  act: (() => void) | null;
}

/** Time that passes as fast as what happens in it can be computed: the next timer is always due. */
export class Time {
  now = 0;
  /** A heap: each is earlier than the two that hang on it. */
  readonly #timers: Timer[] = [];
  #turn = 0;

  readonly clock: Clock = { now: () => this.now, after: (ms, then) => this.after(ms, then), draw: Math.random };

  after(ms: number, then: () => void): () => void {
    const timer: Timer = { at: this.now + ms, turn: this.#turn, act: then };
    this.#turn += 1;
    this.#push(timer);
    return () => {
      timer.act = null;
    };
  }

  /** Lets time pass until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const next = this.#pop();
      if (!next) throw new Error('nothing is to come any more');
      this.now = Math.max(this.now, next.at);
      next.act?.();
      // What follows from it by promises comes before what is later.
      if ((this.#timers[0]?.at ?? Number.POSITIVE_INFINITY) > this.now) await new Promise((done) => setImmediate(done));
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    this.after(ms, () => {});
    await this.until(() => this.now >= end);
  }

  #push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = timers[above];
      if (!other || !isBefore(timer, other)) break;
      timers[at] = other;
      at = above;
    }
    timers[at] = timer;
  }

  #pop(): Timer | undefined {
    const timers = this.#timers;
    const [first] = timers;
    const last = timers.pop();
    if (!last || timers.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let next = timers[below];
      const other = timers[below + 1];
      if (next && other && isBefore(other, next)) {
        below += 1;
        next = other;
      }
      if (!next || !isBefore(next, last)) break;
      timers[at] = next;
      at = below;
    }
    timers[at] = last;
    return first;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn);
}
