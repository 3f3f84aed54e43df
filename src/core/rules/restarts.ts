import type { Limits } from '../state/release.ts';

/** The delay of each replacement once the limit is reached. */
export const SLOW_MS = 15_000;

const DELAYS_MS = [0, 200, 400, 800] as const;
const LONGEST_MS = 1_600;

export interface Restart {
  readonly afterMs: number;
  /** Whether the limit is reached with this replacement. */
  readonly limited: boolean;
}

/**
 * Decides when a lost worker is replaced: at once the first time, then after growing delays, then every 15 s.
 *
 * It never gives up: the listener stays open, and what the app needs may come back.
 *
 * @shape  times of earlier replacements, now, the limit -> delay
 * @unit   milliseconds
 */
export function nextRestart(earlier: readonly number[], at: number, limit: Limits['restarts']): Restart {
  const recent = withinWindow(earlier, at, limit).length;
  if (recent >= limit.max) return { afterMs: SLOW_MS, limited: true };
  return { afterMs: DELAYS_MS[recent] ?? LONGEST_MS, limited: false };
}

/** The replacements that still count against the limit. */
export function withinWindow(
  times: readonly number[],
  at: number,
  { windowMs }: Limits['restarts']
): readonly number[] {
  return times.filter((time) => at - time < windowMs);
}
