import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { versionIn } from '../../bench/peers/ask.ts';
import { collect, collectSkipped, NO_FIGURES } from '../../bench/peers/collect.ts';
import { matrixMarkdown, showMatrix } from '../../bench/peers/matrix.ts';
import { parseOwnBytes } from '../../bench/peers/memory.ts';
import type { System } from '../../bench/peers/model.ts';
import { isAlive, startTimeOf, withDescendants } from '../../bench/peers/process-tree.ts';
import type { PeersResult, SystemResult } from '../../bench/peers/result.ts';
import { runRound } from '../../bench/peers/rounds.ts';
import { freePort } from '../../bench/peers/sandbox.ts';
import { type PeersContext, Session } from '../../bench/peers/session.ts';
import { spreadOf, within } from '../../bench/peers/statistics.ts';
import { parseRefusal, parseSessions } from '../../bench/peers/systems/haproxy-answers.ts';
import { QUICK, SYSTEMS } from '../../bench/peers/systems/index.ts';
import { installedVersion } from '../../bench/peers/systems/installed.ts';
import { kill } from '../../bench/peers/systems/kill.ts';
import { withSystemFolders } from '../../bench/peers/systems/path.ts';
import { longestGap, switchedAt } from '../../bench/peers/watch.ts';

const SETTINGS: PeersResult['settings'] = {
  quick: true,
  rounds: 1,
  deploys: 1,
  pauseMs: 0,
  graceMs: 0,
  drainMs: 1_000,
  clients: {},
  requestTimeoutMs: 1_000,
  keptConnections: 1,
  freshTogether: 1,
  latencyRate: 1
};

const system: System = { ...kill, id: 'some', name: 'some system' };

function resultOf(...systems: SystemResult[]): PeersResult {
  const machine = { cpu: 'a cpu', cores: 2, memoryBytes: 1, os: 'an os', node: 'v20' };
  return { date: '2026-01-01T00:00:00Z', machine, versions: {}, settings: SETTINGS, systems };
}

test('a spread is the median and the quartiles of what was measured', () => {
  assert.deepEqual(spreadOf([4, 1, null, 3, 2, Number.NaN]), { median: 2.5, low: 1, high: 3, count: 4 });
});

test('a spread of nothing is null', () => {
  assert.equal(spreadOf([null]), null);
});

test('what takes too long is given up, by name', async () => {
  await assert.rejects(within(1, 'waiting', new Promise(() => {})), /waiting took longer than 1 ms/);
  assert.equal(await within(1_000, 'nothing', Promise.resolve('done')), 'done');
});

test('a switch is there from the first answer after which no other version answered', () => {
  const seen = [
    { at: 1, version: '1' },
    { at: 2, version: '2' },
    { at: 3, version: '1' },
    { at: 4, version: null },
    { at: 5, version: '2' },
    { at: 6, version: '2' }
  ];
  assert.equal(switchedAt(seen, '2'), 5);
});

test('a switch that has not happened by the end has no moment', () => {
  assert.equal(
    switchedAt(
      [
        { at: 1, version: '2' },
        { at: 2, version: null }
      ],
      '2'
    ),
    null
  );
});

test('a gap is the longest time between two answers, and has no end when the last question got none', () => {
  const seen = [
    { at: 1, version: '1' },
    { at: 2, version: '1' },
    { at: 3, version: null },
    { at: 9, version: '1' },
    { at: 10, version: '1' }
  ];
  assert.equal(longestGap(seen), 7);
  assert.equal(longestGap(seen.slice(0, 3)), null);
});

test('a version is read from a whole answer only', () => {
  const whole = 'HTTP/1.1 200 OK\r\nX-Version: 7\r\n\r\nanswer to ask\n';
  assert.equal(versionIn(whole), '7');
  assert.equal(versionIn(whole.slice(0, -1)), null);
  assert.equal(versionIn(whole.replace('200 OK', '502 Bad Gateway')), null);
  assert.equal(versionIn(''), null);
});

const STAT = `# pxname,svname,qcur,qmax,scur,smax
service,FRONTEND,,,9,9
app,blue,0,0,3,5
app,green,0,0,0,5
app,BACKEND,0,0,3,5

`;

test("sessions of a server are read from HAProxy's statistics by the names of columns", () => {
  assert.equal(parseSessions(STAT, 'app', 'blue'), 3);
  assert.equal(parseSessions(STAT, 'app', 'green'), 0);
});

test('a server that HAProxy does not tell of is an error, never a zero', () => {
  assert.throws(() => parseSessions(STAT, 'app', 'red'), /no sessions of app\/red/);
  assert.throws(() => parseSessions('', 'app', 'blue'), /no sessions of app\/blue/);
});

test('HAProxy obeys in silence, and what it says is an objection', () => {
  assert.equal(parseRefusal('\n\n'), null);
  assert.equal(parseRefusal('No such server.\n\n'), 'No such server.');
});

test('memory is what a process has of its own, in bytes, and unknown where the kernel does not tell', () => {
  const rollup = 'Rss:    9000 kB\nPss:    5000 kB\nPss_Anon:       2000 kB\nPss_File:   3000 kB\nPss_Shmem:   1 kB\n';
  assert.equal(parseOwnBytes(rollup), 2001 * 1024);
  assert.equal(parseOwnBytes('Rss:    9000 kB\n'), null);
});

test('a process that is gone has no start time and no descendants', () => {
  assert.equal(startTimeOf(2 ** 30), null);
  assert.deepEqual(withDescendants(2 ** 30), []);
});

test('a process and its children are found', {
  skip: process.platform !== 'linux' && 'only where there is /proc'
}, () => {
  assert.ok(withDescendants(process.pid).includes(process.pid));
  assert.ok(withDescendants(process.ppid).includes(process.pid));
});

test('every system has an id of its own and a file with its configuration', () => {
  assert.equal(new Set(SYSTEMS.map(({ id }) => id)).size, SYSTEMS.length);
  for (const { file, id } of SYSTEMS) assert.ok(existsSync(fileURLToPath(file)), id);
  for (const id of QUICK)
    assert.ok(
      SYSTEMS.some((known) => known.id === id),
      id
    );
});

test('servers are looked for where Debian has them too, after everything that is on the PATH', () => {
  assert.equal(withSystemFolders('/usr/bin:/bin'), '/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin');
  assert.equal(withSystemFolders('/usr/sbin:/bin'), '/usr/sbin:/bin:/usr/local/sbin:/sbin');
});

test('a package that is installed only in part has no version, and is no error', (t) => {
  const modules = mkdtempSync(join(tmpdir(), 'handover-modules-'));
  t.after(() => rmSync(modules, { recursive: true }));
  for (const [name, text] of Object.entries({ whole: '{ "version": "1.2.3" }', short: '{ "vers' })) {
    mkdirSync(join(modules, name));
    writeFileSync(join(modules, name, 'package.json'), text);
  }
  mkdirSync(join(modules, 'empty'));

  assert.deepEqual(
    ['whole', 'short', 'empty', 'absent'].map((name) => installedVersion(name, modules)),
    ['1.2.3', null, null, null]
  );
});

test('a row names its configuration by its path in the repository', () => {
  const { config } = collect(system, [], NO_FIGURES, []);
  assert.ok(existsSync(resolve(fileURLToPath(new URL('../..', import.meta.url)), config)), config);
});

test('the matrix shows every failure in a column of its own, and what was not measured as a dash', () => {
  const row = collect(system, [], NO_FIGURES, ['start: it did not']);
  const failures = { ...row.failures, refused: 12, wrongVersion: 3 };
  const lines = showMatrix(resultOf({ ...row, failures, requests: 99 }), false).split('\n');
  const [head = '', line = ''] = lines;
  const columns = head.trim().split(/\s{2,}/);
  const cells = line
    .trim()
    .split(/\s{2,}/)
    .slice(1);
  const cell = (name: string) => cells[columns.indexOf(name)];
  assert.deepEqual(['requests', 'failed', 'refused', 'wrong v.', 'reset'].map(cell), ['99', '15', '12', '3', '0']);
  assert.match(lines[4] ?? '', /^some system +-( +-)+$/);
  assert.ok(lines.includes('trouble: some system: start: it did not'));
});

test('for the docs there are medians alone, and what they were measured on', () => {
  const row = { ...collect(system, [], NO_FIGURES, []), deployMs: { median: 120.4, low: 100, high: 150, count: 4 } };
  const [failures, figures, , about] = matrixMarkdown(resultOf(row)).split('\n\n');
  assert.match(
    failures ?? '',
    /^\| {2}\| requests \| failed \| refused .*\n\|( ---:? \|)+( ---: \|)\n\| some system \| 0 \| 0 \|/
  );
  assert.match(figures ?? '', /\n\| some system \| 120 \| - \|/);
  assert.match(about ?? '', /^2026-01-01; .*; 2 cores \(a cpu\), an os\.$/m);
});

test('a system that is skipped is named with the command that installs it, and has no row of zeros', () => {
  const text = showMatrix(resultOf(collectSkipped(system, { why: 'it is not there', install: 'get it' })), false);
  assert.match(text, /^skipped: some system: it is not there \(get it\)$/m);
  assert.doesNotMatch(text, /^some system/m);
});

const CONTEXT: PeersContext = {
  quick: true,
  machine: {
    ...{ node: 'v24', cpu: 'a cpu', cores: 2, kernel: 'a kernel', memoryBytes: 2 ** 30 },
    ...{ loadBefore: 0, awake: false, pins: null }
  },
  build: '',
  settings: SETTINGS,
  progress: () => {}
};

/** A proxy that sends fresh connections to the new version, and leaves every other with the old one for ever. */
const sticky: System = {
  ...system,
  async start(sandbox) {
    let app = await freePort();
    await sandbox.startApp(app);
    const ends = new Set<Socket>();
    const proxy = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: app, host: '127.0.0.1', allowHalfOpen: true });
      for (const [one, other] of [
        [client, server],
        [server, client]
      ] as const) {
        ends.add(one.on('error', () => other.destroy()));
        one.pipe(other);
      }
    });
    await new Promise<void>((done) => proxy.listen(sandbox.port, '127.0.0.1', done));
    sandbox.atEnd(async () => {
      proxy.close();
      for (const end of ends) end.destroy();
    });
    return {
      async deploy() {
        const next = await freePort();
        await sandbox.startApp(next);
        app = next;
      },
      roots: () => [],
      owner: () => 0,
      async startAgain() {}
    };
  }
};

test('whom the old version goes on answering after a deploy is seen, also on an old connection', {
  timeout: 60_000
}, async () => {
  const settings = { ...SETTINGS, graceMs: 200, requestTimeoutMs: 10_000, clients: { busy: 1, thinking: 2 } };
  const { report, complete, troubles } = await runRound(sticky, 1, { ...CONTEXT, settings });
  const { wrongVersion, ...others } = report.failures;
  assert.ok(wrongVersion > 0, JSON.stringify(report.perVersion));
  assert.deepEqual([Object.values(others).filter((count) => count > 0), complete, troubles], [[], true, []]);
});

test('a system whose deploys fail is not complete, however few requests failed', { timeout: 60_000 }, async () => {
  const broken: System = {
    ...kill,
    async start(sandbox) {
      const running = await kill.start(sandbox);
      return { ...running, deploy: () => Promise.reject(new Error('no')) };
    }
  };
  const settings = { ...SETTINGS, requestTimeoutMs: 10_000, clients: { thinking: 1 } };
  const round = await runRound(broken, 2, { ...CONTEXT, settings });
  assert.deepEqual([round.complete, round.report.failed, round.troubles], [false, 0, ['deploy: no', 'rollback: no']]);
  assert.equal(collect(system, [round], NO_FIGURES, []).complete, false);
  assert.equal(collect(system, [], NO_FIGURES, ['round 1: it did not start']).complete, false);
});

test('a session deploys, goes back, and leaves nothing running', { timeout: 60_000 }, async () => {
  const session = await Session.start(kill, CONTEXT);
  const pids = [session.running.owner()];
  let folder = '';
  try {
    folder = session.sandbox.folder;
    const deployed = await session.deploy();
    assert.equal(deployed.observations.at(-1)?.version, '2');
    assert.notEqual(deployed.tookMs, null);
    pids.push(session.running.owner());
    const back = await session.rollback();
    assert.equal(back.observations.at(-1)?.version, '1');
    pids.push(session.running.owner());
  } finally {
    await session.end();
  }
  assert.equal(new Set(pids).size, 3);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(existsSync(folder), false);
});
