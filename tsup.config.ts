import { readFile, writeFile } from 'node:fs/promises';
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

export default defineConfig([
  {
    entry: { index: 'src/index.ts', worker: 'src/worker/index.ts', cli: 'src/cli/main.ts' },
    format: 'esm',
    target: 'node20',
    dts: { entry: { index: 'src/index.ts', worker: 'src/worker/index.ts' } },
    onSuccess: letShellStart
  },
  {
    // Loaded with --require, before the app: a CommonJS preload starts faster than an ES module one.
    entry: { preload: 'src/worker/preload.ts' },
    format: 'cjs',
    target: 'node20',
    dts: false
  }
]);
