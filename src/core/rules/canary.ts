import { type CanaryPlan, showBy } from '../routing/plan.ts';
import { changeWorkers, commonOf } from '../state/generations.ts';
import { amendEntry } from '../state/history.ts';
import type { Canary, Effect, Generation, In, Order, State, Step } from '../state/state.ts';
import { describeBoth } from '../verdict/figures.ts';
import { judge, NOTHING_MEASURED } from '../verdict/judge.ts';
import { openNext } from './cutover.ts';
import { giveUpNext, steadyWith } from './failures.ts';
import { failWith, refuseBusy, stillActive, tellRejected } from './refusals.ts';
import { retire } from './retire.ts';
import { answerAborted, rollBack } from './rollback.ts';
import { announce, before, type On, to } from './rule.ts';
import { startCandidate } from './start.ts';

type Sharing = In<'canary'>;

/** Lets the next generation, which is ready and checked, answer the first share beside the active one. */
export function beginCanary(
  underway: Omit<Sharing, 'phase' | 'next' | 'openedAt' | 'canary'>,
  next: Generation,
  plan: CanaryPlan,
  at: number
): Step {
  const { order, active } = underway;
  const shared = { ...next, isShared: true };
  const canary: Canary = { plan, ...beginShare(0, plan.steps[0] ?? 0, at) };
  // A reload that waits for the verdict is answered by that.
  const answered: Order = order.waits ? order : { ...order, request: null };
  const state: Sharing = {
    ...{ ...underway, phase: 'canary', active: { ...active, isShared: true }, next: shared },
    ...{ order: answered, openedAt: at, canary }
  };
  const reply = { ok: true, shared: canary, next: next.id, active: active.id, bootMs: at - order.askedAt } as const;
  const told: Effect[] = order.waits || order.request === null ? [] : [{ do: 'reply', request: order.request, reply }];
  return to(state, ...holdStep(state, at), announceShare(state), ...told);
}

function beginShare(step: number, share: number, since: number) {
  return { step, share, since, isLate: false, measured: null };
}

/** Sets the end of the step, where it ends by itself. */
function holdStep({ canary: { plan, since }, next }: Sharing, at: number): Effect[] {
  if (plan.holdMs === null) return [];
  const afterMs = Math.max(0, since + plan.holdMs - at);
  return [{ do: 'set-deadline', deadline: 'step-over', about: next.id, afterMs }];
}

function announceShare({ canary, next }: Sharing): Effect {
  const { plan, step, share } = canary;
  const steps = plan.steps.length > 1 ? { step: step + 1, steps: plan.steps.length } : {};
  const name = plan.name === null ? {} : { name: plan.name };
  return announce('info', 'canary', { generation: next.id, share, by: showBy(plan.by), ...steps, ...name });
}

/** Canary: another share from now on. */
function changeShare(state: Sharing, step: number, share: number, at: number): { state: Sharing; effects: Effect[] } {
  const changed = { ...state, canary: { ...state.canary, ...beginShare(step, share, at) } };
  return { state: changed, effects: [...holdStep(changed, at), announceShare(changed)] };
}

/** Canary: the operator gives it another share. The steps that are not larger are behind it. */
export function setShare(state: Sharing, { request, share, at }: On<'share-asked'>): Step {
  const step = Math.max(
    0,
    state.canary.plan.steps.findLastIndex((one) => one <= share)
  );
  const changed = changeShare(state, step, share, at);
  return to(changed.state, ...changed.effects, answerShared(changed.state, request));
}

function answerShared({ canary: shared, next, active, openedAt, order }: Sharing, request: number): Effect {
  const bootMs = openedAt - order.askedAt;
  return { do: 'reply', request, reply: { ok: true, shared, next: next.id, active: active.id, bootMs } };
}

/** Canary: what both have done since the share was last changed. */
export function compareShares(state: Sharing, { before: active, after, at }: On<'sampled'>): Step {
  const measured = { before: active, after };
  const known = { ...state, canary: { ...state.canary, measured } };
  if (!state.canary.plan.isJudged || state.next.rejected !== null) return to(known);
  const { decision, reason } = judge(active, after, state.limits.bake, false);
  if (decision === 'roll back') return rejectCanary(known, reason, at);
  return state.canary.isLate && hasEnough(known) ? concludeStep(known, at) : to(known);
}

/** Canary: the time of the step is over. With too few requests it goes on until they are there. */
export function endStep(state: Sharing, { at }: On<'step-over'>): Step {
  if (hasEnough(state)) return concludeStep(state, at);
  const { plan } = state.canary;
  const reason = `fewer than ${plan.minRequests} requests came to it, which is too few to judge by`;
  const late = { ...state, canary: { ...state.canary, isLate: true } };
  return to(late, announce('info', 'canary-waits', { generation: state.next.id, reason }));
}

function hasEnough({ canary: { plan, measured } }: Sharing): boolean {
  return (measured?.after.requests ?? 0) >= plan.minRequests;
}

/** The step is over, and the canary has answered enough: the next one, or the rest. */
function concludeStep(state: Sharing, at: number): Step {
  const { canary, limits, next } = state;
  const { before: active, after } = canary.measured ?? { before: null, after: NOTHING_MEASURED };
  const { decision, reason } = judge(active, after, limits.bake, true, canary.plan.minRequests);
  if (decision === 'roll back') return rejectCanary(state, reason, at);
  const step = canary.step + 1;
  const share = canary.plan.steps[step];
  if (share !== undefined) {
    const changed = changeShare(state, step, share, at);
    return to(changed.state, ...changed.effects);
  }
  const kept = announce('info', 'verdict', { generation: next.id, decision: 'keep', reason });
  return before([kept], takeRest(state, at));
}

/** The canary gets the rest: it becomes the active generation as in any handover. */
function takeRest(state: Sharing, at: number): Step {
  const { canary: _, openedAt, next, phase: __, ...underway } = state;
  // The time in which both answered is no part of the time that the handover took.
  const order = { ...state.order, askedAt: state.order.askedAt + (at - openedAt), canary: null };
  const ended: Effect = { do: 'clear-deadline', deadline: 'step-over', about: next.id };
  return before([ended], openNext({ ...underway, order }, next, at));
}

/** Canary: the operator gives it the rest. */
export function promoteCanary(state: Sharing, { request, at }: On<'promote-asked'>): Step {
  const { order } = state;
  const waiting: Effect[] =
    order.request === null
      ? []
      : [
          failWith(state, order.request, 'HANDOVER_ERR_CANDIDATE_ABANDONED', {
            what: 'Nobody waits for the verdict any more',
            why: `generation ${state.next.id} was promoted by the operator`,
            fix: 'Look at `handover status`'
          })
        ];
  return before(waiting, takeRest({ ...state, order: { ...order, request, waits: false } }, at));
}

/** Canary: it is worse than the active one. */
export function rejectCanary(state: Sharing, reason: string, at: number): Step {
  const { active, standby, order, canary, limits } = state;
  const next = { ...state.next, rejected: reason };
  const told = announce('error', 'verdict', { generation: next.id, decision: 'roll back', reason });
  const verdict = { decision: 'roll back', reason, ...describeBoth(canary.measured) } as const;
  const ended: Effect = { do: 'clear-deadline', deadline: 'step-over', about: next.id };
  if (!limits.rollsBack) {
    const wanted = announce('warn', 'rollback-wanted', { generation: next.id, reason: 'rollback is manual' });
    return to(amendEntry({ ...state, next }, next.id, { reason, verdict }), ended, told, wanted);
  }
  const steady: State = { ...commonOf(state), ...steadyWith(active, standby) };
  const retired = retire(steady, next, reason, true, at);
  const noted = amendEntry(retired.state, next.id, { outcome: 'rejected', reason, verdict });
  const requests = order.request === null ? [] : [order.request];
  return to(noted, ended, told, ...tellRejected(noted, { generation: next.id, reason, requests }), ...retired.effects);
}

/** Canary: one of its checks, asked again, has failed. */
export function rejectFailingCanary(state: Sharing, { check, why, at }: On<'check-failed'>): Step {
  if (!state.canary.plan.isJudged || state.next.rejected !== null) return to(state);
  return rejectCanary(state, `its check ${check} failed while it answered a share: ${why}`, at);
}

/** Canary: the operator gives it up. */
export function abortCanary(state: Sharing, { request, at }: On<'abort-asked'>): Step {
  const ended = giveUpCanary(state, 'it was aborted by the operator', at);
  return to(ended.state, ...ended.effects, answerAborted(request, state.next, state.active));
}

/** Canary: back to the active generation, which never ceased to answer; or to the standby, where that is named. */
export function rollBackCanary(state: Sharing, event: On<'rollback-asked'>): Step {
  const why = 'rolled back by the operator';
  const ended = giveUpCanary(state, why, event.at);
  if (event.to !== null && event.to !== state.active.id)
    return before(ended.effects, rollBack(ended.state as In<'steady'>, event));
  return to(ended.state, ...ended.effects, answerAborted(event.request, state.next, state.active, why));
}

/** Canary: another reload, which gives it up if it is told to. */
export function supersedeCanary(state: Sharing, event: On<'reload-asked'>): Step {
  if (!event.supersedes) return refuseBusy(state, event);
  const ended = giveUpCanary(state, `it was superseded by generation ${state.lastGeneration + 1}`, event.at);
  return before(ended.effects, startCandidate(ended.state as In<'steady'>, event));
}

function giveUpCanary(state: Sharing, why: string, at: number): Step {
  const ended: Effect = { do: 'clear-deadline', deadline: 'step-over', about: state.next.id };
  return before([ended], giveUpNext(state, { type: 'abandoned', why, at }));
}

/** Refuses another share where no canary answers. */
export function refuseNoCanary(state: State, { request }: On<'share-asked'>): Step {
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_NOT_BAKING', {
      what: 'Cannot change the share',
      why: 'no canary answers at the moment',
      fix: `Start one with \`handover reload --canary 5%\`; ${stillActive('active' in state ? state.active : null)}`
    })
  );
}

/** Goes on with a canary under another supervisor; where one of both cannot answer, it is given up. */
export function resumeCanary(state: Sharing, why: string, at: number): Step {
  const serves = state.active.workers.some(({ phase }) => phase === 'accepting');
  const canServe = state.next.workers.some(({ phase }) => phase === 'ready' || phase === 'accepting');
  if (!serves || !canServe) return giveUpNext(state, { type: 'abandoned', why, at });
  const next = changeWorkers(state.next, (worker) => ({ ...worker, told: null }));
  return to({ ...state, next }, ...holdStep(state, at));
}
