import type { Notice } from '../core/state/state.ts';
import type { Departed } from '../host/departed.ts';
import type { Watchdog } from '../host/measure/watchdog.ts';

interface Counters {
  readonly watchdog: Watchdog;
  readonly departed: Departed;
  readonly active: number | null;
}

/** What is counted from a moment on that only the core knows. */
export function countFrom({ event, level, generation, from, strategy }: Notice, counters: Counters): void {
  const { watchdog, departed, active } = counters;
  if (event === 'worker-exited' && level === 'warn') watchdog.onExit(Number(generation));
  // Connections that move count for the handover in which they do: worker by worker, before the cutover.
  if (event === 'starting') departed.forget(active ?? 0);
  const atOnce = strategy === 'blue-green' || strategy === 'exclusive';
  if (event === 'cutover' && atOnce) departed.forget(Number(from));
}
