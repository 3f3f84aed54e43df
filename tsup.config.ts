import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: { index: 'src/index.ts', worker: 'src/worker/index.ts', cli: 'src/cli/main.ts' },
    format: 'esm',
    target: 'node20',
    dts: { entry: { index: 'src/index.ts', worker: 'src/worker/index.ts' } }
  },
  {
    // Loaded with --require, before the app: a CommonJS preload starts faster than an ES module one.
    entry: { preload: 'src/worker/preload.ts' },
    format: 'cjs',
    target: 'node20',
    dts: false
  }
]);
