import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import { atEnd } from '../support/end.ts';
import { inTime, isAlive, until } from '../support/wait.ts';
import { CLI, Machine } from './machine.ts';
import { LOAD_APP } from './service.ts';
import { Traffic } from './traffic.ts';

// An upgrade to another Node, and one of a supervisor that is process 1.

// However slow the machine is, an idle connection is not ended by the app.
process.env.KEEP_ALIVE_MS = '120000';

/** The path of another Node, such as that of 24. */
const OTHER = process.env.ANOTHER_NODE ?? '';
/** How often one Node is replaced by another. */
const UPGRADES = Number(process.env.HANDOVER_UPGRADES ?? 4);

const skipOther = OTHER === '' && 'ANOTHER_NODE names no other Node';

test('the supervisor goes from one Node to another and back under load: no client notices', {
  skip: skipOther
}, async (t) => {
  const machine = new Machine(t);
  const { port } = await machine.run(2);
  const before = await machine.serving();
  const traffic = await new Traffic(port).begin(4, 2, 10);
  for (let round = 0; round < UPGRADES; round += 1) {
    const node = round % 2 === 0 ? OTHER : process.execPath;
    const { supervisor } = await machine.serving();
    const upgrade = await machine.start(['upgrade', '--json', '--node', node, '--socket', machine.socket]).ended;
    assert.equal(upgrade.code, 0, upgrade.err + machine.log);
    const { to } = JSON.parse(upgrade.out);
    const after = await machine.serving(({ supervisor: { pid } }) => pid === to);
    assert.deepEqual(
      after.active?.workers.map(({ pid }) => pid),
      before.active?.workers.map(({ pid }) => pid)
    );
    await traffic.useIdle();
    await until(() => !isAlive(supervisor.pid), 'the end of the supervisor before');
  }
  writeFileSync(join(machine.folder, 'version'), '2');
  assert.equal((await machine.client.reload()).to, 2);
  await traffic.end();
  assert.deepEqual(traffic.failures, []);
});

// As process 1 of a namespace, where it can only replace itself.

const NAMESPACE = ['--fork', '--pid', '--mount-proc', '--kill-child'];
const cannotUnshare = spawnSync('unshare', [...NAMESPACE, 'true']).status !== 0 && 'namespaces are not allowed here';

/** Its pids are those of the namespace: none of them means anything here. */
async function runAsFirst(t: TestContext, node: string) {
  const folder = mkdtempSync(join(tmpdir(), 'handover-first-'));
  writeFileSync(join(folder, 'version'), '1');
  const socket = join(folder, 'control.sock');
  const command = [node, CLI, 'run', '--socket', socket, '--log', 'json', '--listen', '127.0.0.1:0', LOAD_APP];
  const env = { ...process.env, VERSION_FILE: join(folder, 'version') };
  const outside: ChildProcess = spawn('unshare', [...NAMESPACE, ...command], { env, stdio: 'ignore' });
  const ended = once(outside, 'exit');
  const client = new ControlClient(socket);
  atEnd(t, async () => {
    outside.kill('SIGKILL'); // and with it all that is in the namespace
    await client.close();
    await inTime(ended, 'the end of the namespace');
    rmSync(folder, { recursive: true, force: true });
  });
  const status = await until(async () => {
    const found = await client.status().catch(() => null);
    return found?.phase === 'steady' && found;
  }, 'the service');
  return { client, folder, ended, port: Number(status.listeners[0]?.address.split(':').pop()) };
}

for (const [which, node, skip] of [
  ['this Node', process.execPath, cannotUnshare],
  ['another Node', OTHER, cannotUnshare || skipOther]
] as const) {
  test(`as process 1 the supervisor replaces itself, or says which Node it needs: ${which}`, { skip }, async (t) => {
    const { client, folder, ended, port } = await runAsFirst(t, node);
    const before = await client.status();
    assert.equal(before.supervisor.pid, 1);
    const traffic = await new Traffic(port).begin(2, 1, 4);
    const hasExecve = spawnSync(node, ['-p', 'typeof process.execve']).stdout.toString().trim() === 'function';
    if (hasExecve) {
      assert.deepEqual(await client.upgrade({}), { ok: true, active: 1, from: 1, to: 1 });
      // What it was before has been up for longer than that.
      await until(async () => {
        const status = await client.status().catch(() => null);
        return status?.phase === 'steady' && status.supervisor.uptimeMs < before.supervisor.uptimeMs;
      }, 'the supervisor to be another program');
    } else {
      await assert.rejects(client.upgrade({}), { code: 'HANDOVER_ERR_WORKER_UPGRADE', message: /22\.15/ });
    }
    const pidsOf = async () => (await client.status()).active?.workers.map(({ pid }) => pid);
    assert.deepEqual(
      await pidsOf(),
      before.active?.workers.map(({ pid }) => pid)
    );
    writeFileSync(join(folder, 'version'), '2');
    assert.equal((await client.reload()).to, 2);
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
    await client.stop();
    await inTime(ended, 'the end of process 1');
  });
}
