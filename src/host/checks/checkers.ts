import type { Options } from '../../options/options.ts';
import { Checker } from './checker.ts';

/** A checker for each way in which generations are to be checked. */
export class Checkers {
  readonly #optionsOf: (generation: number) => Options;
  readonly #byOptions = new Map<Options, Checker>();

  constructor(optionsOf: (generation: number) => Options) {
    this.#optionsOf = optionsOf;
  }

  of(generation: number): Checker {
    const options = this.#optionsOf(generation);
    const checker = this.#byOptions.get(options) ?? new Checker(options);
    this.#byOptions.set(options, checker);
    return checker;
  }

  /** The supervisor ends: whatever is being asked is not worth an answer any more. */
  close(): void {
    for (const checker of this.#byOptions.values()) checker.close();
  }
}
