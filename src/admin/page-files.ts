import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const here = (name: string) => new URL(`./admin-page/${name}`, import.meta.url);
const uplot = (name: string) => new URL(import.meta.resolve(`uplot/dist/${name}`));

/** Where each file of the page lies, and what it is. Nothing is fetched from elsewhere: the page works offline. */
const FILES: Readonly<Record<string, readonly [type: string, place: () => URL]>> = {
  '/': ['text/html; charset=utf-8', () => here('index.html')],
  '/page.css': ['text/css; charset=utf-8', () => here('page.css')],
  '/page.js': ['text/javascript; charset=utf-8', () => here('page.js')],
  '/uplot.js': ['text/javascript; charset=utf-8', () => uplot('uPlot.iife.min.js')],
  '/uplot.css': ['text/css; charset=utf-8', () => uplot('uPlot.min.css')]
};

/**
 * Reads every file of the page: a deploy may replace them on the disk, and the page goes with the supervisor that runs.
 */
export function readPage(): ReadonlyMap<string, PageFile> {
  return new Map(
    Object.entries(FILES).map(([path, [type, place]]) => [path, { type, body: readFileSync(fileURLToPath(place())) }])
  );
}
