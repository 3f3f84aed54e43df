import { median, quantile } from '../rig/statistics.ts';
import type { Spread } from './result.ts';

/** The median and the quartiles; null of nothing. What is not a number was not measured, and is left out. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const measured = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const middle = median(measured);
  const low = quantile(measured, 0.25);
  const high = quantile(measured, 0.75);
  if (middle === null || low === null || high === null) return null;
  return { median: middle, low, high, count: measured.length };
}

/** Waits for something, but not for ever. @throws Error that says what took too long */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
