import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { app, makeFolder, startService } from '../support/service.ts';
import { inTime, isAlive, until } from '../support/wait.ts';

for (const name of ['signals-ready.mjs', 'pm2-ready.cjs']) {
  test(`${name} becomes active when it says it is ready, and not before`, async (t) => {
    const READY_FILE = join(makeFolder(t), 'ready');
    writeFileSync(READY_FILE, '');
    const { service, client, release, told } = await startService(t, name, { ready: 'signal', env: { READY_FILE } });
    const messages: unknown[] = [];
    service.on('message', (message) => messages.push(message));
    const visitor = client();
    assert.equal((await visitor.get()).version, '1');

    rmSync(READY_FILE);
    release('2');
    let settled = false;
    const reload = service.reload().finally(() => {
      settled = true;
    });
    await until(async () => (await service.status()).candidate?.workers[0]?.connections === 0, 'a candidate that runs');
    for (let times = 0; times < 5; times += 1) assert.equal((await visitor.get()).version, '1');
    assert.equal(settled, false);
    assert.ok(!told.some(({ event }) => event === 'cutover'));

    writeFileSync(READY_FILE, '');
    await inTime(reload, 'the reload to go on');
    assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
    assert.deepEqual(messages, []);
  });
}

test('a generation of two workers is ready when both are', async (t) => {
  const READY_FILE = join(makeFolder(t), 'ready');
  writeFileSync(READY_FILE, '');
  const options = { ready: 'signal', workers: 2, env: { READY_FILE } } as const;
  const { service, client, release, journal } = await startService(t, 'signals-ready.mjs', options);
  const visitor = client();
  rmSync(READY_FILE);
  release('2');
  const reload = service.reload();
  const waiting = () => journal().filter((line) => line.startsWith('listening 2 '));
  await until(() => waiting().length === 2, 'both workers of the candidate to listen');
  const [first, second] = waiting().map((line) => line.split(' ')[2]);

  writeFileSync(`${READY_FILE}.${first}`, '');
  const states = async () => (await service.status()).candidate?.workers.map(({ state }) => state).sort();
  await until(async () => (await states())?.includes('ready'), 'the first worker to be ready');
  assert.deepEqual(await states(), ['ready', 'starting']);
  assert.equal((await visitor.get()).version, '1');

  writeFileSync(`${READY_FILE}.${second}`, '');
  await inTime(reload, 'the reload to go on');
  assert.equal((await visitor.get()).version, '2');
});

test('with readiness by listening, a signal is neither needed nor harmful', async (t) => {
  const READY_FILE = join(makeFolder(t), 'never');
  for (const name of ['signals-ready.mjs', 'pm2-ready.cjs']) {
    const { service, client, release } = await startService(t, name, { env: { READY_FILE } });
    release('2');
    await service.reload();
    assert.equal((await client().get()).version, '2');
  }
});

test('a late signal is too late: the candidate is given up and the active generation was never touched', async (t) => {
  const READY_FILE = join(makeFolder(t), 'ready');
  writeFileSync(READY_FILE, '');
  const options = { ready: 'signal', readyTimeout: 4_000, env: { READY_FILE } } as const;
  const { service, client, release, journal, pids } = await startService(t, 'signals-ready.mjs', options);
  const visitor = client();
  const { pid } = await visitor.get();
  rmSync(READY_FILE);
  release('2');
  const failure = await service.reload().catch((error) => error);
  const late = Number(journal().at(-1)?.split(' ')[2]);
  assert.equal(failure.code, 'HANDOVER_ERR_CANDIDATE_NOT_READY');
  assert.equal(
    failure.message,
    `Generation 2 did not become ready in 4000 ms: worker 2.1 (pid ${late}) is running but never called ready(). Let the app call listen() (or ready(), with readiness "signal"), or raise readyTimeout; generation 1 is still active.`
  );
  writeFileSync(READY_FILE, '');
  await until(() => !isAlive(late), 'the end of the late candidate');
  assert.deepEqual(await pids(), [pid]);
  const after = await visitor.get();
  assert.deepEqual([after.version, after.pid, visitor.sockets], ['1', pid, 1]);
});

const EXITED = 'Generation 2 exited before it was active: worker 2\\.1 exited with code';
const ENDING = 'Mend what it says and try again; generation 1 is still active\\.$';

const FAILURES: Record<string, [code: string, message: RegExp]> = {
  'never-ready.mjs': [
    'HANDOVER_ERR_CANDIDATE_NOT_READY',
    /^Generation 2 did not become ready in 4000 ms: worker 2\.1 \(pid \d+\) is running but never listened: it waits for a timer\. .*; generation 1 is still active\.$/
  ],
  'crash-on-boot.mjs': [
    'HANDOVER_ERR_CANDIDATE_EXITED',
    new RegExp(`^${EXITED} 1 before it listened: Error: the database of crash-on-boot is not there .*\n[^]*${ENDING}`)
  ],
  'exit-zero-on-boot.mjs': [
    'HANDOVER_ERR_CANDIDATE_EXITED',
    new RegExp(
      `^${EXITED} 0 before it listened; it wrote nothing to stderr\\. Let the entry call listen\\(\\): .*generation 1 is still active\\.$`
    )
  ],
  'throws-late.mjs': [
    'HANDOVER_ERR_CANDIDATE_EXITED',
    new RegExp(`^${EXITED} 1 before it listened: Error: throws-late gave up waiting .*\n[^]*${ENDING}`)
  ],
  'no-such-file.mjs': [
    'HANDOVER_ERR_CANDIDATE_ENTRY',
    /^Cannot start .*no-such-file\.mjs: .*no-such-file\.mjs does not exist\. .*; generation 1 is still active\.$/
  ]
};

for (const [name, [code, message]] of Object.entries(FAILURES)) {
  test(`${name} as a candidate is given up with the reason, and the active generation was never touched`, async (t) => {
    const { service, client, pids } = await startService(t, 'http.mjs', { readyTimeout: 4_000 });
    const visitor = client();
    const { pid } = await visitor.get();
    await assert.rejects(service.reload(app(name)), { code, message });
    const after = await visitor.get();
    assert.deepEqual([after.status, after.pid, visitor.sockets], [200, pid, 1]);
    await until(async () => (await pids()).length === 1, 'the end of the candidate');
    assert.equal((await service.reload(app('http.mjs'))).from, 1);
    assert.equal(visitor.sockets, 1);
  });

  test(`${name} as the first generation fails the start, and leaves nothing behind`, async (t) => {
    const folder = makeFolder(t);
    const socket = join(folder, 'control.sock');
    await assert.rejects(startService(t, name, { socket, readyTimeout: 4_000 }), (error: Error & { code: string }) => {
      assert.match(error.code, /^HANDOVER_ERR_(CANDIDATE_(NOT_READY|EXITED)|OPTION_ENTRY)$/);
      assert.doesNotMatch(error.message, /still active/);
      return true;
    });
    await until(() => !existsSync(socket), 'the control socket to be removed');
  });
}

test('an app that boots slowly is waited for', async (t) => {
  const { service, client, release } = await startService(t, 'slow-boot.mjs', { env: { BOOT_MS: '300' } });
  const visitor = client();
  await visitor.get();
  release('2');
  const { bootMs } = await service.reload();
  assert.ok(bootMs >= 300);
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});
