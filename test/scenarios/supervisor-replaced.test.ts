import assert from 'node:assert/strict';
import { existsSync, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Status } from '../../src/core/status.ts';
import { startService } from '../support/service.ts';
import { isAlive, until } from '../support/wait.ts';
import { Machine } from './machine.ts';
import { Traffic } from './traffic.ts';
import { Witness } from './witness.ts';

// A supervisor that is replaced: by `handover upgrade`, by another start while it was stopped, or not at all.

// However slow the machine is, an idle connection is not ended by the app.
process.env.KEEP_ALIVE_MS = '120000';

/** How often two start at once. */
const PAIRS = Number(process.env.HANDOVER_PAIRS ?? 3);

test('an upgrade replaces the supervisor and nothing else: no client notices, the standby stays warm', async (t) => {
  const machine = new Machine(t);
  const { port, child, ended } = await machine.run(2);
  writeFileSync(join(machine.folder, 'version'), '2');
  await machine.client.reload();
  const before = await machine.serving();
  const traffic = await new Traffic(port).begin(4, 2, 10);
  for (let round = 0; round < 3; round += 1) {
    const { supervisor } = await machine.serving();
    const upgrade = await machine.start(['upgrade', '--json', '--socket', machine.socket]).ended;
    assert.equal(upgrade.code, 0, upgrade.err + machine.log);
    const done = JSON.parse(upgrade.out);
    assert.deepEqual([done.ok, done.from, done.active], [true, supervisor.pid, 2]);
    const after = await machine.serving(({ supervisor: { pid } }) => pid === done.to);
    const pidsOf = ({ active, standby }: Status) => [active, standby].map((one) => one?.workers.map(({ pid }) => pid));
    assert.deepEqual(pidsOf(after), pidsOf(before));
    await traffic.useIdle();
    await until(() => !isAlive(supervisor.pid), 'the end of the supervisor before');
  }
  assert.equal((await ended).code, 0);
  assert.equal(isAlive(child.pid ?? 0), false);
  assert.equal((await machine.client.rollback()).to, 1);
  await traffic.end();
  assert.deepEqual(traffic.failures, []);
  assert.deepEqual([...traffic.versions].sort(), ['1', '2']);
});

const FAILURES: readonly (readonly [what: string, args: readonly string[], why: RegExp])[] = [
  ['options that are none', ['--', '--workers', 'many', 'server.js'], /workers/],
  ['an entry that is not there', ['--', 'nowhere.js'], /nowhere\.js/],
  ['a binary that is not there', ['--node', '/nowhere/node'], /could not be started/],
  ['a binary that crashes', ['--node', '/bin/false'], /ended with code 1/]
];

for (const [what, args, why] of FAILURES) {
  test(`an upgrade that fails leaves everything as it was: ${what}`, async (t) => {
    const machine = new Machine(t);
    const { port } = await machine.run();
    const before = await machine.serving();
    const traffic = await new Traffic(port).begin(2, 1, 4);
    const upgrade = await machine.start(['upgrade', '--socket', machine.socket, ...args]).ended;
    assert.equal(upgrade.code, 1, upgrade.err);
    assert.match(upgrade.err, /HANDOVER_ERR_WORKER_UPGRADE/);
    assert.match(upgrade.err, why);
    assert.match(upgrade.err, /generation 1 is still active/);
    const after = await machine.serving();
    assert.equal(after.supervisor.pid, before.supervisor.pid);
    writeFileSync(join(machine.folder, 'version'), '2');
    assert.equal((await machine.client.reload()).to, 2);
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
  });
}

test('a supervisor that was stopped is replaced, and leaves without touching anything when it goes on', async (t) => {
  const machine = new Machine(t);
  const { port, child, ended } = await machine.run(2);
  const before = await machine.serving();
  const kept = await Witness.open(port);
  assert.ok(await kept.ask());
  child.kill('SIGSTOP');
  const second = machine.start(['run', '--workers', '2', ...machine.runArguments]);
  const after = await machine.serving(({ supervisor }) => supervisor.pid === second.child.pid);
  child.kill('SIGCONT');
  assert.equal((await ended).code, 3);
  assert.match(machine.log, /"event":"superseded"/);
  const pidsOf = ({ active }: Status) => active?.workers.map(({ pid }) => pid).sort();
  assert.deepEqual(pidsOf(after), pidsOf(before));
  assert.ok(await kept.ask());
  kept.close();
  assert.equal((await machine.client.reload()).to, 2);
});

test('of two supervisors that start at once over the workers of a killed one, one serves', async (t) => {
  const machine = new Machine(t);
  for (let round = 0; round < PAIRS; round += 1) {
    const { port, child, ended } = await machine.run();
    const traffic = await new Traffic(port).begin(2, 1, 2);
    child.kill('SIGKILL');
    await ended;
    const both = [0, 1].map(() => machine.start(['run', ...machine.runArguments]));
    const first = await Promise.race(both.map(async ({ ended: end }) => end));
    assert.equal(first.code, 3, machine.log);
    assert.match(first.err, /HANDOVER_ERR_REFUSED_NAME_TAKEN/);
    const { supervisor } = await machine.serving();
    assert.ok(both.some(({ child: { pid } }) => pid === supervisor.pid));
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
    await machine.client.stop();
    await until(() => !isAlive(supervisor.pid), 'the end of the supervisor');
  }
});

test('a supervisor that is killed while it takes over is no different', async (t) => {
  const machine = new Machine(t);
  const { port, child, ended } = await machine.run(2);
  const traffic = await new Traffic(port).begin(2, 1, 4);
  child.kill('SIGKILL');
  await ended;
  for (const afterMs of [150, 250, 350]) {
    const next = machine.start(['run', '--workers', '2', ...machine.runArguments]);
    await new Promise((done) => setTimeout(done, afterMs));
    next.child.kill('SIGKILL');
    await next.ended;
  }
  machine.start(['run', '--workers', '2', ...machine.runArguments]);
  const status = await machine.serving(
    ({ active }) => active?.workers.every(({ state }) => state === 'accepting') === true
  );
  assert.equal(status.active?.generation, 1);
  await traffic.end();
  assert.deepEqual(traffic.failures, []);
});

test('what is removed is made anew: the control socket, its folder, the state', async (t) => {
  const machine = new Machine(t);
  const { port } = await machine.run();
  const kept = await Witness.open(port);
  const link = machine.socket.replace('.sock', '.link');
  const state = machine.socket.replace('.sock', '.state.json');
  await until(() => existsSync(state), 'the state');
  for (const gone of [
    [machine.socket],
    [link],
    [`${link}.json`],
    [state],
    [machine.socket, link, `${link}.json`, state]
  ]) {
    for (const path of gone) rmSync(path);
    await until(() => gone.every((path) => existsSync(path)), `${gone.join(', ')} again`);
    await machine.serving();
  }
  const folder = dirname(machine.socket);
  rmSync(folder, { recursive: true });
  await until(() => existsSync(machine.socket), 'the control socket again');
  assert.equal(lstatSync(machine.socket).mode & 0o777, 0o600);
  writeFileSync(join(folder, 'version'), '2');
  await machine.serving();
  assert.equal((await machine.client.reload()).to, 2);
  assert.ok(await kept.ask());
  kept.close();
});

test('an order to a service that was closed is refused, not left without an answer', async (t) => {
  const { service } = await startService(t, 'own-messages.cjs');
  await service.close();
  await assert.rejects(service.reload(), { code: 'HANDOVER_ERR_REFUSED_STOPPING' });
});
