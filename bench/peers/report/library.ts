import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A plot as Vega-Lite describes it: plain data, so that it can be looked at without drawing it. */
export type Spec = Readonly<Record<string, unknown>>;

/** Draws a plot; resolves with an SVG document. */
export type Draw = (spec: Spec) => Promise<string>;

/** What is used of the two packages, which have their own lockfile and are no dependency of anything else. */
interface Vega {
  /** Without a canvas the library guesses how wide text is; a better guess may be put in. */
  readonly textMetrics: { width(item: { readonly fontSize?: number }, text: unknown): number };
  parse(spec: unknown): unknown;
  readonly View: new (runtime: unknown, options: object) => { toSVG(): Promise<string>; finalize(): void };
}
interface Lite {
  compile(spec: Spec): { readonly spec: unknown };
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PACKAGES = ['vega', 'vega-lite'];
/** Of the usual fonts: the width of a character on average, as a share of the font size. */
const CHARACTER = 0.6;
const INSTALL = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', HERE];

/**
 * Gets the plotting library ready, and installs it first where it is missing.
 *
 * @throws Error that names the command, when it cannot be installed
 */
export async function openLibrary(): Promise<Draw> {
  if (!PACKAGES.every((name) => existsSync(join(HERE, 'node_modules', name)))) {
    await promisify(execFile)('npm', INSTALL).catch((cause: unknown) => {
      throw new Error('The plots cannot be drawn before `npm ci --prefix bench/peers/report` has worked', { cause });
    });
  }
  // By a variable: the types of packages that may not be there are not looked for.
  const [vega, lite] = (await Promise.all(PACKAGES.map((name) => import(name)))) as [Vega, Lite];
  vega.textMetrics.width = ({ fontSize = 11 }, text) => String(text ?? '').length * fontSize * CHARACTER;
  return async (spec) => {
    const view = new vega.View(vega.parse(lite.compile(spec).spec), { renderer: 'none' });
    try {
      return await view.toSVG();
    } finally {
      view.finalize();
    }
  };
}
