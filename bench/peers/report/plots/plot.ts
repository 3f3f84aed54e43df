import type { SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { colour } from '../theme.ts';
import { isOurs } from '../words.ts';

/** One plot of the page: what it is about, how to read it, what it says, and how it looks at some width. */
export interface Plot {
  readonly id: string;
  readonly title: string;
  /** One sentence for somebody who has never seen such a plot. */
  readonly reading: string;
  /** What a reader who cannot see it should know of it. */
  readonly description: string;
  /** Null where nothing was measured that could be drawn. @unit width: pixels, all of it */
  readonly spec: ((width: number) => Spec) | null;
}

/** Below this a drawing is for a telephone. */
export const NARROW = 600;

/** Breaks a name into lines of at most so many characters, where it has blanks. */
export function wrap(name: string, most: number): string {
  return name.split(' ').reduce((text, word) => {
    const line = text.split(BREAK).at(-1) ?? '';
    return `${text}${line.length + 1 + word.length > most ? BREAK : ' '}${word}`;
  });
}

const BREAK = '\n';

/** How a plot with one row for each system labels them. */
export interface Labels {
  readonly axis: Spec;
  /** What a row is called in the data. */
  nameOf(system: SystemResult): string;
  /** Pixels that the labels take, and those of each row. */
  readonly width: number;
  readonly step: number;
}

/** Labels of fixed width, ours in colour. */
export function labelsFor(width: number, systems: readonly SystemResult[]): Labels {
  const isNarrow = width < NARROW;
  const taken = isNarrow ? 134 : 240;
  const nameOf = ({ name }: SystemResult) => wrap(name, isNarrow ? 20 : 38);
  const lines = Math.max(...systems.map((system) => nameOf(system).split(BREAK).length));
  const ours = JSON.stringify(systems.filter(isOurs).map(nameOf));
  return {
    nameOf,
    width: taken,
    step: 8 + 14 * lines,
    axis: {
      title: null,
      minExtent: taken,
      maxExtent: taken,
      labelLimit: 0,
      labelPadding: 6,
      ...(isNarrow ? { labelFontSize: 10 } : {}),
      ticks: false,
      domain: false,
      labelExpr: `split(datum.label, ${JSON.stringify(BREAK)})`,
      labelColor: {
        condition: { test: `indexof(${ours}, datum.value) >= 0`, value: colour('ours') },
        value: colour('ink')
      }
    }
  };
}

/** The colour of what a system did. */
export const colourOf = (system: SystemResult) => colour(isOurs(system) ? 'ours' : 'peer');

/** Upright lines over the whole height of a strip. */
export const lines = (values: readonly object[], strokeDash: readonly number[], x: object): Spec => ({
  data: { values },
  mark: { type: 'rule', color: colour('ink'), strokeDash, opacity: 0.8 },
  encoding: { x }
});

/** A line of text above a strip: as a title it would be moved out of the way of the other one. */
export const above = (text: string, look: object, dy: number): Spec => ({
  data: { values: [{}] },
  mark: { type: 'text', align: 'left', baseline: 'bottom', x: 0, y: 0, text, dy, ...look }
});
