import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { app, startPlain, startService } from '../support/service.ts';
import { until } from '../support/wait.ts';

for (const workers of [1, 2]) {
  test(`a whileActive task never runs in two versions at once: reloads and rollbacks with workers: ${workers}`, async (t) => {
    const options = { workers, env: { STOP_MS: '60' } };
    const { service, release, journal, client } = await startService(t, 'while-active.mjs', options);
    const visitor = client();
    const runs = (version: string) =>
      until(() => running(journal()).filter((one) => one === version).length === workers, `${version} to run its task`);
    await runs('1');
    release('2');
    await service.reload();
    await runs('2');
    await service.rollback();
    await runs('1');
    await service.rollback();
    await runs('2');
    release('3');
    await service.reload();
    await runs('3');
    assert.deepEqual([(await visitor.get()).headers['x-generation'], visitor.sockets], ['3', 1]);

    const lines = journal();
    for (let length = 1; length <= lines.length; length += 1) {
      const versions = new Set(running(lines.slice(0, length)));
      assert.ok(versions.size <= 1, `two versions ran it:\n${lines.slice(0, length).join('\n')}`);
    }
    assert.equal(lines.filter((line) => line.startsWith('start')).length, 5 * workers);
  });
}

test('a task that takes its time to end delays the next one, and nobody else', async (t) => {
  const options = { env: { STOP_MS: '1000' } };
  const { service, release, journal, client } = await startService(t, 'while-active.mjs', options);
  const visitor = client();
  await until(() => journal().length === 1, 'the task to begin');
  release('2');
  await service.reload();
  assert.equal((await visitor.get()).version, '2');
  assert.deepEqual(running(journal()), ['1'], 'the answer came before the task had ended');
  await until(() => journal().length === 3, 'the next task to begin');
  assert.deepEqual(journal().map(short), ['start 1', 'stop 1', 'start 2']);
});

test('a candidate that fails never runs its task, and does not disturb who does', async (t) => {
  const { service, journal } = await startService(t, 'while-active.mjs', { readyTimeout: 1_000 });
  await until(() => journal().length === 1, 'the task to begin');
  await assert.rejects(service.reload(app('crash-on-boot.mjs')));
  await assert.rejects(service.reload(app('never-ready.mjs')));
  assert.deepEqual(journal().map(short), ['start 1']);
});

test('the replacement of a worker that was killed runs its task', async (t) => {
  const { journal, pids, event } = await startService(t, 'while-active.mjs');
  await until(() => journal().length === 1, 'the task to begin');
  const [first = 0] = await pids();
  process.kill(first, 'SIGKILL');
  await event('worker-replaced');
  await until(() => journal().length === 2, 'the replacement to run its task');
  assert.deepEqual(journal().map(short), ['start 1', 'start 1']);
});

test('a task has ended when the service has', async (t) => {
  const { service, journal, release } = await startService(t, 'while-active.mjs', { env: { STOP_MS: '60' } });
  await until(() => journal().length === 1, 'the task to begin');
  release('2');
  await service.reload();
  await until(() => journal().length === 3, 'the next task to begin');
  await service.close();
  assert.deepEqual(journal().map(short), ['start 1', 'stop 1', 'start 2', 'stop 2']);
});

test('onDrain is called at retirement, is waited for, and comes before SIGTERM', async (t) => {
  const { service, release, journal, client, event } = await startService(t, 'on-drain.mjs');
  await client().get();
  release('2');
  await service.reload();
  await service.rollback();
  await service.rollback();
  assert.deepEqual(journal(), [], 'a standby is not retired');

  release('3');
  await service.reload();
  await event('retired', ({ generation }) => generation === 1);
  assert.deepEqual(journal().map(short), ['drain 1', 'drained 1', 'term 1']);

  await service.close();
  for (const version of ['2', '3']) {
    const lines = journal().map(short);
    const own = lines.filter((line) => line.endsWith(version));
    assert.deepEqual(own, [`drain ${version}`, `drained ${version}`, `term ${version}`]);
  }
});

test('under plain node a task runs at once, and onDrain never', async (t) => {
  const active = await startPlain(t, 'while-active.mjs');
  await until(() => active.journal().length > 0, 'the task to begin');
  assert.deepEqual(active.journal().map(short), ['start 1']);
  assert.equal((await ask(active.target)).headers['x-generation'], 'null');

  const drain = await startPlain(t, 'on-drain.mjs');
  await drain.stop('SIGTERM');
  assert.deepEqual(drain.journal().map(short), ['term 1']);
});

/** The version of each task that was running when the journal was as long as this. */
function running(lines: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const line of lines) {
    const [what, version = '', pid = ''] = line.split(' ');
    if (what === 'start') found.set(pid, version);
    else found.delete(pid);
  }
  return [...found.values()];
}

function short(line: string): string {
  return line.split(' ').slice(0, 2).join(' ');
}
