import { amendEntry } from '../state/history.ts';
import type { Bake, Effect, Generation, In, Judged, Limits, Order, State } from '../state/state.ts';
import { describeBoth } from '../verdict/figures.ts';
import type { Decision } from '../verdict/judge.ts';
import { announce } from './rule.ts';

/** A step whose state is `steady`. */
export interface SteadyStep {
  readonly state: In<'steady'>;
  readonly effects: readonly Effect[];
}

/** Begins the bake of a generation that has just become active. After a rollback there is none: it served before. */
export function beginBake(
  { bakeMs }: Limits,
  order: Order,
  { id }: Generation,
  from: number,
  at: number
): { bake: Bake | null; effects: readonly Effect[] } {
  if (bakeMs === 0 || order.kind === 'rollback') return { bake: null, effects: [] };
  // Worker by worker, both versions served before the cutover, so the baseline ends with the order.
  const byWorker = order.strategy === 'rolling' || order.strategy === 'in-place';
  const undisturbedUntil = byWorker ? order.askedAt : (order.heldAt ?? at);
  return {
    bake: {
      ...{ generation: id, from, undisturbedUntil, since: at, forMs: bakeMs },
      ...{ extended: false, measured: null, waiting: [] }
    },
    effects: [
      { do: 'set-deadline', deadline: 'bake-over', about: id, afterMs: bakeMs },
      announce('info', 'baking', { generation: id, forMs: bakeMs })
    ]
  };
}

/** Ends the bake: the active generation is kept, and the orders that wait for the verdict are answered. */
export function endBake({ state, effects }: SteadyStep, reason: string, decision: Decision = 'keep'): SteadyStep {
  const { bake } = state;
  if (!bake) return { state, effects };
  const { state: noted, verdict: kept } = noteVerdict(state, bake, decision, reason);
  return {
    state: { ...noted, bake: null },
    effects: [
      ...effects,
      { do: 'clear-deadline', deadline: 'bake-over', about: bake.generation },
      ...bake.waiting.flatMap((completed): Effect[] =>
        completed.request === null
          ? []
          : [{ do: 'reply', request: completed.request, reply: { ok: true, completed, kept } }]
      )
    ]
  };
}

/** Notes in the history how a bake ended, with the figures of both versions. */
export function noteVerdict<S extends State>(state: S, bake: Bake, decision: Decision, reason: string) {
  const verdict: Judged = { decision, reason, ...describeBoth(bake.measured) };
  return { state: amendEntry(state, bake.generation, { verdict }) as S, verdict };
}
