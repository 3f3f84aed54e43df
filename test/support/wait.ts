import { setTimeout as delay } from 'node:timers/promises';

/** How long a test waits for what must come, on the slowest machine. */
const WAIT_MS = 30_000;

/**
 * Looks again and again until there is something to see.
 *
 * @returns the first answer that is neither undefined, null nor false
 * @throws Error that says what was missing
 */
export async function until<T>(
  look: () => T | Promise<T>,
  missing: string | (() => string)
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>;
    if (performance.now() > deadline)
      throw new Error(`waited ${WAIT_MS} ms in vain: ${typeof missing === 'string' ? missing : missing()}`);
    await delay(5);
  }
}

/** Waits for something that must happen, and says what it was if it does not. */
export async function inTime<T>(promise: Promise<T>, missing: string | (() => string)): Promise<T> {
  const deadline = new AbortController();
  const overdue = delay(WAIT_MS, undefined, { signal: deadline.signal }).then(
    () =>
      Promise.reject(new Error(`waited ${WAIT_MS} ms in vain: ${typeof missing === 'string' ? missing : missing()}`)),
    () => new Promise<never>(() => {}) // it came in time: this side of the race has nothing to say
  );
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    deadline.abort();
  }
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: that is the answer
  }
}
