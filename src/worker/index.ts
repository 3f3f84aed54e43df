import { workerGlobal } from './globals.ts';
import { type Start, type Stop, WhileActiveTasks } from './while-active.ts';

export type { Start, Stop };

/** The generation that this process belongs to, or null outside a supervisor. */
export const generation: number | null = workerGlobal()?.generation ?? null;

/**
 * Says that this app can serve. Counts with readiness `signal`; does nothing otherwise, or outside a supervisor.
 */
export function ready(): void {
  workerGlobal()?.ready();
}

/**
 * Runs something when this worker is retired: its requests have ended, and SIGTERM comes next.
 *
 * A promise is waited for, until the drain timeout. Not called when the generation only pauses to be the standby: it
 * may have to serve again. Outside a supervisor it is never called.
 *
 * @returns a function that takes it back
 */
export function onDrain(run: () => void | Promise<void>): () => void {
  return workerGlobal()?.onDrain(run) ?? (() => {});
}

/**
 * Runs `start()` when this generation becomes active, and the function it returned when it stops being active: for cron
 * jobs and queue consumers that must run in one version only. Every worker of the active generation runs it.
 *
 * The next generation starts only when the tasks of this one have ended. Outside a supervisor the process is always
 * active: `start()` runs at once.
 *
 * @returns a function that ends the task and forgets it
 */
export function whileActive(start: Start): () => Promise<void> {
  const worker = workerGlobal();
  if (worker) return worker.whileActive(start);
  const alone = new WhileActiveTasks();
  alone.activate();
  return alone.add(start);
}
