import { activeOf, changeWorkers, replaceGeneration, staysOpen } from '../state/generations.ts';
import type { Effect, Generation, State, Step, Worker } from '../state/state.ts';
import { isHeld } from './hold.ts';

/**
 * Decides whether the standby covers for the active generation: it accepts while no worker of the active generation does,
 * and pauses again as soon as a replacement accepts.
 *
 * It stays the standby: nothing is rolled back, and the connections it took move to the replacement.
 */
export function reconcileCover(state: State): Step {
  const active = activeOf(state);
  const standby = 'standby' in state ? state.standby : null;
  if (!active || !standby || !mayCover(state, active, standby)) return { state, effects: [] };
  // Worker by worker, both generations serve.
  const serving = state.phase === 'rolling' ? [...active.workers, ...state.next.workers] : active.workers;
  return serving.some(({ phase }) => phase === 'accepting')
    ? endCover(state, standby)
    : beginCover(state, standby, active);
}

/** The workers that accept for the service: those of the active generation, or of the standby that covers for it. */
export function acceptorsOf(state: State): readonly Worker[] {
  const standby = 'standby' in state ? state.standby : null;
  const first = state.phase === 'rolling' ? state.next : null;
  for (const generation of [first, activeOf(state), standby]) {
    const accepting = generation?.workers.filter(staysOpen) ?? [];
    if (accepting.length > 0) return isHeld(state) ? [] : accepting;
  }
  return [];
}

/** A rejected standby never covers, nor does any under `exclusive`; the connections wait for a replacement instead. */
function mayCover(state: State, active: Generation, standby: Generation): boolean {
  if (standby.rejected !== null || active.strategy === 'exclusive' || isHeld(state)) return false;
  if ('order' in state && state.order.strategy === 'exclusive') return false;
  // Nor where the strategy itself told the last worker to leave: its successor is on its way.
  return state.phase !== 'rolling' || !active.workers.some(({ told, isLeaving }) => told === 'pause' || isLeaving);
}

/** Whether the standby serves at the moment. */
export function isCovering(standby: Generation): boolean {
  return standby.workers.some(({ covers }) => covers);
}

function beginCover(state: State, standby: Generation, active: Generation): Step {
  const effects: Effect[] = [];
  const changed = changeWorkers(standby, (worker) => {
    if (worker.covers || (worker.phase !== 'paused' && worker.phase !== 'ready')) return worker;
    effects.push({ do: 'accept', worker: worker.id });
    return { ...worker, covers: true };
  });
  if (effects.length === 0) return { state, effects };
  const reason = `no worker of generation ${active.id} accepts`;
  const notice = { level: 'warn', event: 'covering', generation: standby.id, reason } as const;
  return { state: replaceGeneration(state, changed), effects: [...effects, { do: 'announce', notice }] };
}

function endCover(state: State, standby: Generation): Step {
  const effects: Effect[] = [];
  const changed = changeWorkers(standby, (worker) => {
    if (!worker.covers) return worker;
    effects.push({ do: 'pause', worker: worker.id, receivers: true });
    return { ...worker, covers: false };
  });
  if (effects.length === 0) return { state, effects };
  const notice = { level: 'info', event: 'cover-over', generation: standby.id } as const;
  return { state: replaceGeneration(state, changed), effects: [...effects, { do: 'announce', notice }] };
}
