import { activeOf, changeWorkers, replaceGeneration, rolesOf, staysOpen } from '../state/generations.ts';
import type { Effect, State, Step } from '../state/state.ts';
import { isHeld } from './hold.ts';

/**
 * Decides in which workers the tasks of `whileActive` run.
 *
 * Invariant: no worker of the active generation runs its `whileActive` tasks before those of every other generation have ended.
 */
export function reconcileWhileActive(state: State): Step {
  const active = activeOf(state);
  const effects: Effect[] = [];
  let next = state;
  let elsewhere = false;
  for (const { generation } of rolesOf(state)) {
    const stays = generation.id === active?.id;
    const held = stays && isHeld(state);
    const changed = changeWorkers(generation, (worker) => {
      if (!stays && worker.whileActive !== 'off') elsewhere = true;
      if (worker.whileActive !== 'on' || (stays && !held && !worker.isLeaving && worker.told !== 'pause'))
        return worker;
      effects.push({ do: 'deactivate', worker: worker.id });
      return { ...worker, whileActive: 'ending' };
    });
    next = replaceGeneration(next, changed);
  }
  const now = activeOf(next);
  if (!now || elsewhere || isHeld(state)) return { state: next, effects };
  const changed = changeWorkers(now, (worker) => {
    if (worker.whileActive !== 'off' || !staysOpen(worker)) return worker;
    effects.push({ do: 'activate', worker: worker.id });
    return { ...worker, whileActive: 'on' };
  });
  return { state: replaceGeneration(next, changed), effects };
}
