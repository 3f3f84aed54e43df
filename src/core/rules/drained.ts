import { activeOf } from '../state/generations.ts';
import type { Drained, Effect, News, State, Step } from '../state/state.ts';
import { refuseStopping } from './refusals.ts';
import { announce, to } from './rule.ts';

type Of<T extends News['type']> = Extract<News, { type: T }>;

/** The whole has no number. */
export const WHOLE = 0;

/** The operator takes the service out of its load balancers. Once more: for another time, or another way. */
export function drain(state: State, event: Of<'drain-asked'>): Step {
  const { request, at, forMs, closesIdle, by } = event;
  if (isStopping(state)) return refuseStopping(state, event);
  const until = forMs === null ? null : at + forMs;
  const drained: Drained = { since: state.drained?.since ?? at, until, closesIdle, by };
  const next = { ...state, drained };
  return to(
    next,
    clearDue,
    ...(forMs === null ? [] : [setDue(forMs)]),
    announce('info', 'drained', {
      until: until === null ? null : new Date(until).toISOString(),
      closeIdle: closesIdle
    }),
    answer(next, request, state.drained)
  );
}

/** The operator puts it back. */
export function undrain(state: State, event: Of<'undrain-asked'>): Step {
  if (isStopping(state)) return refuseStopping(state, event);
  const ended = end(state, 'asked by the operator');
  return to(ended.state, ...ended.effects, answer(ended.state, event.request, state.drained));
}

/** Its time is over. */
export function undrainInTime(state: State): Step {
  return end(state, 'its time is over');
}

function end(state: State, reason: string): Step {
  if (!state.drained) return to(state);
  return to({ ...state, drained: null }, clearDue, announce('info', 'undrained', { reason }));
}

/** After a stop nothing is drained any more. */
export function forgetDrained(state: State): Step {
  return state.drained ? to({ ...state, drained: null }, clearDue) : to(state);
}

/** What a supervisor that takes over sets anew. */
export function renewDue({ drained }: State, at: number): Effect[] {
  return drained && drained.until !== null ? [setDue(Math.max(0, drained.until - at))] : [];
}

function isStopping({ phase, plannedStop }: State): boolean {
  return phase === 'stopping' || phase === 'stopped' || plannedStop !== null;
}

function setDue(afterMs: number): Effect {
  return { do: 'set-deadline', deadline: 'undrain-due', about: WHOLE, afterMs };
}

const clearDue: Effect = { do: 'clear-deadline', deadline: 'undrain-due', about: WHOLE };

function answer(state: State, request: number, before: Drained | null): Effect {
  const { drained } = state;
  return { do: 'reply', request, reply: { ok: true, drained, before, active: activeOf(state)?.id ?? null } };
}
