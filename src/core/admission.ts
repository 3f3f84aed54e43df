import { activeOf, rolesOf } from './state/generations.ts';
import type { Drained, State } from './state/state.ts';

/** Whether the service can be sent clients. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not; null where it can. */
  readonly reason: string | null;
  /** How many of the workers that the active generation is to have accept and answer, 0-1. Whoever comes is served above 0. */
  readonly servingShare: number;
}

/**
 * Says whether a load balancer should send clients here.
 *
 * @param isSilent whether the event loop of a worker has not answered for longer than a busy one takes
 */
export function describeReadiness(state: State, isSilent: (worker: string) => boolean): Readiness {
  const active = activeOf(state);
  const all = rolesOf(state).flatMap(({ generation, role }) => (role === 'retiring' ? [] : generation.workers));
  const accepting = all.filter(({ phase }) => phase === 'accepting');
  const serving = accepting.filter(({ id }) => !isSilent(id)).length;
  const servingShare = active ? Math.min(1, serving / active.size) : 0;
  const not = (reason: string): Readiness => ({ ready: false, reason, servingShare });
  if (state.phase === 'stopping' || state.phase === 'stopped' || state.plannedStop)
    return not('the service is stopping');
  if (!active) return not('the first generation is starting');
  if (serving === 0) {
    if (accepting.length > 0) return not(`no worker answers: ${accepting.map(({ id }) => id).join(', ')}`);
    const why = state.phase === 'steady' ? 'they are being replaced' : `a handover is ${state.phase}`;
    return not(`no worker of generation ${active.id} accepts: ${why}`);
  }
  if (state.drained) return not(describeDrained(state.drained));
  if (isWithdrawn(state)) return not(`an ${state.order.strategy} handover is ${state.phase}`);
  return { ready: true, reason: null, servingShare };
}

/** Whether a handover goes on of which load balancers are told, although workers accept. */
function isWithdrawn(state: State): state is Extract<State, { phase: 'withdrawing' | 'rolling' }> {
  if (state.phase === 'withdrawing') return true;
  const { drainBeforeMs } = state.limits;
  return state.phase === 'rolling' && drainBeforeMs > 0 && state.order.strategy === 'in-place';
}

/** By whom a service is drained, and until when. */
export function describeDrained({ by, until }: Drained): string {
  const who = by?.sudoUser ?? by?.user ?? (by?.uid == null ? 'an operator' : `uid ${by.uid}`);
  return `it was drained by ${who}${until === null ? '' : ` until ${new Date(until).toISOString()}`}`;
}
