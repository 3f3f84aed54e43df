import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAlive, until } from '../support/wait.ts';
import { Home } from './run.ts';

/** Beside the history, which the next supervisor reads. */
const leftIn = (home: Home) =>
  readdirSync(join(home.runtime, 'handover')).filter((file) => !file.endsWith('.state.json'));

test('the app gets its arguments untouched, and we get ours', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--workers', '2', '--foo', '--workers', '7', '--', '--json');

  assert.deepEqual((await home.ask()).args, ['--foo', '--workers', '7', '--', '--json']);
  assert.equal((await home.status()).active?.workers.length, 2);
});

test('a config makes `handover run` enough', async (t) => {
  const home = new Home(t);
  home.write('releases/1/server.js', 'require("../../server.js")');
  home.write('package.json', '{"name":"shop","handover":{"name":"manifest","workers":2}}');
  home.write(
    'handover.config.mjs',
    'export default { entry: "server.js", cwd: "./releases/1", args: ["a"], env: { GIVEN: "yes" }, name: "config" };'
  );
  await home.run();

  const { app, active } = await home.status();
  assert.deepEqual([app, active?.workers.length], ['config', 2]);
  const cwd = join(home.folder, 'releases/1');
  assert.deepEqual(await home.ask(), { version: 1, args: ['a'], cwd, env: 'yes' });
});

test('a TypeScript config is loaded where Node runs TypeScript, and refused with the reason elsewhere', async (t) => {
  const home = new Home(t);
  home.write('package.json', '{"name":"shop","type":"module"}');
  home.write('server.cjs', 'require("node:http").createServer((q, r) => r.end("{}")).listen(1)');
  home.write('handover.config.ts', 'const name: string = "typed"; export default { name, entry: "server.cjs" };');
  const { features } = process as unknown as { features: { typescript?: string | false } };
  if (features.typescript) {
    await home.run();
    assert.equal((await home.status()).app, 'typed');
    return;
  }
  const { code, stderr } = await home.handover('run');
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^HANDOVER_ERR_OPTION_CONFIG: Cannot use handover\.config\.ts: Node v\S+ does not run TypeScript\.\n/
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops gracefully: exit code 0, and nothing is left behind`, async (t) => {
    const home = new Home(t);
    const running = await home.run('server.js', '--workers', '2');
    const { active } = await home.status();
    running.process.kill(signal);

    assert.equal((await running.ended()).code, 0);
    assert.deepEqual(leftIn(home), []);
    assert.deepEqual(active?.workers.map(({ pid }) => Number(pid)).filter(isAlive), []);
  });
}

test('a stop while the first generation is still starting is no failure', async (t) => {
  const home = new Home(t);
  home.write('silent.js', 'console.log("here"); setInterval(() => {}, 1000)');
  const running = home.start(['run', 'silent.js']);
  await running.says(/here/);
  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended();

  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /HANDOVER_ERR/);
  assert.deepEqual(leftIn(home), []);
});

test('a first generation that fails ends the command with 1 and leaves nothing behind', async (t) => {
  const home = new Home(t);
  home.write('broken.js', 'console.error("no database"); process.exit(3);');
  const { code, stdout, stderr } = await home.handover('run', 'broken.js', '--workers', '2');

  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^HANDOVER_ERR_CANDIDATE_EXITED: Generation 1 exited before it was active/m);
  assert.deepEqual(leftIn(home), []);
});

test('a second supervisor of the same name is refused with 3, and the first goes on', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const { code, stderr } = await home.handover('run', 'server.js');

  assert.equal(code, 3);
  assert.match(
    stderr,
    /^HANDOVER_ERR_REFUSED_NAME_TAKEN: Cannot start a supervisor called "shop": another one answers/m
  );
  assert.equal((await home.ask()).version, 1);
});

test('a config that leaves a timer running keeps no command alive', async (t) => {
  const home = new Home(t);
  home.write('handover.config.mjs', 'setInterval(() => {}, 1000); export default { entry: "server.js" };');
  const running = await home.run();

  assert.equal((await home.handover('status')).code, 0);
  assert.equal((await home.handover('stop')).code, 0);
  assert.equal((await running.ended()).code, 0);
});

test('a service goes on when nobody reads its output any more, and its workers do not choke on it', async (t) => {
  const home = new Home(t);
  home.write(
    'chatty.js',
    `const { createServer } = require('node:http');
    let lines = 0;
    setInterval(() => { for (let i = 0; i < 10; i += 1) { lines += 1; process.stdout.write('x'.repeat(1000) + '\\n'); } }, 5);
    createServer((q, r) => r.end(JSON.stringify({ waiting: process.stdout.writableLength, lines }))).listen(1);`
  );
  const running = await home.run('chatty.js');
  await running.says(/xxx/);
  running.process.stdout?.destroy();
  running.process.stderr?.destroy();
  const { lines } = await home.ask();

  await until(async () => {
    const now = await home.ask();
    return Number(now.lines) > Number(lines) + 2000 && Number(now.waiting) < 1_000_000;
  }, 'two thousand more lines of which few wait');
  assert.equal((await home.handover('reload')).code, 0);
  assert.equal((await home.handover('stop')).code, 0);
  assert.equal((await running.ended()).code, 0);
});
