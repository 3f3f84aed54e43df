import { commonOf, limitsFor, sizeAfter } from '../state/generations.ts';
import { amendEntry, releaseBefore } from '../state/history.ts';
import type { Effect, Generation, In, Order, Rejection, State, Step } from '../state/state.ts';
import { noteVerdict, type SteadyStep } from './bake-period.ts';
import { complete, completeEarly, endWaiting } from './complete.ts';
import { isCovering } from './cover.ts';
import { openNext } from './cutover.ts';
import { quieten } from './exclusive.ts';
import { abandon, giveUpNext } from './failures.ts';
import { failWith, refuseNothingWaits, stillActive, tellRejected } from './refusals.ts';
import { announce, before, type On, takeOrder, to } from './rule.ts';
import { startOrder } from './start.ts';

/** Whether a standby has a worker that can serve at once. */
export function isUsable(standby: Generation): boolean {
  return standby.workers.some(({ phase, covers }) => phase === 'paused' || phase === 'ready' || covers);
}

/** Rolls back to the standby, whose workers only have to accept again; in place, to the version before, from its files. */
export function rollBack(state: In<'steady'>, event: On<'rollback-asked'>): Step {
  const { request, at, to: wanted } = event;
  const { standby, active } = state;
  if (standby?.rejected != null && wanted !== standby.id) {
    return to(
      state,
      failWith(state, request, 'HANDOVER_ERR_REFUSED_REJECTED', {
        what: 'Cannot roll back',
        why: `standby generation ${standby.id} was rejected: ${standby.rejected}`,
        fix: `If you want it all the same: \`handover rollback --to ${standby.id}\`; ${stillActive(active)}`
      })
    );
  }
  const why = 'rolled back by the operator';
  if (standby && isUsable(standby)) {
    const { state: rested, effects, verdict } = endBakeAgainst(completeEarly(state), why);
    const strategy = active.strategy === 'exclusive' ? 'exclusive' : 'blue-green';
    const order = { ...takeOrder({ request, kind: 'rollback', strategy, warm: true, askedAt: at }), verdict };
    return before(effects, activateStandby(rested, standby, order, at));
  }
  const release = active.strategy === 'in-place' ? releaseBefore(state, active) : null;
  if (release) {
    // No standby is kept by this strategy: the version before is started from its files.
    const { state: rested, effects, verdict } = endBakeAgainst(completeEarly(state), why);
    const taken = takeOrder({ request, kind: 'rollback', strategy: 'in-place', warm: false, askedAt: at });
    return before(
      effects,
      startOrder(rested, { ...taken, verdict }, release, sizeAfter(active, release.settings?.workers))
    );
  }
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_NO_STANDBY', {
      what: 'Cannot roll back',
      why: standby
        ? `no worker of standby generation ${standby.id} can accept at the moment`
        : 'no earlier generation is kept warm',
      fix: `Start an earlier one again with \`handover rollback --to <generation>\` (see \`handover history\`); ${stillActive(active)}`
    })
  );
}

/** Ends the bake: the active generation is not kept. Orders that wait for the verdict are answered after the rollback. */
function endBakeAgainst({ state, effects }: SteadyStep, reason: string): SteadyStep & { readonly verdict: Rejection } {
  const { active, bake } = state;
  const requests = (bake?.waiting ?? []).flatMap(({ request }) => (request === null ? [] : [request]));
  return {
    state: { ...(bake ? noteVerdict(state, bake, 'roll back', reason).state : state), bake: null },
    effects: [...effects, { do: 'clear-deadline', deadline: 'bake-over', about: active.id }],
    verdict: { generation: active.id, reason, requests }
  };
}

/** Makes the standby the next active generation. */
export function activateStandby(state: In<'steady'>, standby: Generation, order: Order, at: number): Step {
  const limits = limitsFor(state, standby);
  const underway = { ...commonOf(state), limits, active: state.active, standby: null, order };
  const next = { ...standby, rejected: null };
  // A standby that covers is the only one that serves, so there is nobody to wait for.
  return order.strategy === 'exclusive' && !isCovering(standby)
    ? quieten(underway, next, at)
    : openNext(underway, next, at);
}

/** Steady: the operator ends the bake by a rollback. */
export function abortBake(state: In<'steady'>, event: On<'abort-asked'>): Step {
  return state.bake
    ? reject(state, 'aborted by the operator', event.at, event.request)
    : refuseNothingWaits(state, event);
}

const ABORTED = 'it was aborted by the operator';

/** Answers an `abort`: which generation was given up, and which one serves on. */
export function answerAborted(request: number, { id }: Generation, active: Generation, reason = ABORTED): Effect {
  return { do: 'reply', request, reply: { ok: true, abandoned: id, active: active.id, reason } };
}

/** Rolling or quieting: the operator gives the next generation up. */
export function abortNext(state: In<'rolling' | 'quieting'>, { request, at }: On<'abort-asked'>): Step {
  const ended = giveUpNext(state, { type: 'abandoned', why: ABORTED, at });
  return to(ended.state, ...ended.effects, answerAborted(request, state.next, state.active));
}

/** Migrating: the operator gives the next generation up. The active one serves again once `beforeCutover` has ended. */
export function abortMigrating(state: In<'migrating'>, { request, at }: On<'abort-asked'>): Step {
  const failing = state.failing ?? { type: 'abandoned', why: ABORTED, at };
  return to({ ...state, failing }, { do: 'cancel-before-cutover' }, answerAborted(request, state.next, state.active));
}

/** Starting, checking or withdrawing: the operator gives the candidate up. */
export function abortCandidate(
  state: In<'starting' | 'checking' | 'withdrawing'>,
  { request, at }: On<'abort-asked'>
): Step {
  const ended = abandon(state, ABORTED, at);
  return to(ended.state, ...ended.effects, answerAborted(request, state.candidate, state.active));
}

/**
 * Marks the active generation as rejected and rolls back: to the standby if it can serve, else to the version before,
 * from its files.
 *
 * @param request who asked for it; null where the measurement decided
 */
export function reject(state: In<'steady'>, reason: string, at: number, request: number | null): Step {
  const allowed = request !== null || state.limits.rollsBack;
  return goBack(endBakeAgainst(complete(state), reason), reason, at, request, allowed);
}

/**
 * Steady: an address is not answered since the cutover, so the version before comes back; not where that was rejected
 * itself, for one would follow the other without end.
 */
export function rejectUnreached(state: In<'steady'>, event: On<'unreached' | 'reach-overdue'>): Step {
  const { completing, active, standby } = state;
  // It has served for long, and it was a supervisor that came anew: no reason to take it back.
  if (!completing) return ignoreUnreached(state, event);
  const told = event.type === 'unreached' ? event.why : 'no worker has said so';
  const reason = `not every address is answered since the cutover: ${told}`;
  const waiting = completing.request === null ? [] : [completing.request];
  const calm = { state: { ...state, completing: null }, effects: endWaiting(completing) };
  const ended = endBakeAgainst(calm, reason);
  const verdict = { ...ended.verdict, requests: [...ended.verdict.requests, ...waiting] };
  const before = completing.verdict ? tellRejected(state, completing.verdict) : [];
  if (!standby?.rejected) {
    const effects = [...ended.effects, ...before];
    return goBack({ ...ended, effects, verdict }, reason, event.at, null, true);
  }
  const notice = announce('error', 'rollback-impossible', { generation: active.id, reason });
  return to(ended.state, ...ended.effects, ...before, notice, ...tellRejected(ended.state, verdict));
}

function ignoreUnreached(state: In<'steady'>, event: On<'unreached' | 'reach-overdue'>): Step {
  if (event.type === 'reach-overdue') return to(state);
  return to(state, announce('warn', 'unreached', { generation: state.active.id, reason: event.why }));
}

/** Marks the active generation as rejected; where it is allowed, the version before becomes the active one. */
function goBack(
  { state: calm, effects: ended, verdict }: SteadyStep & { readonly verdict: Rejection },
  reason: string,
  at: number,
  request: number | null,
  allowed: boolean
): Step {
  const { standby } = calm;
  const active = { ...calm.active, rejected: reason };
  const { id, strategy } = active;
  const effects = [...ended, announce('error', 'verdict', { generation: id, decision: 'roll back', reason })];
  const marked = amendEntry({ ...calm, active }, id, { reason }) as In<'steady'>;
  if (!allowed) {
    effects.push(announce('warn', 'rollback-wanted', { generation: id, reason: 'rollback is manual' }));
    return to(marked, ...effects, ...tellRejected(marked, verdict));
  }
  const warm = standby !== null && isUsable(standby);
  const back = strategy === 'exclusive' || warm === false ? strategy : 'blue-green';
  const order: Order = { ...takeOrder({ request, kind: 'rollback', strategy: back, warm, askedAt: at }), verdict };
  if (warm) {
    const left = completeEarly(marked);
    return before([...effects, ...left.effects], activateStandby(left.state, standby, order, at));
  }
  const release = releaseBefore(marked, active);
  if (release) return before(effects, startOrder(marked, order, release, sizeAfter(active, release.settings?.workers)));
  effects.push(announce('error', 'rollback-impossible', { generation: id, reason: 'no earlier version is known' }));
  return to(marked, ...effects, ...tellRejected(marked, verdict), ...cannotAbort(marked, request));
}

function cannotAbort(state: State, request: number | null): Effect[] {
  if (request === null) return [];
  return [
    failWith(state, request, 'HANDOVER_ERR_REFUSED_NO_STANDBY', {
      what: 'Cannot abort',
      why: 'no earlier generation is kept warm, and none is in the history',
      fix: `Reload with the entry of the earlier version; ${stillActive('active' in state ? state.active : null)}`
    })
  ];
}
