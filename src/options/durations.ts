import ms, { type StringValue } from 'ms';

/** Timers of Node cannot wait longer than this; it is more than 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Makes a reader of durations: `"30s"`, `"10m"`, or a number of milliseconds.
 *
 * @returns a function that gives whole milliseconds, or undefined for what is no duration or out of range
 */
export function readDuration(leastMs: number): (given: unknown) => number | undefined {
  return (given) => {
    const isText = typeof given === 'string' && given.length <= 100 && given.trim() !== '';
    const value = isText ? ms(given as StringValue) : given;
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
    return value >= leastMs && value <= LONGEST_MS ? Math.round(value) : undefined;
  };
}
