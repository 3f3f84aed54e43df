import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../docs/pages.ts';
import { Home } from './run.ts';

/** Says what it was started with; of TypeScript that is not only erased. */
const TYPED = `
import { createServer } from 'node:http';
enum Version { One = 1 }
const args: string[] = process.argv.slice(2);
createServer((request, response) => response.end(JSON.stringify({ version: Version.One, args }))).listen(process.env.PORT);
`;

const SHELL = '#!/bin/sh\ncd "$(dirname "$0")"\nexport GIVEN=shell\nexec node -r dotenv/config server.js "$@"\n';

/** A home with the real tsx, as npm installs it, and a command of a package that is an app itself. */
function prepare(t: TestContext): Home {
  const home = new Home(t);
  const scripts = { start: 'GIVEN=script node server.js --own 1', typed: 'tsx typed.ts' };
  home.write('package.json', JSON.stringify({ name: 'shop', scripts }));
  home.write('typed.ts', TYPED);
  chmodSync(home.write('run.sh', SHELL), 0o755);
  home.write('node_modules/dotenv/config.js', 'process.env.GIVEN += " dotenv";');
  home.write('node_modules/static/package.json', '{"name":"static","bin":"cli.js"}');
  home.write('node_modules/static/cli.js', '#!/usr/bin/env node\nrequire("../../server.js");\n');
  mkdirSync(join(home.folder, 'node_modules/.bin'));
  symlinkSync('../static/cli.js', join(home.folder, 'node_modules/.bin/static'));
  symlinkSync(join(ROOT, 'node_modules/tsx'), join(home.folder, 'node_modules/tsx'));
  symlinkSync('../tsx/dist/cli.mjs', join(home.folder, 'node_modules/.bin/tsx'));
  return home;
}

/** The words of the command that an answer names. */
function commandIn(text: string): string[] {
  const [, command] = /Give `handover run ([^`]+)`/.exec(text) ?? [];
  return command?.split(' ') ?? assert.fail(text);
}

// What somebody gives, and what the app has been started with after they did what the answer says.
const MISTAKES: readonly (readonly [given: string, why: RegExp, app: Record<string, unknown>])[] = [
  ['node_modules/.bin/tsx typed.ts --own 2', /it is the command tsx/, { version: 1, args: ['--own', '2'] }],
  ['npm start', /npm is a command and no file/, { version: 1, args: ['--own', '1'], env: 'script' }],
  ['npm run typed', /npm is a command and no file/, { version: 1, args: [] }],
  [
    'node -r dotenv/config server.js',
    /node is a command and no file/,
    { version: 1, args: [], env: 'undefined dotenv' }
  ],
  ['./run.sh', /it is a shell script/, { version: 1, args: [], env: 'shell dotenv' }],
  ['static public', /static is a command and no file/, { version: 1, args: ['public'] }]
];

for (const [given, why, app] of MISTAKES) {
  test(`\`handover run ${given}\` ends with 2, and the command that it names runs the app`, async (t) => {
    const home = prepare(t);
    const { code, stderr } = await home.handover('run', ...given.split(' '));
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
    assert.match(stderr, /nothing was started/);

    await home.run(...commandIn(stderr));
    const { cwd: _, ...said } = await home.ask();
    assert.deepEqual(said, app);
  });
}

test('the own command of a package that is an app is run as it is', async (t) => {
  const home = prepare(t);
  await home.run('node_modules/.bin/static', 'public');
  assert.deepEqual((await home.ask()).args, ['public']);
});

test('a reload with such an entry names the command, and the active version serves on', async (t) => {
  const home = prepare(t);
  await home.run('server.js');
  const { code, stderr } = await home.handover('reload', './run.sh');
  assert.notEqual(code, 0);
  assert.match(stderr, /it is a shell script/);
  assert.match(stderr, /Give `handover reload --env GIVEN=shell --node-option=--require=dotenv\/config server\.js`/);
  assert.match(stderr, /generation 1 is still active/);
  assert.deepEqual((await home.ask()).args, []);
});
