import { activeOf, rolesOf } from './state/generations.ts';
import type { State } from './state/state.ts';

/** Whether the service can be sent clients. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not; null where it can. */
  readonly reason: string | null;
}

const READY: Readiness = { ready: true, reason: null };

/**
 * Says whether a load balancer should send clients here.
 *
 * @param isSilent whether the event loop of a worker has not answered for longer than a busy one takes
 */
export function describeReadiness(state: State, isSilent: (worker: string) => boolean): Readiness {
  if (state.phase === 'stopping' || state.phase === 'stopped') return not('the service is stopping');
  const active = activeOf(state);
  if (!active) return not('the first generation is starting');
  const all = rolesOf(state).flatMap(({ generation, role }) => (role === 'retiring' ? [] : generation.workers));
  const accepting = all.filter(({ phase }) => phase === 'accepting');
  if (accepting.some(({ id }) => !isSilent(id))) return READY;
  if (accepting.length > 0) return not(`no worker answers: ${accepting.map(({ id }) => id).join(', ')}`);
  const why = state.phase === 'steady' ? 'they are being replaced' : `a handover is ${state.phase}`;
  return not(`no worker of generation ${active.id} accepts: ${why}`);
}

function not(reason: string): Readiness {
  return { ready: false, reason };
}
