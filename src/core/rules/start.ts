import { commonOf, createGeneration, fillWorkers, limitsFor } from '../state/generations.ts';
import { addEntry } from '../state/history.ts';
import type { Effect, Generation, In, Order, Release, State, Step } from '../state/state.ts';
import { endBake } from './bake-period.ts';
import { completeEarly } from './complete.ts';
import { abandon, giveUpNext } from './failures.ts';
import { refuseBusy } from './refusals.ts';
import { beginRoll } from './rolling.ts';
import { announce, before, type On, takeOrder, to } from './rule.ts';
import { withdrawFirst } from './withdraw.ts';

/** Starts the first generation. */
export function boot(state: In<'stopped'>, { request, at, release, size, strategy }: On<'boot-asked'>): Step {
  const id = state.lastGeneration + 1;
  const { generation, effects } = fillWorkers(createGeneration(id, release, size, strategy, at));
  const next: State = { ...state, phase: 'booting', candidate: generation, lastGeneration: id, request };
  const opened = addEntry(next, generation, { kind: 'run', strategy });
  return to(opened, announceStart(generation), ...effects, readyDeadline(next, id));
}

/** Starts a candidate beside the active generation, which is not touched. */
export function startCandidate(state: In<'steady'>, event: On<'reload-asked'>): Step {
  const { request, kind, strategy, at, waits, release, size, canary = null, operator = null } = event;
  const order: Order = { ...takeOrder({ request, kind, strategy, warm: false, askedAt: at }), waits, canary, operator };
  return startOrder(state, order, release, size);
}

/** Gives up a candidate that has not served yet for a newer one, if the order says `supersede`; else refuses. */
export function supersedeOrRefuse(state: In<'starting' | 'checking' | 'withdrawing'>, event: On<'reload-asked'>): Step {
  if (!event.supersedes) return refuseBusy(state, event);
  const ended = abandon(state, `it was superseded by generation ${state.lastGeneration + 1}`, event.at);
  return before(ended.effects, startCandidate(ended.state, event));
}

/** The same under `rolling`, as long as no new worker serves. */
export function supersedeRolling(state: In<'rolling'>, event: On<'reload-asked'>): Step {
  if (!event.supersedes || state.openedAt !== null) return refuseBusy(state, event);
  const why = `it was superseded by generation ${state.lastGeneration + 1}`;
  const ended = giveUpNext(state, { type: 'abandoned', why, at: event.at });
  return before(ended.effects, startCandidate(ended.state as In<'steady'>, event));
}

/** Begins an order that needs a new generation: at once, or worker by worker. */
export function startOrder(state: In<'steady'>, order: Order, release: Release, size: number): Step {
  const calm = endBake(completeEarly(state), 'the next handover began');
  const { active, standby } = calm.state;
  const id = state.lastGeneration + 1;
  const { strategy, askedAt } = order;
  const empty = createGeneration(id, release, size, strategy, askedAt);
  const common = { ...commonOf(calm.state), limits: limitsFor(calm.state, empty), lastGeneration: id };
  const beginning = announceStart(empty);
  if (strategy !== 'rolling' && strategy !== 'in-place') {
    const { generation, effects } = fillWorkers(empty);
    const next: State = { ...common, phase: 'starting', active, standby, candidate: generation, order };
    const opened = addEntry(next, generation, order);
    return before([...calm.effects, beginning], to(opened, ...effects, readyDeadline(next, id)));
  }
  // What follows is decided worker by worker: see reconcileRoll in rolling.ts.
  const underway = { ...common, active, standby, order };
  const opened = addEntry({ ...underway, phase: 'withdrawing', candidate: empty }, empty, order);
  const { phase: _, candidate: __, ...noted } = opened as In<'withdrawing'>;
  const step = strategy === 'in-place' ? withdrawFirst(noted, empty, askedAt) : beginRoll(noted, empty, askedAt);
  return before([...calm.effects, beginning], step);
}

function announceStart({ id, release, size, strategy }: Generation): Effect {
  return announce('info', 'starting', { generation: id, entry: release.file, workers: size, strategy });
}

function readyDeadline({ limits }: State, about: number): Effect {
  return { do: 'set-deadline', deadline: 'ready-overdue', about, afterMs: limits.readyMs };
}
