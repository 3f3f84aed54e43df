import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until it is so. @throws Error saying what was missing, after ten seconds */
export async function until(isSo: () => boolean, missing: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited ten seconds for: ${missing}`);
    await delay(2);
  }
}
