import { commonOf, rolesOf } from '../state/generations.ts';
import { amendEntry } from '../state/history.ts';
import type { Effect, In, PlannedStop, State, Step } from '../state/state.ts';
import { endBake } from './bake-period.ts';
import { completeEarly, timesOf } from './complete.ts';
import { forgetDrained, WHOLE } from './drained.ts';
import { failOrder, failWith } from './refusals.ts';
import { discard, retire } from './retire.ts';
import { announce, before, type On, to } from './rule.ts';
import { tellingMs } from './withdraw.ts';

type Running = Exclude<State, { phase: 'stopping' | 'stopped' }>;

/** Stops, after load balancers have been told where that is wanted. A second order does not wait any more. */
export function stop(state: Running, { request, at, why }: On<'stop-asked'>): Step {
  const { requests } = state.plannedStop ?? { requests: [] };
  const plannedStop = { requests: [...requests, request], why };
  const forMs = state.plannedStop ? 0 : tellingMs(state, at);
  if (forMs === 0) return stopNow({ ...state, plannedStop }, at);
  return to(
    { ...state, plannedStop },
    announce('info', 'withdrawing', { forMs, reason: `load balancers are told before the stop: ${why}` }),
    {
      do: 'set-deadline',
      deadline: 'stop-due',
      about: WHOLE,
      afterMs: forMs
    }
  );
}

/** Stops as was planned. */
export function stopNow(state: State, at: number): Step {
  const { plannedStop } = state;
  if (!plannedStop || state.phase === 'stopping' || state.phase === 'stopped') return to(state);
  const clear: Effect = { do: 'clear-deadline', deadline: 'stop-due', about: WHOLE };
  return before([clear], endAll({ ...state, plannedStop: null }, plannedStop, at));
}

/** Ends every generation gracefully. An order in progress gets its one answer first. */
function endAll(state: Running, { requests, why }: PlannedStop, at: number): Step {
  const effects: Effect[] = [announce('info', 'stopping', { reason: why }), ...answerInterrupted(state, at)];
  if (state.phase === 'migrating') effects.push({ do: 'cancel-before-cutover' });
  const roles = rolesOf(state).filter(({ role }) => role !== 'retiring');
  let next: State = { ...commonOf(state), phase: 'stopping', requests };
  for (const { role, generation } of roles) {
    if (role === 'candidate' && generation.readyAt === null) {
      const ended = discard(next, generation, 'the supervisor was asked to stop', at);
      next = ended.state;
      effects.push(...ended.effects);
      continue;
    }
    for (const worker of generation.workers)
      effects.push({ do: 'pause', worker: worker.id, receivers: false, last: true });
    const ended = retire(next, generation, why, false, at);
    next = amendEntry(ended.state, generation.id, { reason: generation.rejected ?? why });
    effects.push(...ended.effects);
  }
  // Nobody takes over any more from those that are being retired, either.
  for (const { generation } of state.retiring) {
    for (const { id, phase } of generation.workers)
      if (phase === 'draining') effects.push({ do: 'drain', worker: id, receivers: false });
  }
  return to(next, ...effects, { do: 'close-listeners' });
}

function answerInterrupted(state: Running, at: number): readonly Effect[] {
  if (state.phase === 'steady') return endBake(completeEarly(state), 'the supervisor was asked to stop').effects;
  if (state.phase === 'pausing') {
    const { order, leaving, active, openedAt, acceptedAt } = state;
    const times = timesOf(order, openedAt, acceptedAt, at);
    const over = { rampMs: 0, handed: true, reached: true, closed: [] };
    const completed = { ...order, from: leaving.id, to: active.id, ...times, ...over };
    const { request, verdict } = order;
    const told: Effect[] =
      request === null ? [] : [{ do: 'reply', request, reply: { ok: true, completed, kept: null } }];
    return verdict ? [...told, ...failOrder(state, { ...order, request: null }, CODE, ABANDONED(leaving.id))] : told;
  }
  const given = 'candidate' in state ? state.candidate : state.next;
  const account = ABANDONED(given.id);
  return state.phase === 'booting'
    ? [failWith(state, state.request, CODE, account)]
    : failOrder(state, state.order, CODE, account);
}

const CODE = 'HANDOVER_ERR_CANDIDATE_ABANDONED';
const ABANDONED = (generation: number) => ({
  what: `Generation ${generation} was given up`,
  why: 'the supervisor was asked to stop',
  fix: 'Start the supervisor again'
});

export function joinStop(state: In<'stopping'>, { request }: On<'stop-asked'>): Step {
  return to({ ...state, requests: [...state.requests, request] });
}

export function answerStopped(state: In<'stopped'>, { request }: On<'stop-asked'>): Step {
  return to(state, { do: 'reply', request, reply: { ok: true, stopped: true } });
}

/** Stopping ends when the last worker has exited. */
export function finish(state: State): Step {
  if (state.phase !== 'stopping' || state.retiring.length > 0) return to(state);
  const { state: last, effects } = forgetDrained(state);
  return to(
    { ...commonOf(last), phase: 'stopped' },
    ...effects,
    announce('info', 'stopped'),
    ...state.requests.map((request): Effect => ({ do: 'reply', request, reply: { ok: true, stopped: true } }))
  );
}
