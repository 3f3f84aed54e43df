import { readDuration } from './durations.ts';

export interface Spec<T> {
  readonly fallback: T;
  /** The default as a user would write it, where that is not how it is kept. */
  readonly written?: string;
  /** What the value may be, in words that follow "it must be". */
  readonly wants: string;
  /** The value of the flag, as the help shows it. */
  readonly value: string;
  readonly about: string;
  /** Several values are collected. */
  readonly repeatable?: true;
  /** Turns what the user wrote into the value, or undefined where that cannot be. */
  readonly read: (given: unknown) => T | undefined;
}

export const DURATION = 'a duration such as "30s" or "10m", or in code a number of milliseconds';

export function spec<T>(one: Spec<T>): Spec<T> {
  return one;
}

export function duration(fallback: number, value: string, about: string): Spec<number> {
  return { fallback, value, wants: DURATION, about, read: readDuration(0) };
}
