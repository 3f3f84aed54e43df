import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { checkUnit } from '../../src/cli/doctor/unit.ts';
import { readOptions } from '../../src/options/read-options.ts';
import { atEnd } from '../support/end.ts';
import { Home } from './run.ts';

interface Answer {
  readonly code: number | null;
  readonly ok: boolean;
  readonly wrong: number;
  readonly checks: readonly Finding[];
}

async function examine(home: Home, ...args: string[]): Promise<Answer> {
  const { code, answer } = await home.json('doctor', ...args);
  return { ...answer, code } as unknown as Answer;
}

const find = ({ checks }: Pick<Answer, 'checks'>, name: string): Finding =>
  checks.find(({ check }) => check === name) ?? assert.fail(`no ${name}`);

const GOOD = `[Service]
Type=notify
NotifyAccess=all
KillMode=process
TimeoutStopSec=45
WatchdogSec=30
ExecStart=/srv/app/node_modules/.bin/handover run server.js
RuntimeDirectory=shop
RuntimeDirectoryPreserve=restart
`;

test('each thing is looked at, says what it is, and how it is mended where it is wrong', async (t) => {
  const answer = await examine(new Home(t));
  const names = answer.checks.map(({ check }) => check);
  for (const name of [
    'node',
    'descriptors',
    'backlog',
    'ports',
    'rights',
    'unit',
    'clock',
    'disk',
    'tmpfiles',
    'keep-alive'
  ])
    assert.ok(names.includes(name), name);
  for (const { level, what, fix } of answer.checks) {
    assert.ok(['ok', 'warning', 'wrong', 'unknown'].includes(level) && what !== '');
    assert.equal(fix !== null, level === 'warning' || level === 'wrong');
  }
  assert.deepEqual([answer.code, answer.ok], answer.wrong === 0 ? [0, true] : [1, false]);
});

test('a unit that would lose requests is wrong, and the exit code says so', async (t) => {
  const home = new Home(t);
  const unit = home.write(
    'shop.service',
    GOOD.replace('=process', '=mixed').replace('=45', '=20').replace('=all', '=main')
  );
  const answer = await examine(home, '--unit', unit);
  assert.deepEqual([answer.code, answer.ok], [1, false]);
  assert.match(find(answer, 'unit.KillMode').what, /KillMode=mixed: .* all workers die/);
  assert.equal(find(answer, 'unit.KillMode').fix, 'KillMode=process');
  assert.match(find(answer, 'unit.TimeoutStopSec').fix ?? '', /^TimeoutStopSec=45/);
  assert.equal(find(answer, 'unit.notify').level, 'wrong');
  const { stdout, stderr, code } = await home.handover('doctor', '--unit', unit);
  assert.deepEqual([code, stderr], [1, '']);
  assert.match(stdout, /^wrong {4}unit\.KillMode: .*\n {9}mend it: KillMode=process$/m);
  assert.match(stdout, /things are wrong; \d+ warnings?\.\n$/);
});

test('a drop-in counts after the unit, and the flags of ExecStart are what a stop takes', async (t) => {
  const home = new Home(t);
  const unit = home.write('shop.service', GOOD.replace('server.js', 'server.js --drain-timeout 2m'));
  assert.match(
    find(await examine(home, '--unit', unit), 'unit.TimeoutStopSec').what,
    /45 s, and a stop may take 125 s/
  );
  home.write('shop.service.d/override.conf', '[Service]\nTimeoutStopSec=3min\n');
  assert.equal(find(await examine(home, '--unit', unit), 'unit.TimeoutStopSec').level, 'ok');
});

test('what a unit says is understood as systemd does', () => {
  const level = (text: string, check: string) => {
    const patient = { folder: '/', options: readOptions({}), running: null, unit: { path: '', text }, proxyMs: null };
    return find({ checks: checkUnit(patient) }, check).level;
  };
  for (const check of ['KillMode', 'TimeoutStopSec', 'notify', 'ExecStart', 'RuntimeDirectory'])
    assert.equal(level(GOOD, `unit.${check}`), 'ok');
  assert.equal(level(GOOD.replace('=45', '=1min 30s'), 'unit.TimeoutStopSec'), 'ok');
  assert.equal(level(GOOD.replace('=45', '=infinity'), 'unit.TimeoutStopSec'), 'ok');
  assert.equal(level(GOOD.replace('=45', '=soon'), 'unit.TimeoutStopSec'), 'unknown');
  assert.equal(level(GOOD.replace('KillMode=process\n', ''), 'unit.KillMode'), 'wrong');
  assert.equal(
    level(GOOD.replace('=/srv/app/node_modules/.bin/handover', '=/usr/bin/npx handover'), 'unit.ExecStart'),
    'wrong'
  );
  assert.equal(level(GOOD.replace('=/srv', '=/bin/sh -c "exec /srv'), 'unit.ExecStart'), 'ok');
  assert.equal(level(GOOD.replace('RuntimeDirectoryPreserve=restart\n', ''), 'unit.RuntimeDirectory'), 'warning');
  assert.equal(level(GOOD.replace('=30', '=1'), 'unit.notify'), 'wrong');
  const passed = GOOD.replace('server.js', 'server.js --listen systemd:web');
  assert.equal(level(passed, 'unit.NonBlocking'), 'wrong');
  assert.equal(level(`${GOOD}Sockets=shop.socket\n`, 'unit.NonBlocking'), 'wrong');
  assert.equal(level(`${passed}NonBlocking=true\n`, 'unit.NonBlocking'), 'ok');
  assert.throws(
    () => level(GOOD, 'unit.NonBlocking'),
    /no unit\.NonBlocking/,
    'a service that binds by itself needs none'
  );
});

test('an address that another program has is wrong, with what to do', async (t) => {
  const home = new Home(t);
  const port = await listen(t);
  home.write('handover.config.json', JSON.stringify({ entry: 'server.js', listen: `127.0.0.1:${port}` }));
  const answer = await examine(home);
  assert.equal(answer.code, 1);
  assert.match(find(answer, 'ports').what, new RegExp(`127\\.0\\.0\\.1:${port} belongs to another program`));
});

async function listen(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  atEnd(t, () => void server.close());
  return (server.address() as AddressInfo).port;
}

test('of a service that runs its own process is looked at, and how long it keeps idle connections', async (t) => {
  const home = new Home(t);
  const { process } = await home.run('server.js', '--backlog', '60000');
  const answer = await examine(home, '--proxy-keep-alive', '60s');
  assert.match(find(answer, 'descriptors').what, new RegExp(`of the supervisor \\(pid ${process.pid}\\)`));
  assert.match(find(answer, 'backlog').what, /60000 connections may wait/);
  assert.match(find(answer, 'ports').what, /^it has 127\.0\.0\.1:\d+$/);
  assert.match(find(answer, 'keep-alive').what, /keeps idle connections for 5 s, the proxy .* for 60 s: .* 502/);
  assert.equal(answer.code, 1);
  assert.equal(find(await examine(home, '--proxy-keep-alive', '3s'), 'keep-alive').level, 'ok');
});

test('what is no duration, and no unit, is wrong usage', async (t) => {
  const home = new Home(t);
  assert.equal((await examine(home, '--proxy-keep-alive', 'long')).code, 2);
  assert.equal((await examine(home, '--unit', 'nowhere.service')).code, 2);
});
