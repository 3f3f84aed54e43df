import type { Baseline } from './baseline.ts';
import type { Measured } from './measured.ts';
import type { Limit, SignalName } from './signals.ts';

/** One signal over its limit, in words: what it was after the cutover and before it, or all of it in one sentence. */
export type Excess =
  | { readonly after: string /** null for nothing to compare with */; readonly before: string | null }
  | { readonly said: string /** What was exceeded, where it is not the limit itself. */; readonly limit?: string };

/** What one signal is judged by. */
export interface Asked {
  readonly name: SignalName;
  readonly limit: Limit;
  readonly before: Measured | null;
  readonly after: Measured;
  /** What the version before would have done with the same requests; null where nothing of it is known. */
  readonly baseline: Baseline | null;
  /** Whether this is the last look. */
  readonly isOver: boolean;
}

/** Looks whether one signal is over its limit. */
export type Find = (asked: Asked) => Excess | null;
