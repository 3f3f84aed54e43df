import type { PeersResult } from '../result.ts';
import { escapeText } from './html.ts';
import type { Plot } from './plots/plot.ts';
import { COLOURS, colour, FONT } from './theme.ts';

/** Room above the plot for its title and what it was measured on. */
const HEAD_HEIGHT = 62;
const EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="880" height="8" viewBox="0 0 880 8"></svg>';

type Named = Pick<Plot, 'id' | 'title' | 'description'>;

/** Gives a drawing a title and a description, for those who cannot see it. */
export function nameDrawing(svg: string, { id, title, description }: Named): string {
  return svg.replace(
    /<svg ([^>]*)>/,
    (_, attributes: string) =>
      `<svg ${attributes} role="img" aria-labelledby="${id}-title ${id}-about">` +
      `<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-about">${escapeText(description)}</desc>`
  );
}

/** A drawing that brings its own colours and background, to be shown where no style sheet is, as in a README. */
export function standAlone(plot: Plot, drawing: string | null, { date, machine }: PeersResult): string {
  const inner = drawing ?? EMPTY;
  const size = (name: string) => Number(new RegExp(`^<svg [^>]*?\\b${name}="([\\d.]+)"`).exec(inner)?.[1] ?? 0);
  const [width, height] = [size('width'), size('height') + HEAD_HEIGHT];
  const measuredOn = `${date.slice(0, 10)}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores`;
  const keys =
    'Hill: answers per 100 ms. Red, ✕: failed requests. Dashed: deploy. Dotted: rollback. One scale for all.';
  const text = (y: number, size: number, what: string, more = '') =>
    `<text x="12" y="${y}" font-family="${FONT}" font-size="${size}" ${more}>${escapeText(what)}</text>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<style>${COLOURS}</style><rect width="${width}" height="${height}" rx="8" fill="${colour('paper')}"/>` +
    text(24, 15, plot.title, `font-weight="600" fill="${colour('ink')}"`) +
    text(41, 11, keys, `fill="${colour('soft')}"`) +
    text(56, 11, measuredOn, `fill="${colour('soft')}"`) +
    inner.replace('<svg ', `<svg y="${HEAD_HEIGHT}" `).replace(' version="1.1" class="marks"', '') +
    '</svg>\n';
  return nameDrawing(svg, plot);
}
