import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Home } from './run.ts';

/** Says what it was started with, and what was loaded before it. */
const APP = `
const { createServer } = require('node:http');
const { A, B, FILE } = process.env;
const answer = { A, B, FILE, cwd: process.cwd(), loaded: globalThis.loaded ?? [], execArgv: process.execArgv };
createServer((request, response) => response.end(JSON.stringify(answer))).listen(process.env.PORT);
`;

const LOADS = (name: string) => `globalThis.loaded = [...(globalThis.loaded ?? []), '${name}'];`;

function prepare(home: Home): void {
  home.write('releases/1/server.js', APP);
  home.write('releases/1/required.cjs', LOADS('required'));
  home.write('releases/1/imported.mjs', LOADS('imported'));
  home.write('shop.env', 'A=file\nB=file\nFILE=one\n');
}

test('what `run` is told of the release holds from then on, as with `reload`, and comes back with a rollback', async (t) => {
  const home = new Home(t);
  prepare(home);
  const options = ['--node-option=--require=./required.cjs', '--node-option', '--import=./imported.mjs'];
  const flags = ['--cwd', 'releases/1', '--env-file', 'shop.env', '--env', 'A=flag', '--label', 'one', ...options];
  await home.run(...flags, 'server.js');
  const execArgv = ['--require=./required.cjs', '--import=./imported.mjs'];
  const cwd = join(home.folder, 'releases/1');
  const first = { A: 'flag', B: 'file', FILE: 'one', cwd, loaded: ['required', 'imported'], execArgv };
  assert.deepEqual(await home.ask(), first);
  assert.equal((await home.status()).active?.label, 'one');

  home.write('shop.env', 'FILE=two\n');
  await home.handover('reload');
  assert.deepEqual(await home.ask(), { A: 'flag', FILE: 'two', cwd, loaded: ['required', 'imported'], execArgv });
  assert.equal((await home.status()).active?.label, null, 'a label is of one version only');

  const again = await home.handover('reload', '--env', 'B=flag', '--node-option', '--no-warnings', '--label', 'three');
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await home.ask(), {
    A: 'flag',
    B: 'flag',
    FILE: 'two',
    cwd,
    loaded: [],
    execArgv: ['--no-warnings']
  });

  const back = await home.handover('rollback', '--to', '1');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual(await home.ask(), first);
});

test('the config may say all of it, and the flags of `run` win', async (t) => {
  const home = new Home(t);
  prepare(home);
  const config = {
    entry: 'server.js',
    cwd: 'releases/1',
    envFile: '../../shop.env',
    label: 'config',
    env: { A: 'config' }
  };
  home.write('handover.config.json', JSON.stringify({ ...config, nodeOptions: ['--require=./required.cjs'] }));
  await home.run('--label', 'flag', '--env', 'A=flag');
  const { A, FILE, loaded } = await home.ask();

  assert.deepEqual([A, FILE, loaded], ['flag', 'one', ['required']]);
  assert.equal((await home.status()).active?.label, 'flag');
});

test('`run --node` starts the app in that binary, with the options that were given for it and no others', async (t) => {
  const home = new Home(t);
  prepare(home);
  chmodSync(home.write('other/node', `#!/bin/sh\nexec ${process.execPath} "$@"\n`), 0o755);
  await home.run('--node', 'other/node', '--node-option=--no-warnings', '--cwd', 'releases/1', 'server.js');

  assert.deepEqual((await home.ask()).execArgv, ['--no-warnings']);
});

test('what cannot be used is refused before anything starts: exit code 2', async (t) => {
  const home = new Home(t);
  const wrong: readonly (readonly [flags: readonly string[], said: RegExp])[] = [
    [['--env', 'production'], /"--env" is not usable: it must be KEY=VALUE/],
    [['--env-file', 'absent.env'], /Cannot read the env file: \S+absent\.env does not exist/],
    [['--cwd', 'absent'], /Cannot start/],
    [['--node', 'absent'], /Cannot use this Node: \S+absent does not exist/],
    [['--label', ''], /"--label" is not usable/],
    [['--node-option', 'tsx'], /"--node-option" is not usable: it must be an option of Node .* and it is "tsx"/],
    [['--node-option=--import'], /"--node-option" is not usable/],
    [['--node-option=--watch'], /"--node-option" is not usable/],
    [['--node-option=-e'], /"--node-option" is not usable/]
  ];
  for (const [flags, said] of wrong) {
    const { code, stderr } = await home.handover('run', ...flags, 'server.js');
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
  }
});
