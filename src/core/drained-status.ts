import { describeDrained } from './admission.ts';
import { isoTime } from './state/history.ts';
import type { Drained } from './state/state.ts';

/** A service that an operator has taken out of its load balancers. */
export interface DrainedStatus {
  /** ISO 8601. */
  readonly since: string;
  /** When it ends by itself, ISO 8601; null: with `undrain`. */
  readonly until: string | null;
  /** Whether each answer says `Connection: close`. */
  readonly closeIdle: boolean;
  /** By whom, and until when, in words. */
  readonly reason: string;
}

/** What people see of a service that is drained; null where it is not. */
export function showDrained(drained: Drained | null): DrainedStatus | null {
  if (!drained) return null;
  const { since, until, closesIdle: closeIdle } = drained;
  const end = until === null ? null : isoTime(until);
  return { since: isoTime(since), until: end, closeIdle, reason: describeDrained(drained) };
}
