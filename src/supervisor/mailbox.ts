import type { Effect, News, State } from '../core/state/state.ts';
import { step } from '../core/step.ts';

/**
 * Feeds news to the core one at a time, in arrival order.
 *
 * An effect may post further news; it waits until the current step's effects are all done, so no step ever sees half of
 * another.
 */
export class Mailbox {
  #state: State;
  readonly #queue: News[] = [];
  #busy = false;
  readonly #perform: (effect: Effect) => void;

  constructor(state: State, perform: (effect: Effect) => void) {
    this.#state = state;
    this.#perform = perform;
  }

  get state(): State {
    return this.#state;
  }

  post(news: News): void {
    this.#queue.push(news);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const { state, effects } = step(this.#state, next);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#busy = false;
    }
  }
}
