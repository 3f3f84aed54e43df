import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../src/core/status.ts';
import { until } from '../support/wait.ts';
import { Home } from './run.ts';

const parse = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Status);

test('status shows supervisor, listeners, generations, workers and history', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--workers', '2');
  await home.handover('reload');
  const { code, stdout, stderr } = await home.handover('status');

  assert.deepEqual([code, stderr], [0, '']);
  const lines = [
    /^app +shop$/m,
    /^supervisor +pid \d+, as \S+, handover \d\S+, node v\d\S+, up [\d.]+ m?s$/m,
    /^listeners +127\.0\.0\.1:\d+$/m,
    /^phase +steady$/m,
    /^active: generation 2, \S+\/server\.js, blue-green, started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m,
    /^ +id +pid +state +connections +in flight +requests +memory +cpu$/m,
    /^ +2\.2 +\d+ +accepting +0 +0 +0 +[\d.]+ MB +\d+ %$/m,
    /^standby: generation 1, /m,
    /^ +1\.1 +\d+ +paused +0 /m,
    /^history$/m,
    /^ +1 +standby +\d.* \S+\/server\.js$/m
  ];
  for (const line of lines) assert.match(stdout, line);
});

test('status --json is the status of the control socket', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const { code, answer } = await home.json('status');
  const { app, supervisor, phase, active, standby, candidate, history } = answer as unknown as Status;

  assert.equal(code, 0);
  assert.deepEqual([app, phase, standby, candidate, history.length], ['shop', 'steady', null, null, 1]);
  assert.deepEqual(Object.keys(supervisor), ['pid', 'user', 'version', 'node', 'cwd', 'uptimeMs']);
  const [worker] = active?.workers ?? [];
  assert.deepEqual([worker?.id, worker?.state, worker?.connections], ['1.1', 'accepting', 0]);
});

test('status says who holds a worker that drains', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--keep-warm', '0');
  const slow = home.ask('/slow?token=1');
  await until(async () => (await home.status()).active?.workers[0]?.inFlight === 1, 'the request in flight');
  await home.handover('reload');
  const { stdout } = await home.handover('status');

  assert.match(stdout, /^retiring: generation 1, .*no standby is kept/m);
  assert.match(stdout, /^ {2}1\.1 is held by GET \/slow for [\d.]+ m?s$/m);
  home.write('go', '');
  await slow;
});

test('status --watch gives a line for each change until the supervisor ends', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const watching = home.start(['status', '--watch']);
  await watching.says(/active 1 \(1 worker, 0 connections, 0 in flight\) {2}standby - {2}candidate -\n/);
  await home.handover('reload');
  await watching.says(/ shop {2}steady {2}active 2 .*standby 1 {2}/);
  await home.handover('stop');
  const { code, stdout, stderr } = await watching.ended();

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /The supervisor has stopped\.\n$/);
});

test('status --watch --json gives one object for each change', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const watching = home.start(['status', '--watch', '--json']);
  await watching.says(/^\{.*\}\n/);
  await home.handover('reload');
  await until(() => parse(watching.stdout()).at(-1)?.active?.generation === 2, 'the status after the reload');
  await home.handover('stop');
  const { code, stdout } = await watching.ended();

  assert.equal(code, 0);
  const all = parse(stdout);
  assert.ok(all.length >= 4, `${all.length} changes`);
  assert.deepEqual([all[0]?.phase, all[0]?.active?.generation], ['steady', 1]);
});

test('a watch whose supervisor is killed fails with 4', async (t) => {
  const home = new Home(t);
  const running = await home.run('server.js', '--orphan-timeout', '0');
  const watching = home.start(['status', '--watch']);
  await watching.says(/steady/);
  running.process.kill('SIGKILL');
  const { code, stderr } = await watching.ended();

  assert.equal(code, 4);
  assert.match(stderr, /^HANDOVER_ERR_CONTROL_UNREACHABLE: /);
});

test('a watch that nobody reads any more ends', async (t) => {
  const home = new Home(t);
  await home.run('server.js');
  const watching = home.start(['status', '--watch']);
  await watching.says(/steady/);
  watching.process.stdout?.destroy();
  await home.handover('reload');

  assert.deepEqual((await watching.ended()).stderr, '');
});
