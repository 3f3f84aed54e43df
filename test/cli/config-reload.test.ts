import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../support/wait.ts';
import { Home } from './run.ts';

/** Says what it was started with. */
const APP = (name: string) => `
const { createServer } = require('node:http');
const { A, B, C } = process.env;
const answer = { name: '${name}', A, B, C, cwd: process.cwd(), args: process.argv.slice(2), execArgv: process.execArgv };
createServer((request, response) => {
  if (request.url === '/unfit') response.statusCode = 500;
  response.end(JSON.stringify(answer));
}).listen(process.env.PORT);
`;

const FILE = 'handover.config.json';

function prepare(t: TestContext): Home {
  const home = new Home(t);
  for (const name of ['a', 'b']) home.write(`releases/${name}/server.js`, APP(name));
  home.write('server.js', APP('here'));
  return home;
}

function say(home: Home, config: object): void {
  home.write(FILE, JSON.stringify({ bake: 0, ...config }));
}

/** Reloads, and gives what the answer says of the config. */
async function reload(home: Home, ...args: string[]): Promise<unknown> {
  const { code, answer } = await home.json('reload', ...args);
  assert.equal(code, 0, JSON.stringify(answer));
  return answer.config;
}

const changed = (...names: string[]) => ({ changed: names, overridden: [], needsRestart: [] });

test('a reload takes over what the config says now, of the app and of how it runs, and names it', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js', cwd: 'releases/a', env: { A: 'one', B: 'secret' } });
  const running = await home.run();
  const { cwd: _cwd, ...first } = await home.ask();
  assert.deepEqual(first, { name: 'a', A: 'one', B: 'secret', args: [], execArgv: [] });
  assert.equal(await reload(home), undefined, 'nothing was changed');

  const config = { entry: 'server.js', cwd: 'releases/b', env: { A: 'two', C: 'hush' } };
  say(home, { ...config, args: ['x'], nodeOptions: ['--no-warnings'], workers: 2 });
  const { configNote } = await home.status();
  assert.match(String(configNote), /^handover\.config\.json does not say what generation 2 was started with; /);
  const names = ['args', 'cwd', 'env A', 'env B', 'env C', 'nodeOptions', 'workers'];
  assert.deepEqual(await reload(home), changed(...names));

  const { cwd, ...next } = await home.ask();
  assert.equal(cwd, join(home.folder, 'releases/b'));
  assert.deepEqual(next, { name: 'b', A: 'two', C: 'hush', args: ['x'], execArgv: ['--no-warnings'] });
  const after = await home.status();
  assert.deepEqual([after.active?.workers.length, after.configNote], [2, null]);
  assert.match(running.stderr(), /"event":"config-changed","changed":\["args",/);
  assert.doesNotMatch(running.stderr(), /hush|secret/);

  const back = await home.handover('rollback');
  assert.equal(back.code, 0, back.stderr);
  const { cwd: _back, ...again } = await home.ask();
  assert.deepEqual(again, first);
  const rolledBack = await home.status();
  assert.equal(rolledBack.active?.workers.length, 1);
  assert.match(String(rolledBack.configNote), /^handover\.config\.json does not say what generation 2 /);
});

test('a generation of the history comes back with its own values, and a reload after it reads the config again', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js', env: { A: 'one' }, keepWarm: 0, workers: 2 });
  await home.run();
  say(home, { entry: 'server.js', env: { A: 'two' }, keepWarm: 0 });
  await reload(home);

  const back = await home.handover('rollback', '--to', '1');
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await home.ask()).A, 'one');
  assert.equal((await home.status()).active?.workers.length, 2);
  assert.deepEqual(await reload(home), changed('env A', 'workers'));
  assert.equal((await home.ask()).A, 'two');
});

test('a rollback that the verdict brings back has the values of its generation: env and workers', async (t) => {
  const home = prepare(t);
  const app = APP('here').replace("'/unfit'", "'/state' && require('node:fs').existsSync('ill')");
  home.write('server.js', app);
  say(home, { entry: 'server.js', env: { A: 'one' }, workers: 2 });
  const running = await home.run();
  const check = { path: '/state', whileBaking: true };
  say(home, { entry: 'server.js', env: { A: 'two' }, workers: 1, bake: '2m', check });
  await reload(home);
  assert.equal((await home.ask()).A, 'two');

  home.write('ill', '');
  await running.says(/"event":"cutover"[^\n]*"kind":"rollback"/);
  assert.equal((await home.ask()).A, 'one');
  const { active } = await home.status();
  assert.deepEqual([active?.generation, active?.workers.length], [1, 2]);
});

test('in place, where no standby is kept, a rollback brings back the values of its generation too', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js', strategy: 'in-place', env: { A: 'one' }, workers: 2 });
  await home.run();
  say(home, { entry: 'server.js', strategy: 'in-place', env: { A: 'two' } });
  await reload(home);
  assert.equal((await home.status()).active?.workers.length, 1);

  const back = await home.handover('rollback');
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await home.ask()).A, 'one');
  assert.equal((await home.status()).active?.workers.length, 2);
});

test('flags of `run`, earlier reloads and the env file stand above the config, and what has no effect is named', async (t) => {
  const home = prepare(t);
  home.write('.env', 'C=file\n');
  say(home, { entry: 'server.js', env: { A: '1', B: '1', C: '1' }, envFile: '.env' });
  await home.run('--env', 'A=flag', '--workers', '2');
  await reload(home, '--env', 'B=told');

  say(home, { entry: 'server.js', env: { A: '2', B: '2', C: '2' }, envFile: '.env', workers: 3, args: ['new'] });
  assert.deepEqual(await reload(home), {
    changed: ['args'],
    overridden: ['env A', 'env B', 'env C', 'workers'],
    needsRestart: []
  });
  const { A, B, C, args } = await home.ask();
  assert.deepEqual([A, B, C, args], ['flag', 'told', 'file', ['new']]);
  assert.equal((await home.status()).active?.workers.length, 2);
});

test('what the operator scaled to holds until the config says another number', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js', workers: 1 });
  await home.run();
  await home.handover('scale', '2');
  await reload(home);
  assert.equal((await home.status()).active?.workers.length, 2);

  say(home, { entry: 'server.js', workers: 3 });
  assert.deepEqual(await reload(home), changed('workers'));
  assert.equal((await home.status()).active?.workers.length, 3);
});

test('checks, timeouts, strategy and bake of the config hold for the handover that reads them', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js' });
  const running = await home.run();
  say(home, { entry: 'server.js', check: '/unfit', readyTimeout: '5s' });
  const failed = await home.handover('reload');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /HANDOVER_ERR_CANDIDATE_CHECK/);
  assert.equal((await home.status()).active?.generation, 1);

  say(home, { entry: 'server.js', strategy: 'rolling', bake: '2m' });
  assert.deepEqual(await reload(home), changed('bake', 'strategy'));
  const { active, bake } = await home.status();
  assert.deepEqual([active?.strategy, bake?.forMs], ['rolling', 120_000]);
  assert.match(running.stderr(), /"event":"failed","generation":2/);
});

const BROKEN = [
  ['{"workers":', /Cannot use handover\.config\.json: SyntaxError/],
  ['{"workers":"many"}', /Option "workers" is not usable/],
  ['{"worker":2}', /Option "worker" is not known/],
  ['{"entry":"gone.js"}', /gone\.js does not exist/]
] as const;

test('a config that cannot be used refuses the reload, and nothing else happens', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js' });
  const running = await home.run();
  for (const [text, message] of BROKEN) {
    home.write(FILE, text);
    const { code, stderr } = await home.handover('reload');
    assert.match(stderr, message);
    assert.match(stderr, /generation 1 is still active/);
    assert.equal(code, text.includes('gone') ? 1 : 2, stderr);
    assert.equal((await home.ask()).name, 'here');
  }
  running.process.kill('SIGHUP');
  await running.says(/"event":"failed","code":"HANDOVER_ERR_CANDIDATE_ENTRY"/);

  home.write(FILE, '{');
  running.process.kill('SIGHUP');
  await running.says(/"event":"failed","code":"HANDOVER_ERR_OPTION_CONFIG"/);
  assert.match(String((await home.status()).configNote), /^handover\.config\.json does not say/);
  say(home, { entry: 'server.js', env: { A: 'by signal' } });
  running.process.kill('SIGHUP');
  await running.says(/"event":"cutover"/);
  await until(async () => (await home.ask()).A === 'by signal', 'the config that is whole again');
});

test('what cannot change while it runs is named, with how to change it', async (t) => {
  const home = prepare(t);
  say(home, { entry: 'server.js', name: 'shop' });
  await home.run();
  say(home, { entry: 'server.js', name: 'other', stateFile: 'history.json', env: { A: 'new' } });
  for (const time of ['at once', 'and again']) {
    const { code, stdout } = await home.handover('reload');
    assert.equal(code, 0);
    const needed = /only once the supervisor is started again \(handover stop, handover run\): name, stateFile\./;
    assert.match(stdout, needed, time);
  }
  const answer = await home.ask();
  assert.equal(answer.A, 'new');
});

const MODULES = {
  'an ES module and what it imports': {
    'handover.config.mjs': "import A from './value.mjs'; export default { entry: 'server.js', bake: 0, env: { A } };",
    'value.mjs': "export default 'VALUE';"
  },
  'an ES module and the CommonJS that it imports': {
    'handover.config.mjs': "import A from './value.cjs'; export default { entry: 'server.js', bake: 0, env: { A } };",
    'value.cjs': "module.exports = 'VALUE';"
  },
  'CommonJS and what it requires': {
    'handover.config.js':
      "const A = require('./value.js'); module.exports = { entry: 'server.js', bake: 0, env: { A } };",
    'value.js': "module.exports = 'VALUE';"
  }
};

for (const [what, files] of Object.entries(MODULES)) {
  test(`${what} are loaded anew`, async (t) => {
    const home = prepare(t);
    const write = (value: string) => {
      for (const [path, text] of Object.entries(files)) home.write(path, text.replace('VALUE', value));
    };
    write('1');
    await home.run();
    for (const value of ['2', '3']) {
      write(value);
      assert.deepEqual(await reload(home), changed('env A'));
      assert.equal((await home.ask()).A, value);
    }
  });
}

test('the key of package.json is read anew too, and a config file that is gone says nothing any more', async (t) => {
  const home = prepare(t);
  const manifest = (A: string) =>
    JSON.stringify({ name: 'shop', handover: { entry: 'server.js', bake: 0, env: { A } } });
  home.write('package.json', manifest('1'));
  home.write(FILE, '{"env":{"A":"file"}}');
  await home.run();
  assert.equal((await home.ask()).A, 'file');

  rmSync(join(home.folder, FILE));
  home.write('package.json', manifest('2'));
  const { configNote } = await home.status();
  assert.match(String(configNote), /^handover\.config\.json and package\.json do not say /);
  assert.deepEqual(await reload(home), changed('env A'));
  assert.equal((await home.ask()).A, '2');
});
