import { setTimeout as delay } from 'node:timers/promises';
import type { CheckFailure } from './private-client.ts';

/** The least pause between two asks: asked without any, an app that starts would have no time for it. */
const LEAST_PAUSE_MS = 20;

/** How long a check that fails is asked again. */
export interface AskLimits {
  readonly intervalMs: number;
  /** How long one ask may take. */
  readonly timeoutMs: number;
  /** No further ask begins after this moment of `performance.now()`, nor goes beyond it. */
  readonly until: number;
  /** How many failures in a row are a failure, however much time is left. */
  readonly attempts: number;
}

/** A check that was asked until its time, or its attempts, were over. */
export interface LastingFailure extends CheckFailure {
  readonly asked: number;
  readonly tookMs: number;
}

/**
 * Asks until the check holds, or there is no time or attempt left. The first ask is always made, and has its whole time.
 *
 * @param onWaiting called with what came before each further ask
 * @returns null when it holds, or when the signal ended it
 */
export async function askAgain(
  ask: (timeoutMs: number) => Promise<CheckFailure | null>,
  { intervalMs, timeoutMs, until, attempts }: AskLimits,
  signal: AbortSignal,
  onWaiting: (failure: CheckFailure) => void
): Promise<LastingFailure | null> {
  const pauseMs = Math.max(LEAST_PAUSE_MS, intervalMs);
  const began = performance.now();
  let last: CheckFailure | null = null;
  for (let asked = 1; !signal.aborted; asked += 1) {
    const leftMs = asked === 1 ? timeoutMs : Math.max(1, until - performance.now());
    const came = await ask(Math.min(timeoutMs, leftMs));
    if (came === null || signal.aborted) return null;
    // One that was cut short by the end of the time says less than the answer before it.
    if (last === null || !came.late || leftMs >= timeoutMs) last = came;
    const now = performance.now();
    if (asked >= attempts || now + pauseMs > until) return { ...last, asked, tookMs: now - began };
    await delay(pauseMs, undefined, { signal }).catch(() => {}); // ended meanwhile: seen above
    if (!signal.aborted) onWaiting(last);
  }
  return null;
}
