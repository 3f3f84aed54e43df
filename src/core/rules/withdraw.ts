import type { Generation, In, State, Step } from '../state/state.ts';
import { acceptorsOf } from './cover.ts';
import { quieten } from './exclusive.ts';
import { beginRoll } from './rolling.ts';
import { announce, type On, to } from './rule.ts';

type Underway = Omit<In<'withdrawing'>, 'phase' | 'candidate'>;

/**
 * How long load balancers still have to be told before something changes: nothing where nobody serves, and less where an
 * operator has drained the service a while ago.
 */
export function tellingMs(state: State, at: number): number {
  if (acceptorsOf(state).length === 0) return 0;
  const { limits, drained } = state;
  // What an earlier version of this package has saved does not say.
  const neededMs = limits.drainBeforeMs ?? 0;
  return Math.max(0, neededMs - (drained ? at - drained.since : 0));
}

/** Tells load balancers first, then lets the handover go on. A rollback is not made to wait. */
export function withdrawFirst(state: Underway, candidate: Generation, at: number): Step {
  const withdrawing: In<'withdrawing'> = { ...state, phase: 'withdrawing', candidate };
  const afterMs = state.order.kind === 'rollback' ? 0 : tellingMs(withdrawing, at);
  if (afterMs === 0) return goOn(withdrawing, at);
  const { id: generation } = candidate;
  const reason = `load balancers are told before the ${state.order.strategy} handover`;
  return to(withdrawing, announce('info', 'withdrawing', { generation, forMs: afterMs, reason }), {
    do: 'set-deadline',
    deadline: 'withdraw-over',
    about: generation,
    afterMs
  });
}

/** Withdrawing: load balancers have looked. */
export function endWithdrawing(state: In<'withdrawing'>, { at }: On<'withdraw-over'>): Step {
  return goOn(state, at);
}

function goOn({ candidate, ...state }: In<'withdrawing'>, at: number): Step {
  return state.order.strategy === 'exclusive' ? quieten(state, candidate, at) : beginRoll(state, candidate, at);
}
