/** How many replacements a generation may need within `windowMs` before they come slowly. */
export const RESTART_LIMIT = { max: 5, windowMs: 60_000, slowMs: 15_000 } as const;

const DELAYS_MS = [0, 200, 400, 800, 1600] as const;

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
 * @shape  times of earlier replacements, now -> delay
 * @unit   milliseconds
 */
export function nextRestart(earlier: readonly number[], at: number): Restart {
  const recent = withinWindow(earlier, at).length;
  const afterMs = DELAYS_MS[recent];
  return afterMs === undefined ? { afterMs: RESTART_LIMIT.slowMs, limited: true } : { afterMs, limited: false };
}

/** The replacements that still count. */
export function withinWindow(times: readonly number[], at: number): readonly number[] {
  return times.filter((time) => at - time < RESTART_LIMIT.windowMs);
}
