import { canAccept, changeWorkers } from '../state/generations.ts';
import type { Effect, Generation, State } from '../state/state.ts';

/** Whether the active generation must not serve, because the next one may begin to at any moment. */
export function isHeld(state: State): boolean {
  if (state.phase === 'quieting' || state.phase === 'migrating') return true;
  return state.phase === 'opening' && state.order.heldAt !== null;
}

/** Tells the workers of a generation to stop serving and to keep their connections. */
export function hold(generation: Generation): { generation: Generation; effects: readonly Effect[] } {
  const effects: Effect[] = [];
  const held = changeWorkers(generation, (worker) => {
    if (!canAccept(worker)) return worker;
    effects.push({ do: 'hold', worker: worker.id, yields: false });
    return { ...worker, quiet: false, told: 'hold' };
  });
  return { generation: held, effects };
}

/**
 * Tells workers that hold that the next generation may serve from here on. Without this, if the supervisor were killed,
 * both generations would serve.
 */
export function yieldHeld(generation: Generation): Effect[] {
  const held = generation.workers.filter((worker) => worker.told === 'hold' && canAccept(worker));
  return held.map(({ id }) => ({ do: 'hold', worker: id, yields: true }));
}

/** Makes a generation serve again that was held, or part of which was paused. */
export function resume(generation: Generation): { generation: Generation; effects: readonly Effect[] } {
  const effects: Effect[] = [];
  const resumed = changeWorkers(generation, (worker) => {
    const serves = worker.phase === 'accepting' && worker.told === null;
    if (serves || !canAccept(worker)) return worker;
    effects.push({ do: 'accept', worker: worker.id });
    // Counted as accepting at once, so that the standby does not cover in the meantime.
    return { ...worker, phase: 'accepting', quiet: false, told: null };
  });
  return { generation: resumed, effects };
}
