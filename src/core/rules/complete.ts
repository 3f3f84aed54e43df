import { areAll, commonOf, remainingWorkersOf, sizeAfter } from '../state/generations.ts';
import { amendEntry, endActive } from '../state/history.ts';
import type { Completion, Effect, Generation, In, Order, Scaling, State, Step } from '../state/state.ts';
import { beginBake, type SteadyStep } from './bake-period.ts';
import { failWith, stillActive, tellRejected } from './refusals.ts';
import { resize } from './replace-worker.ts';
import { retire } from './retire.ts';
import { announce, before, type On, to } from './rule.ts';

/** How long nobody may answer on an address after a cutover. */
export const REACH_MS = 10_000;
const NOT_SERVED = 'this version does not listen there';

/** The times of an order, when the generation before has stopped accepting. */
export function timesOf(order: Order, openedAt: number, acceptedAt: number, at: number) {
  return {
    bootMs: order.warm ? 0 : openedAt - order.askedAt,
    cutoverMs: at - openedAt,
    tookMs: acceptedAt - order.askedAt,
    gapMs: order.heldAt === null ? null : acceptedAt - order.heldAt
  };
}

/** A change of the active generation. */
export interface Cutover {
  readonly active: Generation;
  readonly leaving: Generation;
  readonly order: Order;
  readonly openedAt: number;
  readonly acceptedAt: number;
}

/** The new generation is active, and the one before has stopped accepting: it is kept warm, or retired. */
export function completeCutover(state: State, cutover: Cutover, at: number): Step {
  const { leaving, order, openedAt, acceptedAt } = cutover;
  const { limits } = state;
  // Scaling holds for rollbacks too: the version before gets as many workers as the one that leaves was scaled to.
  const size = order.kind === 'rollback' ? sizeAfter(leaving, cutover.active.size) : cutover.active.size;
  const sized = size === cutover.active.size ? null : resize(cutover.active, size, limits);
  const active = sized?.generation ?? cutover.active;
  const times = timesOf(order, openedAt, acceptedAt, at);
  const open = { handed: false, rampMs: 0, reached: false, closed: [] };
  const completing: Completion = { ...order, from: leaving.id, to: active.id, ...times, ...open };
  const baked = beginBake(limits, order, active, leaving.id, acceptedAt);
  const steady = { ...commonOf(state), phase: 'steady', active, completing, bake: baked.bake, scaling: null } as const;
  const effects: Effect[] = [
    ...(sized?.effects ?? []),
    ...baked.effects,
    { do: 'set-deadline', deadline: 'hand-overdue', about: leaving.id, afterMs: limits.budgetMs },
    { do: 'verify', generation: active.id },
    { do: 'set-deadline', deadline: 'reach-overdue', about: active.id, afterMs: REACH_MS }
  ];
  const { keepWarmMs } = limits;
  if (keepWarmMs === 0 || order.strategy === 'in-place') {
    const why = order.strategy === 'in-place' ? 'in-place keeps no standby' : 'no standby is kept (keepWarm 0)';
    const retired = retire({ ...steady, standby: null }, leaving, leaving.rejected ?? why, true, at);
    return before(effects, completeIfHanded(retired, leaving, at));
  }
  if (Number.isFinite(keepWarmMs)) {
    effects.push({ do: 'set-deadline', deadline: 'warm-over', about: leaving.id, afterMs: keepWarmMs });
  }
  // During a rolling handover, crashed workers of the old generation were not replaced.
  if (order.strategy === 'rolling' && remainingWorkersOf(leaving).length < leaving.size) {
    effects.push({ do: 'set-deadline', deadline: 'restart-due', about: leaving.id, afterMs: 0 });
  }
  const warm = amendEntry({ ...steady, standby: leaving }, active.id, { standby: leaving.id });
  return completeIfHanded(to(warm, ...effects), leaving, at);
}

/** Completes at once where no worker of the old generation is left: none could report that its connections have moved. */
function completeIfHanded(step: Step, leaving: Generation, at: number): Step {
  if (!areAll.handed(leaving) || leaving.workers.some(({ isLeaving }) => isLeaving)) return step;
  return before(step.effects, markHanded(step.state as In<'steady'>, { at }));
}

/** Steady: the idle connections have moved, or their time is over. */
export function markHanded(state: In<'steady'>, { at }: Pick<On<'all-handed'>, 'at'>): SteadyStep {
  const { completing } = state;
  if (!completing) return { state, effects: [] };
  const rampMs = Math.max(0, at - completing.askedAt - completing.bootMs - completing.cutoverMs);
  const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'hand-overdue', about: completing.from }];
  return completeIfDone({ ...state, completing: { ...completing, handed: true, rampMs } }, effects);
}

/** Steady: workers answer on every address. */
export function markReached(state: In<'steady'>, { about, closed }: On<'reached'>): SteadyStep {
  const { completing } = state;
  if (!completing) return { state, effects: [] };
  const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'reach-overdue', about }];
  if (closed.length > 0)
    effects.push(announce('info', 'closed', { generation: about, addresses: closed, reason: NOT_SERVED }));
  return completeIfDone({ ...state, completing: { ...completing, reached: true, closed } }, effects);
}

function completeIfDone(state: In<'steady'>, effects: readonly Effect[]): SteadyStep {
  if (!state.completing?.handed || !state.completing.reached) return { state, effects };
  const completed = complete(state);
  return { state: completed.state, effects: [...effects, ...completed.effects] };
}

/** Steady: the order is answered, or waits for the verdict. */
export function complete(state: In<'steady'>): SteadyStep {
  const { completing, bake } = state;
  if (!completing) return { state, effects: [] };
  const { request, waits, verdict } = completing;
  const effects = endWaiting(completing);
  if (verdict) effects.push(...tellRejected(state, verdict));
  const calm = { ...state, completing: null };
  if (waits && bake) return { state: { ...calm, bake: { ...bake, waiting: [...bake.waiting, completing] } }, effects };
  if (request !== null) effects.push({ do: 'reply', request, reply: { ok: true, completed: completing, kept: null } });
  return { state: calm, effects };
}

/** Nothing that a handover waits for after its cutover is waited for any more. */
export function endWaiting({ from, to: active, handed, reached }: Completion): Effect[] {
  const ended: Effect[] = [];
  if (!handed) ended.push({ do: 'clear-deadline', deadline: 'hand-overdue', about: from });
  if (!reached) ended.push({ do: 'clear-deadline', deadline: 'reach-overdue', about: active });
  return ended;
}

/**
 * Answers an earlier order early, because another one begins: a handover with what is done so far, an order to scale
 * with a failure that says how far it has come.
 */
export function completeEarly(state: In<'steady'>): SteadyStep {
  const completed = complete(state);
  const { scaling, active } = completed.state;
  if (!scaling) return completed;
  const fix = 'Scale again when `handover status` says steady';
  return {
    state: { ...completed.state, scaling: null },
    effects: [
      ...completed.effects,
      { do: 'clear-deadline', deadline: 'scale-overdue', about: active.id },
      failScaling(state, scaling, 'when the next order, or a rollback, began', fix)
    ]
  };
}

/** Answers an order to scale that the workers are not there. */
export function failScaling(state: In<'steady'>, { request, to: wanted }: Scaling, when: string, fix: string): Effect {
  const { active } = state;
  const accepting = active.workers.filter(({ phase }) => phase === 'accepting').length;
  return failWith(state, request, 'HANDOVER_ERR_WORKER_SCALE', {
    what: `Generation ${active.id} has not come to ${wanted} workers`,
    why: `${accepting} accepted ${when}`,
    fix: `${fix}; ${stillActive(active)}`
  });
}

/** Notes in the history which generation is active from now on, and what becomes of the one before. */
export function amendCutover(state: State, { active, leaving, order }: Cutover, at: number): State {
  const ended = endActive(state, leaving.id, at);
  const next = amendEntry(ended, active.id, { activeAt: at, outcome: 'active', reason: null });
  const back = order.kind === 'rollback' ? `rolled back to generation ${active.id}` : null;
  return leaving.rejected === null
    ? amendEntry(next, leaving.id, { outcome: 'standby', reason: back })
    : amendEntry(next, leaving.id, { outcome: 'rejected', reason: leaving.rejected });
}

export function announceCutover({ active, leaving, order, acceptedAt }: Cutover): Effect {
  const { kind, strategy, askedAt } = order;
  const tookMs = acceptedAt - askedAt;
  return announce('info', 'cutover', {
    generation: active.id,
    from: leaving.id,
    to: active.id,
    kind,
    strategy,
    tookMs
  });
}

/** Retires the previous standby, since another one takes its place. The caller leaves it out of the next state. */
export function makeRoom(state: State, standby: Generation | null, receiver: number, at: number): Step {
  return standby ? retire(state, standby, `generation ${receiver} is the standby now`, true, at) : to(state);
}
