import { derive } from './derived.ts';
import { type Adopted, adopt } from './rules/adopt.ts';
import { settleLimits } from './state/generations.ts';
import type { State, Step } from './state/state.ts';

export type { Adopted };

/** The state with which a supervisor goes on that finds workers of an earlier one: a pure function. @see adopt */
export function takeOver(saved: State, workers: ReadonlyMap<string, Adopted>, at: number): Step {
  const { state, effects } = adopt(saved, workers, at);
  return derive({ state: settleLimits(state), effects }, at);
}
