import type { Machine } from './machine.ts';

/** One promise of the project, and the script that measures it. */
export interface Claim {
  /** One word, for `--only`. */
  readonly name: string;
  /** What is promised, as a sentence without a figure. */
  readonly claim: string;
  /** What keeps it, or null where the figure is only told. */
  readonly limit: string | null;
  run(context: Context): Promise<Result>;
}

/** What a claim needs of the bench it runs in. */
export interface Context {
  /** Fewer rounds: a look, not a proof. */
  readonly quick: boolean;
  readonly machine: Machine;
  /** Folder of the built package that is measured. */
  readonly build: string;
  /** Whether each slice of 50 ms around a deploy is printed. */
  readonly timeline?: boolean;
  /** Replaces the progress line. */
  progress(what: string): void;
}

export interface Result {
  /** The figure that the limit is about; null when it could not be measured. */
  readonly value: number | null;
  readonly unit: string;
  /** Whether the limit is kept; null where there is none. */
  readonly ok: boolean | null;
  /** Everything else that was measured, in the order it is shown. */
  readonly details: readonly Detail[];
}

/** One more figure. `value` is a text where one number does not say it. */
export interface Detail {
  readonly name: string;
  readonly value: number | string | null;
  readonly unit?: string;
}
