import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTime, isAlive, until } from '../support/wait.ts';
import { Home } from './run.ts';

test('reload answers once the new generation is active, with a line for each phase', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  home.write('server.js', 'require("node:http").createServer((q, r) => r.end(\'{"version":2}\')).listen(1)');
  const { code, stdout, stderr } = await home.handover('reload');

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    /^ +[\d.]+ m?s {2}starting +generation 2: \S+\/server\.js, 1 worker\n.* ready +generation 2\n.* cutover +from generation 1 to 2\n.* paused +generation 1\n.* baking +generation 2 for 30\.0 s\nHanded over from generation 1 to 2: ready in [\d.]+ m?s, cutover [\d.]+ ms, \d+ connections? moved\.\n$/
  );
  assert.deepEqual(await home.ask(), { version: 2 });
});

test('reload takes an entry from where the operator stands', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const entry = home.write('releases/43/server.js', 'require("node:http").createServer(() => {}).listen(1)');
  const { stdout } = await home
    .start(['reload', '43/server.js', '--json'], { cwd: join(home.folder, 'releases') })
    .ended();

  const { ok, from, to, bootMs, cutoverMs, handedOver } = JSON.parse(stdout);
  assert.deepEqual([ok, from, to], [true, 1, 2]);
  for (const number of [bootMs, cutoverMs, handedOver]) assert.equal(typeof number, 'number');
  assert.equal((await home.status()).active?.entry, entry);
});

test('a reload that fails exits with 1, says why, and leaves the old generation active', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  home.write('broken.js', 'console.error("no database"); process.exit(3);');
  const { code, stdout, stderr } = await home.handover('reload', 'broken.js');

  assert.equal(code, 1);
  assert.match(
    stdout,
    /starting +generation 2.*\n.*worker-exited +worker 2\.1: exited with code 3 before it listened: no database\n.*failed +generation 2\n$/
  );
  assert.match(
    stderr,
    /^HANDOVER_ERR_CANDIDATE_EXITED: Generation 2 exited .* before it listened: no database\.\n[^\n]*generation 1 is still active\.\n$/
  );
  const { code: again, answer } = await home.json('reload', 'broken.js');
  assert.deepEqual([again, answer.ok, answer.code, answer.active], [1, false, 'HANDOVER_ERR_CANDIDATE_EXITED', 1]);
  assert.deepEqual(await home.ask(), { version: 1, args: [], cwd: home.folder });
});

test('rollback makes the generation before active again, and a second one goes forward', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  await home.handover('reload');
  const { code, stdout, stderr } = await home.handover('rollback');

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    / cutover +from generation 2 to 1\n.* paused +generation 2\nRolled back to generation 1 in [\d.]+ ms; \d+ connections? moved; generation 2 is the standby\.\n$/
  );
  const { answer } = await home.json('rollback');
  assert.deepEqual(Object.keys(answer), ['ok', 'from', 'to', 'tookMs', 'handedOver', 'connections']);
  assert.deepEqual([answer.ok, answer.from, answer.to], [true, 1, 2]);
});

test('a rollback that started the version before again says so, and speaks of no standby', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--strategy', 'in-place');
  await home.json('reload');
  const { code, stdout, stderr } = await home.handover('rollback');
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    /\nRolled back to generation 3, which is the version before started again in [\d.]+ m?s; \d+ connections? moved\.\n$/
  );
  assert.equal((await home.status()).standby, null);
});

test('a rollback without a standby is refused with exit code 3', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const { code, stdout, stderr } = await home.handover('rollback');

  assert.deepEqual([code, stdout], [3, '']);
  assert.match(
    stderr,
    /^HANDOVER_ERR_REFUSED_NO_STANDBY: Cannot roll back: [^\n]*\.\n[^\n]*generation 1 is still active\.\n$/
  );
});

test('a reload in the middle of another is refused with exit code 3', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  home.write('silent.js', 'setInterval(() => {}, 1000)');
  const first = home.start(['reload', 'silent.js']);
  await first.says(/starting +generation 2/);
  const { code, answer } = await home.json('reload');

  assert.deepEqual([code, answer.code, answer.active], [3, 'HANDOVER_ERR_REFUSED_BUSY', 1]);
  await home.handover('stop');
  assert.equal((await first.ended()).code, 1, 'the first one was given up with the supervisor');
});

test('stop returns when supervisor, workers and socket are gone, and run exits with 0', async (t) => {
  const home = new Home(t);
  const running = await home.run('server.js', '--workers', '2');
  const { supervisor, active } = await home.status();
  const pids = [supervisor.pid, ...(active?.workers ?? []).map(({ pid }) => Number(pid))];
  const { code, stdout, stderr } = await home.handover('stop');

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /stopping .*\n(.*\n)*.*stopped .*\nStopped shop \(pid \d+\) in [\d.]+ m?s\.\n$/);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(existsSync(home.socket('shop')), false);
  assert.equal((await running.ended()).code, 0);
});

test('stop waits for what is in flight, and with --json answers with one object', async (t) => {
  const home = new Home(t);
  const running = await home.run('server.js');
  const slow = home.ask('/slow');
  await until(async () => (await home.status()).active?.workers[0]?.inFlight === 1, 'the request in flight');
  const stopping = home.json('stop');
  await running.says(/"event":"retiring"/);
  assert.equal(running.process.exitCode, null);
  assert.equal((await home.status()).retiring[0]?.workers[0]?.inFlight, 1, 'it is still in flight');
  home.write('go', '');

  assert.equal((await slow).version, 1);
  const { code, answer } = await stopping;
  assert.deepEqual([code, answer.ok, answer.app, answer.pid], [0, true, 'shop', running.process.pid]);
});

test('with several supervisors a command names them and exits with 2', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--name', 'shop');
  await home.run('server.js', '--name', 'blog');
  const { code, stdout, stderr } = await home.handover('reload');

  assert.deepEqual([code, stdout], [2, '']);
  assert.equal(
    stderr,
    `HANDOVER_ERR_OPTION_AMBIGUOUS: It is not clear which supervisor is meant: 2 run: blog (${home.socket('blog')}), shop (${home.socket('shop')}).\nChoose one with --name, or with --socket.\n`
  );
  assert.equal((await home.json('status')).answer.code, 'HANDOVER_ERR_OPTION_AMBIGUOUS');
  assert.equal((await home.status('--name', 'blog')).app, 'blog');
  assert.equal((await home.status('--socket', home.socket('shop'))).app, 'shop');
  home.write('handover.config.json', '{"name":"blog"}');
  assert.equal((await home.status()).app, 'blog', 'the config of the folder says which one');
  assert.equal((await home.status('--name', 'shop')).app, 'shop', 'and a flag wins over it');
});

test('without a supervisor every order exits with 4, and list says how to start one', async (t) => {
  const home = new Home(t);
  for (const command of ['reload', 'rollback', 'promote', 'abort', 'retire', 'status', 'history', 'stop']) {
    const { code, answer } = await home.json(command);
    assert.deepEqual([code, answer.code, answer.active], [4, 'HANDOVER_ERR_CONTROL_UNREACHABLE', null], command);
    assert.equal((await home.json(command, '--name', 'shop')).code, 4);
  }
  assert.deepEqual(await home.handover('list'), {
    code: 0,
    stdout: 'No supervisor runs. Start one with `handover run <entry>`.\n',
    stderr: ''
  });
  assert.deepEqual(await home.json('list'), { code: 0, answer: { ok: true, supervisors: [] } });
});

test('sockets left over by a killed supervisor do not count', async (t) => {
  const home = new Home(t);
  const killed = await home.run('server.js', '--name', 'dead', '--orphan-timeout', '0');
  const { active } = await home.status();
  killed.process.kill('SIGKILL');
  await killed.ended();
  await home.run('server.js');

  const sockets = readdirSync(join(home.runtime, 'handover')).filter((file) => file.endsWith('.sock'));
  assert.deepEqual(sockets, ['dead.sock', 'shop.sock']);
  assert.equal((await home.status()).app, 'shop');
  const { answer } = await home.json('list');
  assert.deepEqual(
    (answer.supervisors as { app: string }[]).map(({ app }) => app),
    ['shop']
  );
  const orphans = (active?.workers ?? []).map(({ pid }) => Number(pid));
  await until(() => !orphans.some(isAlive), 'the end of the orphaned workers');
});

test('files in the socket folder that are no supervisors do not count', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const folder = join(home.runtime, 'handover');
  writeFileSync(join(folder, 'note.sock'), '');
  mkdirSync(join(folder, 'folder.sock'));

  assert.equal((await home.status()).app, 'shop');
});

test('list shows each supervisor that answers', async (t) => {
  const home = new Home(t);
  const { process } = await home.run('server.js');
  const { stdout } = await home.handover('list');
  const { listeners } = await home.status();
  const { answer } = await home.json('list');

  assert.match(stdout, /^name +pid +phase +active +listeners +socket\nshop +\d+ +steady +1 +127\.0\.0\.1:\d+ +\S+\n$/);
  assert.deepEqual(answer, {
    ok: true,
    supervisors: [{ app: 'shop', pid: process.pid, phase: 'steady', active: 1, listeners, socket: home.socket('shop') }]
  });
});

test('an order to something that takes connections and never answers is given up', async (t) => {
  const home = new Home(t);
  const path = join(home.runtime, 'mute.sock');
  const sockets = new Set<net.Socket>();
  const mute = net.createServer((socket) => sockets.add(socket)).listen(path);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const { code, answer } = await inTime(home.json('reload', '--socket', path), 'the end of the reload');

  assert.deepEqual([code, answer.code], [4, 'HANDOVER_ERR_CONTROL_UNREACHABLE']);
});
