import { cp, readFile, writeFile } from 'node:fs/promises';
import { defineConfig } from 'tsup';

/**
 * Has the command started by a shell, in a line that is a comment to JavaScript, for the sake of two dashes: unless they
 * come first, Node reads an `--env-file` on its command line by itself, wherever it stands. `env -S`, which could give them
 * too, is not everywhere: BusyBox, and so Alpine, does not have it.
 */
async function letShellStart(): Promise<void> {
  const cli = await readFile('dist/cli.js', 'utf8');
  await writeFile('dist/cli.js', cli.replace(/^#!.*\n/, `#!/bin/sh\n':' //; exec node -- "$0" "$@"\n`));
}

/** Puts the files of the admin page beside its script. */
async function copyPage(): Promise<void> {
  for (const name of ['index.html', 'page.css']) await cp(`src/admin/page/${name}`, `dist/admin-page/${name}`);
}

export default defineConfig([
  {
    entry: { index: 'src/index.ts', worker: 'src/worker/index.ts', cli: 'src/cli/main.ts' },
    format: 'esm',
    target: 'node20',
    dts: { entry: { index: 'src/index.ts', worker: 'src/worker/index.ts' } },
    onSuccess: letShellStart
  },
  {
    // The page of the admin address: what a browser loads, beside files that are sent as they are.
    entry: { 'admin-page/page': 'src/admin/page/page.ts' },
    outExtension: () => ({ js: '.js' }),
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    dts: false,
    onSuccess: copyPage
  },
  {
    // Loaded with --require, before the app: a CommonJS preload starts faster than an ES module one.
    entry: { preload: 'src/worker/preload.ts' },
    format: 'cjs',
    target: 'node20',
    dts: false
  }
]);
