import type { Limits } from '../state/types.ts';

/** How slowly they come once the limit is reached. */
export const SLOW_MS = 15_000;

const DELAYS_MS = [0, 200, 400, 800] as const;
const LONGEST_MS = 1_600;

export interface Restart {
  readonly afterMs: number;
  /** Whether the limit is reached: the operator is told, and tries go on slowly. */
  readonly limited: boolean;
}

/**
 * Decides when a lost worker is replaced: at once the first time, then later and later, then slowly.
 *
 * It never gives up: the listener is open, and the next try may find the database back.
 *
 * @shape  times of earlier replacements, now, the limit -> delay
 * @unit   milliseconds
 */
export function nextRestart(earlier: readonly number[], at: number, limit: Limits['restarts']): Restart {
  const recent = withinWindow(earlier, at, limit).length;
  if (recent >= limit.max) return { afterMs: SLOW_MS, limited: true };
  return { afterMs: DELAYS_MS[recent] ?? LONGEST_MS, limited: false };
}

/** The replacements that still count. */
export function withinWindow(
  times: readonly number[],
  at: number,
  { windowMs }: Limits['restarts']
): readonly number[] {
  return times.filter((time) => at - time < windowMs);
}
