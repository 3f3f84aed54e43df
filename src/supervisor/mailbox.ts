import type { Effect, News, State, Step } from '../core/state/state.ts';
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
  readonly #onState: (state: State) => void;
  readonly #mayDecide: () => boolean;

  /**
   * @param onState called with each state, before anything is done that follows from it
   * @param mayDecide asked before each decision: another supervisor may decide by now
   */
  constructor(
    state: State,
    perform: (effect: Effect) => void,
    onState: (state: State) => void = () => {},
    mayDecide: () => boolean = () => true
  ) {
    this.#mayDecide = mayDecide;
    this.#state = state;
    this.#perform = perform;
    this.#onState = onState;
  }

  get state(): State {
    return this.#state;
  }

  post(news: News): void {
    this.#queue.push(news);
    this.#work();
  }

  /** Begins with another state, and does what follows from it. */
  begin(first: Step): void {
    this.#busy = true;
    try {
      this.#apply(first);
    } finally {
      this.#busy = false;
    }
    this.#work();
  }

  /** Decides what has waited while it was not to. */
  goOn(): void {
    this.#work();
  }

  #work(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#queue.length > 0 && this.#mayDecide()) {
        const next = this.#queue.shift();
        if (next) this.#apply(step(this.#state, next));
      }
    } finally {
      this.#busy = false;
    }
  }

  #apply({ state, effects }: Step): void {
    this.#state = state;
    this.#onState(state);
    for (const effect of effects) this.#perform(effect);
  }
}
