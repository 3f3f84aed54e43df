import { addWorkers, areAll, changeWorkers, limitsFor, remainingWorkersOf, staysOpen } from '../state/generations.ts';
import type { Effect, Generation, In, State, Step } from '../state/state.ts';
import { amendCutover, announceCutover, completeCutover, makeRoom } from './complete.ts';
import { letWorkerGo } from './replace-worker.ts';
import { ANSWER_MS, retire } from './retire.ts';
import { before, to } from './rule.ts';
import { measureSurge } from './surge.ts';

/** How many workers there may be beyond the size, and how many may be missing. In place, there is no surge. */
function boundsOf({ limits, order, next }: Rolling): { surge: number; unavailable: number } {
  return order.strategy === 'in-place' ? { surge: 0, unavailable: 1 } : measureSurge(limits, next.size);
}

type Rolling = In<'rolling'>;

/** Begins a handover that goes worker by worker. In place there is no room for a standby. */
export function beginRoll(state: Omit<Rolling, 'phase' | 'next' | 'openedAt'>, next: Generation, at: number): Step {
  const rolling: Rolling = { ...state, phase: 'rolling', next, openedAt: null };
  const { standby, order } = state;
  if (order.strategy !== 'in-place' || standby === null) return to(rolling);
  return retire({ ...rolling, standby: null }, standby, 'an in-place handover needs the room', true, at);
}

/**
 * Takes a handover that goes worker by worker as far as it can go now: successors are started, checked and told to
 * accept, and workers of the active generation leave as far as enough others accept.
 */
export function reconcileRoll(state: State, at: number): Step {
  if (state.phase !== 'rolling') return to(state);
  let next = state;
  const effects: Effect[] = [];
  for (const move of [advanceSuccessors, letGo, startSuccessors]) {
    const moved = move(next, at);
    next = moved.state as Rolling;
    effects.push(...moved.effects);
  }
  return before(effects, finishRoll(next, at));
}

/** Has workers checked that are ready, and tells those to accept that are checked. */
function advanceSuccessors(state: Rolling, at: number): Step {
  const { limits, next, openedAt } = state;
  const effects: Effect[] = [];
  const led = changeWorkers(next, (worker) => {
    if (worker.phase !== 'ready' || worker.told !== null) return worker;
    if (limits.checkMs !== null && !worker.proven) {
      effects.push({ do: 'check', generation: next.id, worker: worker.id });
      effects.push({ do: 'set-deadline', deadline: 'check-overdue', about: next.id, afterMs: limits.checkMs });
      return { ...worker, told: 'check' };
    }
    effects.push({ do: 'accept', worker: worker.id });
    effects.push({ do: 'set-deadline', deadline: 'open-overdue', about: next.id, afterMs: ANSWER_MS });
    return { ...worker, told: 'accept' };
  });
  const opened = openedAt ?? (led.workers.some(staysOpen) ? at : null);
  return to({ ...state, next: led, openedAt: opened }, ...effects);
}

/** Makes workers of the active generation leave, as far as enough others accept. */
function letGo(state: Rolling): Step {
  const { active, next, limits, order } = state;
  const needed = next.size - boundsOf(state).unavailable;
  let serving = active.workers.filter(staysOpen).length + next.workers.filter(staysOpen).length;
  const effects: Effect[] = [];
  const staysWarm = order.strategy === 'rolling' && limits.keepWarmMs !== 0;
  const left = changeWorkers(active, (worker) => {
    if (worker.isLeaving || worker.told === 'pause' || worker.phase === 'down') return worker;
    const serves = staysOpen(worker);
    if (serves && serving - 1 < needed) return worker;
    if (serves) serving -= 1;
    if (!staysWarm) return letWorkerGo(worker, effects, limitsFor(state, active));
    if (worker.phase !== 'accepting') return worker;
    effects.push({ do: 'pause', worker: worker.id, receivers: true });
    effects.push({ do: 'set-deadline', deadline: 'pause-overdue', about: active.id, afterMs: ANSWER_MS });
    return { ...worker, told: 'pause' };
  });
  return to({ ...state, active: left }, ...effects);
}

/** Starts successors, as many as there is room for. */
function startSuccessors(state: Rolling): Step {
  const { active, next, order, limits } = state;
  // In place, a worker that leaves still takes up memory; under `rolling`, paused workers are kept on purpose.
  const before = order.strategy === 'in-place' ? active.workers.length : active.workers.filter(staysOpen).length;
  const room = next.size + boundsOf(state).surge - before - next.workers.length;
  const count = Math.min(room, next.size - remainingWorkersOf(next).length);
  if (count <= 0) return to(state);
  const grown = addWorkers(next, count);
  return to({ ...state, next: grown.generation }, ...grown.effects, {
    do: 'set-deadline',
    deadline: 'ready-overdue',
    about: next.id,
    afterMs: limits.readyMs
  });
}

/** The last worker of the next generation accepts, and the last of the active one has stopped: that is the cutover. */
function finishRoll(state: Rolling, at: number): Step {
  const { active, next, order, openedAt, standby } = state;
  if (next.workers.filter(staysOpen).length < next.size || !areAll.paused(active)) return to(state);
  const told = (generation: Generation) => changeWorkers(generation, (worker) => ({ ...worker, told: null }));
  const cutover = { active: told(next), leaving: told(active), order, openedAt: openedAt ?? at, acceptedAt: at };
  // A replacement that was told to accept and has not confirmed it would otherwise go on accepting after the cutover.
  const late = active.workers.filter((worker) => worker.phase === 'ready' && worker.told === null);
  const effects: Effect[] = [
    ...late.map((worker): Effect => ({ do: 'pause', worker: worker.id, receivers: true })),
    { do: 'clear-deadline', deadline: 'pause-overdue', about: active.id },
    announceCutover(cutover)
  ];
  const gone = makeRoom(amendCutover(state, cutover, at), standby, active.id, at);
  return before([...effects, ...gone.effects], completeCutover(gone.state, cutover, at));
}

/** Rolling: a worker did not confirm its pause in time. It is too busy to accept much, and is told again when retired. */
export function continueUnpaused(state: Rolling): Step {
  const active = changeWorkers(state.active, (worker) =>
    worker.told === 'pause' && worker.phase === 'accepting' ? { ...worker, phase: 'paused' } : worker
  );
  return to({ ...state, active });
}
