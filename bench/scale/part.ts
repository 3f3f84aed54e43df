import type { Context } from '../rig/model.ts';

/** One question about growth, and the script that answers it. */
export interface Part {
  /** One word, for `--only`. */
  readonly name: string;
  readonly about: string;
  run(context: Context): Promise<Answer>;
}

/** A line for each size that was tried. */
export interface Answer {
  readonly rows: readonly Row[];
  /** What a reader must know of these figures. */
  readonly notes: readonly string[];
}

/** Figures by the name of their column; null where one could not be measured. */
export type Row = Readonly<Record<string, number | null>>;
