import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeersResult } from '../result.ts';
import { type Draw, openLibrary } from './library.ts';
import { type Figure, writePage } from './page.ts';
import { latency } from './plots/latency.ts';
import { memory } from './plots/memory.ts';
import type { Plot } from './plots/plot.ts';
import { slices } from './plots/slices.ts';
import { throughput } from './plots/throughput.ts';
import { timeline } from './plots/timeline.ts';
import { nameDrawing, standAlone } from './svg.ts';

/** @unit pixels */
const WIDE = 1100;
const NARROW = 340;
/** As wide as a README is. */
const README = 880;

const PLOTS = [timeline, slices, latency, throughput, memory];

/**
 * Writes what was found as one page with all its plots inside, and the timelines once more as a drawing of their own.
 *
 * @shape  (result, folder) -> paths of the page and of the drawing
 * @throws Error when the plotting library is missing and cannot be installed
 */
export async function writeReport(result: PeersResult, folder: string): Promise<{ html: string; svg: string }> {
  const draw = await openLibrary();
  const figures: Figure[] = [];
  for (const plot of PLOTS) figures.push(await figure(plot(result.systems), draw));
  const paths = { html: join(folder, 'peers.html'), svg: join(folder, 'peers.svg') };
  await mkdir(folder, { recursive: true });
  await writeFile(paths.html, writePage(result, figures));
  const alone = timeline(result.systems);
  await writeFile(paths.svg, standAlone(alone, alone.spec && (await draw(alone.spec(README))), result));
  return paths;
}

async function figure({ spec, ...about }: Plot, draw: Draw): Promise<Figure> {
  const drawAt = async (width: number) =>
    spec && nameDrawing(await draw(spec(width)), { ...about, id: `${about.id}-${width}` });
  return { ...about, drawings: [await drawAt(WIDE), await drawAt(NARROW)] };
}
