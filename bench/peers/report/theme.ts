import type { Spec } from './library.ts';

// Colours are names; what they are is decided by the style sheet of the page, or of the single drawing, so that both
// follow the reader's choice of light or dark. Blue and vermilion can be told apart by the colour-blind, and failures
// have a shape or a number besides.

const LIGHT = {
  paper: '#ffffff',
  raised: '#f5f6f8',
  ink: '#1c2128',
  soft: '#59636e',
  line: '#d5dae0',
  peer: '#7a8794',
  ours: '#0b62b5',
  failed: '#c4320a',
  blush: '#fdeae3'
};

const DARK: typeof LIGHT = {
  paper: '#10151c',
  raised: '#19202a',
  ink: '#e8ecf1',
  soft: '#a4afbb',
  line: '#36414d',
  peer: '#8593a1',
  ours: '#62b1ff',
  failed: '#ff8660',
  blush: '#43221a'
};

const declare = (colours: typeof LIGHT) =>
  Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');

/** The style sheet that says what the colours are. */
export const COLOURS = `:root{${declare(LIGHT)}}@media (prefers-color-scheme:dark){:root{${declare(DARK)}}}`;

export const colour = (name: keyof typeof LIGHT) => `var(--${name})`;

export const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';

/** What all plots have in common. */
export const CONFIG: Spec = {
  font: FONT,
  // The drawing as a whole has a title and a description; a hundred labelled marks would only be noise.
  aria: false,
  background: null,
  padding: 4,
  view: { stroke: null },
  axis: {
    labelColor: colour('soft'),
    titleColor: colour('soft'),
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    gridColor: colour('line'),
    domainColor: colour('line'),
    tickColor: colour('line')
  },
  title: {
    anchor: 'start',
    frame: 'group',
    color: colour('ink'),
    subtitleColor: colour('soft'),
    fontSize: 12,
    subtitleFontSize: 11,
    fontWeight: 600,
    offset: 4
  }
};
