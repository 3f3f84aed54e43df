import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemdNotifier, tellMainPid } from '../../src/host/systemd-notify.ts';
import { atEnd } from '../support/end.ts';
import { FakeNotify } from '../support/fake-notify.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/wait.ts';

function make(t: TestContext, more: NodeJS.ProcessEnv = {}) {
  const folder = makeFolder(t);
  const systemd = new FakeNotify(folder);
  const failures: string[] = [];
  const notifier = new SystemdNotifier((why) => failures.push(why), { ...systemd.env, ...more });
  atEnd(t, () => notifier.close());
  const release = () => rmSync(join(folder, 'hang'), { force: true });
  return { systemd, notifier, failures, release };
}

const READY = { mode: 'ready', status: 'generation 1 is active' } as const;
const RELOADING = { mode: 'reloading', status: 'generation 2 is starting' } as const;

test('systemd is told of a start, a reload and a stop, and of each only once', async (t) => {
  const { systemd, notifier } = make(t);
  const steps = [
    [{ mode: null, status: 'generation 1 is starting' }, 'STATUS=generation 1 is starting'],
    [READY, 'READY=1 STATUS=generation 1 is active'],
    [RELOADING, 'RELOADING=1 MONOTONIC_USEC=now STATUS=generation 2 is starting'],
    [READY, 'READY=1 STATUS=generation 1 is active'],
    [{ ...READY, status: 'generation 1 is active, 2 workers' }, 'STATUS=generation 1 is active, 2 workers'],
    [{ mode: 'stopping', status: 'stopping' }, 'STOPPING=1 STATUS=stopping']
  ] as const;
  for (const [at, [report, line]] of steps.entries()) {
    notifier.tell(report);
    notifier.tell(report);
    await until(() => systemd.told().length === at + 1, line);
    assert.equal(systemd.told()[at], line);
  }
});

test('one program runs at a time, and what happens meanwhile is told together, the last word last', async (t) => {
  const { systemd, notifier, release } = make(t);
  systemd.do('hang');
  notifier.tell(READY);
  await systemd.hears(/READY=1/);
  for (let reload = 0; reload < 20; reload += 1) {
    notifier.tell(RELOADING);
    notifier.tell({ ...READY, status: `generation ${reload} is active` });
  }
  assert.equal(systemd.told().length, 1);
  release();
  await until(
    () => systemd.told().length === 3,
    () => `three reports in all, not ${systemd.told().join('\n')}`
  );
  assert.deepEqual(systemd.told().slice(1), [
    'RELOADING=1 MONOTONIC_USEC=now STATUS=generation 19 is active',
    'READY=1'
  ]);
  assert.equal(systemd.most(), 1);
});

test('the watchdog hears of a service that is ready, and no more once it has ended', async (t) => {
  const { systemd, notifier } = make(t, { WATCHDOG_USEC: '100000', WATCHDOG_PID: String(process.pid) });
  notifier.tell(READY);
  await until(() => systemd.told().filter((line) => line === 'WATCHDOG=1').length >= 3, 'three signs of life');
  notifier.close();
  notifier.tell({ mode: 'stopping', status: 'stopping' });
  await systemd.hears(/STOPPING=1/);
});

for (const [what, env] of [
  ['is meant for another process', { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }],
  ['is not there', {}],
  ['is no time', { WATCHDOG_USEC: 'soon' }]
] as const) {
  test(`a watchdog that ${what} hears nothing`, async (t) => {
    const { systemd, notifier } = make(t, env);
    notifier.tell(READY);
    await systemd.hears(/READY=1/);
    notifier.tell(RELOADING);
    await systemd.hears(/RELOADING=1/);
    assert.ok(!systemd.told().some((line) => line.includes('WATCHDOG')));
  });
}

test('why systemd cannot be told is said once', async (t) => {
  const { systemd, notifier, failures } = make(t);
  systemd.do('fail');
  notifier.tell(READY);
  notifier.tell(RELOADING);
  await systemd.hears(/RELOADING=1/);
  await until(() => failures.length > 0, 'the failure');
  assert.deepEqual(failures, ['systemd-notify failed: no such socket']);
});

test('where the program is missing that is said once, and nothing else happens', async (t) => {
  const { systemd, notifier, failures } = make(t, { PATH: makeFolder(t) });
  notifier.tell(READY);
  notifier.tell(RELOADING);
  await until(() => failures.length > 0, 'the failure');
  assert.equal(await tellMainPid(4121, { ...systemd.env, PATH: '/nowhere' }), 'there is no program systemd-notify');
  assert.deepEqual([failures, systemd.told()], [['there is no program systemd-notify'], []]);
});

test('without systemd nothing is run', async (t) => {
  const { systemd, notifier, failures } = make(t, { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000' });
  notifier.tell(READY);
  assert.equal(await tellMainPid(4121, { ...systemd.env, NOTIFY_SOCKET: '' }), null);
  assert.deepEqual([failures, systemd.told()], [[], []]);
});

test('systemd is told of another main process', async (t) => {
  const { systemd } = make(t);
  assert.equal(await tellMainPid(4121, systemd.env), null);
  assert.deepEqual(systemd.told(), ['MAINPID=4121']);
});
