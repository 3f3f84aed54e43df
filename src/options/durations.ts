import { createRequire } from 'node:module';
import type { StringValue, default as TextToMs } from 'ms';

/** As the CommonJS that it is: see {@link file://../cli/commander.ts}. */
const ms = createRequire(import.meta.url)('ms') as typeof TextToMs;

/** Timers of Node cannot wait longer than this; it is more than 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** A text with a smaller number and no unit was meant in seconds: nobody waits 30 ms for a drain. */
const LEAST_WITHOUT_UNIT = 1_000;

/**
 * Makes a reader of durations: `"30s"`, `"10m"`, or a number of milliseconds.
 *
 * @returns a function that gives whole milliseconds, or undefined for what is no duration or out of range
 */
export function readDuration(leastMs: number): (given: unknown) => number | undefined {
  return (given) => {
    const isText = typeof given === 'string' && given.length <= 100 && given.trim() !== '';
    if (isText && isWithoutUnit(given)) return undefined;
    const value = isText ? ms(given as StringValue) : given;
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
    return value >= leastMs && value <= LONGEST_MS ? Math.round(value) : undefined;
  };
}

/** Whether a text is a number of which nobody can tell whether seconds or milliseconds are meant. */
export function isWithoutUnit(given: string): boolean {
  const number = /^\d+$/.test(given.trim()) ? Number(given) : 0;
  return number > 0 && number < LEAST_WITHOUT_UNIT;
}

/** A duration the way people write it. */
export function showDuration(duration: number): string {
  if (duration >= 60_000 && duration % 60_000 === 0) return `${duration / 60_000}m`;
  return duration % 1_000 === 0 ? `${duration / 1_000}s` : `${duration}ms`;
}
