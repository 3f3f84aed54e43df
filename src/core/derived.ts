import { reconcileCover } from './rules/cover.ts';
import { reconcileRoll } from './rules/rolling.ts';
import { reconcileScale } from './rules/scale.ts';
import { finish } from './rules/stop.ts';
import { reconcileWhileActive } from './rules/while-active.ts';
import type { State, Step } from './state/state.ts';

/** The rules that depend on the state alone, not on the news; applied after every step, in this order. */
const DERIVED: readonly ((state: State, at: number) => Step)[] = [
  reconcileRoll,
  reconcileCover,
  reconcileWhileActive,
  reconcileScale,
  finish
];

/** Applies the derived rules to the outcome of a step. */
export function derive({ state, effects }: Step, at: number): Step {
  return DERIVED.reduce(
    (step: Step, reconcile) => {
      const after = reconcile(step.state, at);
      return { state: after.state, effects: [...step.effects, ...after.effects] };
    },
    { state, effects }
  );
}
