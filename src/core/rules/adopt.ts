import { areAll, canAccept, changeWorkers, commonOf, limitsFor, rolesOf } from '../state/generations.ts';
import { amendEntry, closeEntry } from '../state/history.ts';
import type { Abandoned, Effect, Generation, In, Limits, Retiring, State, Step, Worker } from '../state/state.ts';
import { resumeCanary } from './canary.ts';
import { markHanded, REACH_MS } from './complete.ts';
import { isCovering } from './cover.ts';
import { cutOver, keepWarm } from './cutover.ts';
import { renewDue } from './drained.ts';
import { abandon, giveUpNext } from './failures.ts';
import { startMissing } from './replace-worker.ts';
import { ANSWER_MS, endProcess } from './retire.ts';
import { before, to } from './rule.ts';

/** What a worker says to a supervisor that takes it over. */
export interface Adopted {
  /** Its last order that says whether it serves; null where there was none. */
  readonly told: 'accept' | 'pause' | 'hold' | 'drain' | null;
  /** Whether it can serve, as far as it says. */
  readonly ready: boolean;
  readonly accepting: boolean;
  readonly paused: boolean;
  readonly quiet: boolean;
  readonly handed: boolean;
  readonly drained: boolean;
  readonly whileActive: 'off' | 'on' | 'ending';
}

const WHY = 'its supervisor ended before the cutover';

/**
 * Goes on where an earlier supervisor ended, at whatever moment that was.
 *
 * A handover in progress ends with the side that accepts: before the cutover that is the active generation, and the
 * candidate is given up; where the next one accepts already, it is finished. What workers say counts more than what was noted.
 *
 * @param saved the state as the earlier supervisor noted it last
 * @param workers those that are still there, by their ids
 * @returns a state that is `steady`, `canary` or `pausing`; or `stopped` where nobody serves, with what is left of it on its way out
 */
export function adopt(saved: State, workers: ReadonlyMap<string, Adopted>, at: number): Step {
  // A stop that was waited for is nobody's order any more; what an earlier version saved knows neither.
  const known = { ...saved, drained: saved.drained ?? null, plannedStop: null };
  const step = settle(decide(meet(quiet(known), workers, at), at), at);
  return to(step.state, ...step.effects, ...renewDue(step.state, at));
}

/** Nobody waits for an answer any more. */
function quiet(state: State): State {
  if ('order' in state) {
    const verdict = state.order.verdict && { ...state.order.verdict, requests: [] };
    return { ...state, order: { ...state.order, request: null, waits: false, verdict } } as State;
  }
  if (state.phase !== 'steady') return state;
  const completing = state.completing && { ...state.completing, request: null, waits: false };
  return { ...state, completing, bake: state.bake && { ...state.bake, waiting: [] }, scaling: null };
}

/** Lets each generation be what its workers say. Those that are gone have exited. */
function meet(state: State, workers: ReadonlyMap<string, Adopted>, at: number): State {
  const meetAll = (generation: Generation): Generation => ({
    ...generation,
    workers: generation.workers.flatMap((worker) => {
      const said = workers.get(worker.id);
      return said ? [meetWorker(worker, said)] : [];
    })
  });
  const met: Record<string, unknown> = {};
  for (const { role, generation } of rolesOf(state)) if (role !== 'retiring') met[role] = meetAll(generation);
  const retiring: Retiring[] = state.retiring.map((item) => ({ ...item, generation: meetAll(item.generation) }));
  let next = {
    ...state,
    ...met,
    retiring: retiring.filter(({ generation }) => generation.workers.length > 0)
  } as State;
  for (const { generation, why } of retiring)
    if (generation.workers.length === 0) next = closeEntry(next, generation.id, why, at);
  return next;
}

function meetWorker(worker: Worker, said: Adopted): Worker {
  const { quiet, handed, drained, whileActive } = said;
  const known = { ...worker, quiet, handed, drained, whileActive, successor: null };
  if (worker.phase === 'ending' || worker.phase === 'down') return { ...known, phase: 'ending' };
  if (said.told === 'drain') return { ...known, phase: 'draining' };
  if (said.told === null) return { ...known, phase: said.ready ? 'ready' : 'starting', quiet: true };
  if (said.accepting && !said.paused) return { ...known, phase: 'accepting' };
  // Told to accept, and on the way to it; or to pause, and still accepting as far as anybody knows.
  if (said.told === 'accept') return { ...known, phase: 'ready' };
  return { ...known, phase: said.paused ? 'paused' : 'accepting' };
}

/** Ends what was in progress. */
function decide(state: State, at: number): Step {
  const given: Abandoned = { type: 'abandoned', why: WHY, at };
  switch (state.phase) {
    case 'starting':
    case 'checking':
    case 'withdrawing':
      return abandon(state, WHY, at);
    case 'opening':
      return accepts(state.next, state.order.heldAt !== null)
        ? cutOver(state, { type: 'all-accepting', about: state.next.id, at })
        : giveUpNext(state, given);
    case 'quieting':
    case 'migrating':
    case 'rolling':
      return giveUpNext(state, given);
    case 'canary':
      return resumeCanary(state, WHY, at);
    case 'pausing':
      return goOnPausing(state, at);
    case 'booting': {
      // It never served: another one is started.
      const { candidate } = state;
      const retiring = candidate.workers.length === 0 ? [] : [{ generation: allEnding(candidate), why: WHY }];
      const next: State = { ...commonOf(state), phase: 'stopped', retiring: [...state.retiring, ...retiring] };
      return to(amendEntry(next, candidate.id, { outcome: 'failed', reason: WHY, endedAt: at }));
    }
    case 'stopping':
      return to({ ...commonOf(state), phase: 'stopped' });
    default:
      return to(state);
  }
}

/** Whether a next generation serves: all of it, or, where the version before must not serve again, any of it. */
function accepts({ workers }: Generation, isHeld: boolean): boolean {
  const able = workers.filter(canAccept);
  const serves = ({ phase }: Worker) => phase === 'accepting';
  return isHeld ? able.some(serves) : able.length > 0 && able.every(serves);
}

function goOnPausing(state: In<'pausing'>, at: number): Step {
  const about = state.leaving.id;
  if (areAll.paused(state.leaving)) return keepWarm(state, { type: 'all-paused', about, at });
  const pauses = state.leaving.workers.map(({ id }): Effect => ({ do: 'pause', worker: id, receivers: true }));
  return to(state, ...pauses, { do: 'set-deadline', deadline: 'pause-overdue', about, afterMs: ANSWER_MS });
}

function allEnding(generation: Generation): Generation {
  return changeWorkers(generation, (worker) => ({ ...worker, phase: 'ending' }));
}

/** Tells every worker again what it is to do, and sets the deadlines that went with the earlier supervisor. */
function settle({ state, effects }: Step, at: number): Step {
  const more: Effect[] = [];
  let next = state;
  for (const { generation } of state.retiring) {
    const { drainMs } = limitsFor(state, generation);
    more.push({ do: 'set-deadline', deadline: 'drain-overdue', about: generation.id, afterMs: drainMs });
    for (const worker of generation.workers) more.push(...end(worker));
  }
  if (next.phase === 'steady' || next.phase === 'pausing' || next.phase === 'canary') {
    const active = settleWorkers(next.active, more, limitsFor(next, next.active));
    const filled = startMissing(active, limitsFor(next, active));
    more.push(...filled.effects);
    next = { ...next, active: filled.generation };
  }
  if (next.phase === 'canary') {
    const filled = startMissing(next.next, limitsFor(next, next.next));
    return to({ ...next, next: filled.generation }, ...effects, ...more, ...filled.effects);
  }
  if (next.phase === 'steady') {
    const settled = settleSteady(next, at, more);
    return before([...effects, ...more], settled);
  }
  return to(next, ...effects, ...more);
}

function end({ id, phase, drained }: Worker): Effect[] {
  if (phase !== 'ending' && !drained) return [{ do: 'drain', worker: id, receivers: true }];
  return endProcess(id, 'terminate');
}

/** The workers of a generation that serves. */
function settleWorkers(generation: Generation, effects: Effect[], limits: Limits): Generation {
  return changeWorkers(generation, (worker) => {
    const { id, phase, isLeaving } = worker;
    if (phase === 'ending' || isLeaving || phase === 'draining') {
      effects.push(...end(worker));
      if (phase !== 'ending')
        effects.push({ do: 'set-deadline', deadline: 'leave-overdue', about: id, afterMs: limits.drainMs });
      return phase === 'ending' ? worker : { ...worker, phase: 'draining', isLeaving: true };
    }
    if (phase === 'accepting') {
      // Counted as accepting, so that the standby does not cover in the meantime.
      if (worker.told !== null) effects.push({ do: 'accept', worker: id });
      return { ...worker, told: null };
    }
    if (phase !== 'starting') effects.push({ do: 'accept', worker: id });
    const afterMs = phase === 'starting' ? limits.readyMs : ANSWER_MS;
    effects.push({ do: 'set-deadline', deadline: 'worker-overdue', about: id, afterMs });
    return { ...worker, told: null };
  });
}

function settleSteady(state: In<'steady'>, at: number, effects: Effect[]): Step {
  const { active, standby, completing, bake, limits } = state;
  effects.push({ do: 'verify', generation: active.id });
  // Only a cutover that still waits for the answer is taken back without one.
  if (completing?.reached === false)
    effects.push({ do: 'set-deadline', deadline: 'reach-overdue', about: active.id, afterMs: REACH_MS });
  let next = state;
  if (bake) {
    const afterMs = Math.max(0, bake.since + bake.forMs - at);
    effects.push({ do: 'set-deadline', deadline: 'bake-over', about: active.id, afterMs });
  }
  if (standby) {
    // One that held for the version which serves now has still to hand over what it held.
    for (const { id, phase, covers, handed } of standby.workers)
      if ((phase === 'accepting' && !covers) || (phase === 'paused' && !handed))
        effects.push({ do: 'pause', worker: id, receivers: true });
    const since = state.history.find(({ generation }) => generation === active.id)?.activeAt ?? at;
    if (Number.isFinite(limits.keepWarmMs) && !isCovering(standby)) {
      const afterMs = Math.max(0, since + limits.keepWarmMs - at);
      effects.push({ do: 'set-deadline', deadline: 'warm-over', about: standby.id, afterMs });
    }
    const filled = startMissing(standby, limitsFor(state, standby));
    effects.push(...filled.effects);
    next = { ...next, standby: filled.generation };
  }
  if (!completing) return to(next);
  const from = [...(standby ? [standby] : []), ...state.retiring.map(({ generation }) => generation)];
  const leaving = from.find(({ id }) => id === completing.from);
  if (!leaving || areAll.handed(leaving)) return markHanded(next, { at });
  effects.push({ do: 'set-deadline', deadline: 'hand-overdue', about: completing.from, afterMs: limits.budgetMs });
  return to(next);
}
