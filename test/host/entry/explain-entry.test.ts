import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Answer, explainFile, explainWords } from '../../../src/host/entry/explain-entry.ts';
import { findEntryFile } from '../../../src/host/releases/entry-file.ts';
import { makeFolder } from '../../support/folder.ts';

const SCRIPTS = {
  start: 'node server.js',
  dev: 'tsx watch server.ts',
  prod: 'cross-env NODE_ENV=production node --max-old-space-size=200 server.js --greeting hi',

  start2: 'npm run build && NODE_ENV=production node server.js',
  serve: 'serve -l $PORT public',
  again: 'npm start -- --again',
  loop: 'npm run loop',
  piped: 'node server.js | pino-pretty',
  dotenv: 'dotenv -e .env.local -- node server.js',
  managed: 'pm2-runtime start ecosystem.config.js'
};

const SHELL =
  '#!/bin/sh\nset -e\ncd "$(dirname "$0")"\n# the app\nexport NODE_ENV=production\nexec node -r dotenv/config server.js "$@"\n';

/** A project as npm leaves it: each command is a link into its package. */
function makeProject(t: TestContext): string {
  const names = ['tsx', 'ts-node', 'nodemon', 'cross-env', 'serve', 'next'];
  const packages = names.map((name) => [
    [
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, bin: { [name]: './dist/cli.js' }, main: 'dist/cli.js' })
    ],
    [`node_modules/${name}/dist/cli.js`, '#!/usr/bin/env node\n']
  ]);
  const folder = makeFolder(t, {
    ...Object.fromEntries(packages.flat()),
    'package.json': JSON.stringify({ name: 'shop', scripts: SCRIPTS }),
    'server.js': '',
    'server.ts': '',
    'page.tsx': '',
    'bin/www': '#!/usr/bin/env node\n',
    'bin/typed.ts': '#!/usr/bin/env -S npx tsx\n',
    'bin/python': '#!/usr/bin/env python3\n',
    'bin/both': '#!/bin/sh\n\':\' //; exec node "$0" "$@"\n',
    'run.sh': SHELL,
    'deploy/run.sh': '#!/usr/bin/env bash\nnode ../server.js\n',
    'loop.sh': '#!/bin/sh\nwhile true; do node server.js; done\n',
    'node_modules/.bin/shim': '#!/bin/sh\nexec node  "$basedir/../next/dist/cli.js" "$@"\n',
    'ecosystem.config.js': `module.exports = { apps: [{ script: './server.js', instances: 2, args: '--a b' }] };`,
    'vite.config.js': 'export default {};',
    binary: '\x7fELF'
  });
  for (const name of names) symlinkSync(`../${name}/dist/cli.js`, join(folder, 'node_modules/.bin', name));
  return folder;
}

function explain(folder: string, line: string, nodeOptions: readonly string[] = []): Answer | null {
  const [entry = '', ...args] = line.split(' ');
  const asked = { entry, args, folder, nodeOptions, otherNode: false, command: 'handover run' };
  const file = findEntryFile(join(folder, entry));
  return file === null ? explainWords(asked) : explainFile(file, asked);
}

const TSX = 'handover run --node-option=--import=tsx server.ts';
const SH = 'handover run --env NODE_ENV=production --node-option=--require=dotenv/config server.js';

// What is given to `handover run`, and the command that it is answered with.
const COMMANDS: readonly (readonly [given: string, command: string, after?: string])[] = [
  ['node_modules/.bin/tsx server.ts', TSX],
  ['node_modules/tsx/dist/cli.js watch server.ts', TSX],
  ['tsx server.ts', TSX],
  [
    'node_modules/.bin/ts-node server.ts --port 1',
    'handover run --node-option=--require=ts-node/register server.ts --port 1'
  ],
  ['node_modules/.bin/nodemon server.js', 'handover run server.js'],
  ['node_modules/.bin/cross-env A=1 node server.js', 'handover run --env A=1 server.js'],
  ['node server.js', 'handover run server.js'],
  ['node -r dotenv/config server.js', 'handover run --node-option=--require=dotenv/config server.js'],
  ['node --watch server.js', 'handover run server.js'],
  ['npm start', 'handover run server.js'],
  ['npm start --listen 80', 'handover run server.js --listen 80'],
  ['npm run start -- --app-flag', 'handover run server.js -- --app-flag'],
  ['npm run again', 'handover run server.js -- --again'],
  ['yarn dev', TSX],
  [
    'npm run prod',
    'handover run --env NODE_ENV=production --node-option=--max-old-space-size=200 server.js -- --greeting hi'
  ],
  ['pnpm start2', 'handover run --env NODE_ENV=production server.js', 'npm run build'],
  ['npm run serve', 'handover run node_modules/.bin/serve -- -l "$PORT" public'],
  ['npm run dotenv', 'handover run --env-file .env.local server.js'],
  ['npx serve public', 'handover run node_modules/.bin/serve public'],
  ['next start', 'handover run node_modules/.bin/next start'],
  ['node_modules/.bin/shim start', 'handover run node_modules/next/dist/cli.js start'],
  ['run.sh', SH],
  ['./run.sh --app-flag', `${SH} --app-flag`],
  ['sh run.sh', SH],
  ['deploy/run.sh', 'handover run server.js'],
  ['bin/typed.ts', 'handover run --node-option=--import=tsx bin/typed.ts'],
  ['ecosystem.config.js', 'handover run ./server.js --workers 2 -- --a b'],
  ['page.tsx', 'handover run --node-option=--import=tsx page.tsx']
];

for (const [given, command, after] of COMMANDS) {
  test(`\`handover run ${given}\` is answered with the command that does it`, (t) => {
    const fix = explain(makeProject(t), given)?.fix;
    assert.equal(fix, `Give \`${command}\`${after === undefined ? '' : `, after \`${after}\``}`);
  });
}

for (const given of [
  'loop.sh',
  'npm run piped',
  'npm run loop',
  'npm run managed',
  'npm run none',
  'bin/python',
  'binary',
  'node -e 1'
]) {
  test(`\`handover run ${given}\` is answered with a general advice, where only a shell can tell`, (t) => {
    assert.match(explain(makeProject(t), given)?.fix ?? '', /^Give the JavaScript file that it starts/);
  });
}

for (const given of [
  'server.js',
  'bin/www',
  'bin/both',
  'node_modules/.bin/next start',
  'node_modules/.bin/serve',
  'vite.config.js',
  'missing.js',
  'missing'
]) {
  test(`\`handover run ${given}\` is no command in the place of an entry`, (t) => {
    assert.equal(explain(makeProject(t), given), null);
  });
}

test('TypeScript is run where something is loaded that may compile it', (t) => {
  const folder = makeProject(t);
  assert.equal(explain(folder, 'server.ts', ['--import=tsx']), null);
  assert.equal(explain(folder, 'page.tsx', ['-r', 'ts-node/register']), null);
  assert.equal(explain(folder, 'bin/typed.ts', ['--import=tsx']), null);
});

test('TypeScript in a folder without a compiler is answered with what to install', (t) => {
  const folder = makeFolder(t, { 'page.tsx': '' });
  assert.equal(
    explain(folder, 'page.tsx')?.fix,
    'Give `handover run --node-option=--import=tsx page.tsx`, after `npm install tsx`'
  );
});
