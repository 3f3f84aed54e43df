import { activeOf, rolesOf } from './state/generations.ts';
import { isoTime } from './state/history.ts';
import type { State } from './state/state.ts';
import type { WorkerFacts } from './status.ts';

/** How the connections of a generation left at its handover, by kind and way. */
export interface LeftConnections {
  /** The generation that they left. */
  readonly from: number;
  /** Such as `{"websocket":{"closed":40}}`, with `reasons` where some could not be carried. */
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The same, with what is still there. */
export interface LastHandover extends LeftConnections {
  /** Connections by kind that are still with that generation. */
  readonly remaining: Readonly<Record<string, number>>;
  /** Until when at the latest they may stay, ISO 8601; null where nothing is left, or it ends with the next handover. */
  readonly until: string | null;
}

/** Says which of the connections that were there at the last handover still are, and until when they may be. */
export function describeLast(
  last: LeftConnections,
  state: State,
  facts: (worker: string) => WorkerFacts
): LastHandover {
  const found = rolesOf(state).find(({ generation }) => generation.id === last.from);
  const remaining: Record<string, number> = {};
  for (const { id } of found?.generation.workers ?? [])
    for (const [kind, count] of Object.entries(facts(id).kinds ?? {})) remaining[kind] = (remaining[kind] ?? 0) + count;
  const active = activeOf(state);
  const since = state.history.find(({ generation }) => generation === active?.id)?.activeAt;
  const { keepWarmMs } = state.limits;
  const isKept = found?.role === 'standby' && Object.keys(remaining).length > 0 && Number.isFinite(keepWarmMs);
  return { ...last, remaining, until: isKept && since ? isoTime(since + keepWarmMs) : null };
}
