import { readFileSync } from 'node:fs';

/** What is assumed where the system does not say. */
const ASSUMED = 1_024;

/** How many file descriptors this process may have open at once. Node has raised it to what the system allows. */
export function fdLimit(): number {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found ?? ASSUMED);
  } catch {
    return ASSUMED; // no /proc: not Linux
  }
}
