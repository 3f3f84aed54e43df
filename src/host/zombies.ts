import { readdirSync, readFileSync } from 'node:fs';
import { readStatFields } from './proc-stat.ts';

/** How often it is looked. */
const LOOK_MS = 30_000;
/** So few may be about to be reaped. */
const MOST = 5;

/**
 * Looks for processes that have ended and that nobody waits for: as process 1 this one gets every orphan, and Node waits only for
 * what it has started.
 *
 * @param onFound called once
 * @returns a function that ends it
 */
export function watchZombies(onFound: (count: number) => void, pid = process.pid, everyMs = LOOK_MS): () => void {
  if (pid !== 1) return () => {};
  const timer = setInterval(() => {
    const count = countZombies();
    if (count <= MOST) return;
    clearInterval(timer);
    onFound(count);
  }, everyMs).unref();
  return () => clearInterval(timer);
}

/** How many children of process 1 are zombies. */
function countZombies(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isZombie(name)).length;
}

function isZombie(pid: string): boolean {
  try {
    const [state, parent] = readStatFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return state === 'Z' && parent === '1';
  } catch {
    return false; // it is gone by now
  }
}
