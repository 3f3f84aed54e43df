import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { columns } from '../../src/cli/columns.ts';
import type { Io } from '../../src/cli/io.ts';
import { createPhases, describePhase } from '../../src/cli/phases.ts';
import { printFailure, showMs } from '../../src/cli/print.ts';
import { showChange, showStatus } from '../../src/cli/view.ts';
import type { ServiceEvent } from '../../src/control/routes.ts';
import type { Status } from '../../src/core/status.ts';
import { HandoverError } from '../../src/errors.ts';

function record(terminal: boolean) {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      said.out += `${text}\n`;
    },
    draw: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += `${text}\n`;
    },
    drained: async () => {},
    terminal,
    columns: () => 60,
    paint: (_style, text) => text,
    paintError: (_style, text) => text,
    unread: new AbortController().signal
  };
  return { io, said };
}

const event = (name: string, details: object = {}): ServiceEvent => ({
  time: '',
  level: 'info',
  event: name,
  ...details
});

test('durations are said as people say them', () => {
  const said = [0.04, 1.23, 12.4, 999, 999.9, 3100, 59_949, 60_000, 250_000, 3_600_000, 11_530_000, 183_600_000];

  assert.deepEqual(said.map(showMs), [
    '0 ms',
    '1.2 ms',
    '12 ms',
    '999 ms',
    '1.0 s',
    '3.1 s',
    '59.9 s',
    '1 min',
    '4 min 10 s',
    '1 h',
    '3 h 12 min',
    '2 d 3 h'
  ]);
});

test('a failure is what and why in one sentence, and what to do in the next line', () => {
  const { io, said } = record(false);
  const account = { what: 'It failed', why: 'it said:\n    last words\n ', fix: 'Mend it' };
  printFailure(new HandoverError('HANDOVER_ERR_CANDIDATE_EXITED', account), 'text', io);

  assert.equal(said.err, 'HANDOVER_ERR_CANDIDATE_EXITED: It failed: it said:\n    last words\nMend it.\n');
  assert.equal(said.out, '');
});

test('elsewhere than on a terminal each phase is one plain line that says when it began', () => {
  const { io, said } = record(false);
  const phases = createPhases(io);
  phases.show(event('starting', { generation: 2, entry: '/app.js', workers: 2 }));
  phases.show(event('memory-grows', { worker: '1.3' }));
  phases.show(event('ready', { generation: 2 }));
  phases.end();

  assert.match(
    said.out,
    /^ +[\d.]+ ms {2}starting +generation 2: \/app\.js, 2 workers\n +[\d.]+ ms {2}ready +generation 2\n$/
  );
});

test('on a terminal the current phase is drawn over in place, and each phase ends as one line that fits', () => {
  const { io, said } = record(true);
  const phases = createPhases(io);
  phases.show(event('starting', { generation: 2, entry: `/${'long/'.repeat(20)}app.js`, workers: 1 }));
  phases.show(event('ready', { generation: 2 }));
  phases.end();

  const lines = said.out.trimEnd().split('\n');
  assert.equal(lines.length, 2);
  for (const line of lines) {
    assert.ok(line.startsWith('\r\x1b[K'));
    for (const drawn of line.split('\r')) assert.ok(stripVTControlCharacters(drawn).length < 60, drawn);
  }
  assert.match(lines[1] ?? '', /ready +generation 2 {2}[\d.]+ ms$/);
});

test('while a generation bakes, the clock on a terminal counts down, and then says what it took', () => {
  const { io, said } = record(true);
  const phases = createPhases(io);
  phases.show(event('baking', { generation: 2, forMs: 30_000 }));
  assert.match(stripVTControlCharacters(said.out), /baking +generation 2 for 30\.0 s {2}30 s left$/);
  phases.show(event('verdict', { generation: 2, decision: 'keep', reason: 'as before' }));
  phases.end();

  const [baked = '', verdict = ''] = said.out.split('\n').map((line) => line.split('\r').at(-1) ?? '');
  assert.match(baked, /generation 2 for 30\.0 s {2}[\d.]+ ms$/);
  assert.match(verdict, /verdict +generation 2: keep, as before {2}/);
});

test('a drain that is overdue says who holds it', () => {
  const holding = [{ method: 'GET', url: '/export', ageMs: 1 }];
  const overdue = {
    generation: 1,
    worker: '1.2',
    reason: 'the drain timeout passed',
    connections: 2,
    inFlight: 1,
    holding
  };

  assert.match(
    describePhase(event('drain-overdue', overdue)) ?? '',
    /^drain-overdue +worker 1\.2: the drain timeout passed, with 2 connections, 1 request in flight, GET \/export$/
  );
});

test('columns are as wide as their widest cell, colours not counted', () => {
  assert.deepEqual(
    columns(
      [
        ['\x1b[1mid\x1b[22m', 'pid'],
        ['7.1', '1']
      ],
      [1]
    ),
    ['\x1b[1mid\x1b[22m   pid', '7.1    1']
  );
});

const unmeasured = {
  connections: null,
  kinds: null,
  inFlight: null,
  requests: null,
  rssBytes: null,
  cpuShare: null,
  silentMs: null
};
const status: Status = {
  app: 'shop',
  canary: null,
  supervisor: { pid: 9, user: 'shop', version: '1.0.0', node: 'v20', cwd: '/srv/shop', uptimeMs: 61_000 },
  listeners: [],
  phase: 'steady',
  drained: null,
  active: {
    generation: 7,
    label: '1.4.0',
    entry: '/app.js',
    user: null,
    group: null,
    strategy: 'rolling',
    rejected: null,
    startedAt: '2026-01-02T03:04:05.000Z',
    workers: [{ id: '7.1', pid: null, state: 'accepting', ...unmeasured, unmeasured: 'it was started meanwhile' }]
  },
  standby: null,
  activeNote: null,
  standbyNote: 'the machine was short of memory',
  candidate: null,
  candidateNote: null,
  configNote: null,
  lastHandover: null,
  retiring: [],
  bake: null,
  history: []
};

test('what could not be measured is -, with the reason', () => {
  const shown = showStatus(status, (_style, text) => text);

  assert.match(shown, /^ {2}7\.1 +- +accepting +- +- +- +- +-$/m);
  assert.match(shown, /^ {2}7\.1: - because it was started meanwhile$/m);
  assert.match(shown, /^standby: none, the machine was short of memory$/m);
  assert.match(showChange(status), /active 7 \(1 worker, - connections, - in flight\)/);
});

test('a candidate that waits for its check says so', () => {
  const { active } = status;
  const candidateNote = 'its check GET /health is asked again: worker 8.1 gave status 503';
  const shown = showStatus({ ...status, candidate: active, candidateNote }, (_style, text) => text);

  assert.match(shown, /^ {2}its check GET \/health is asked again: worker 8\.1 gave status 503$/m);
  const line = describePhase(event('check-waiting', { check: 'GET /health', reason: 'worker 8.1 gave status 503' }));
  assert.match(line ?? '', /^check-waiting +GET \/health: worker 8\.1 gave status 503$/);
});

test('a status says what is baking, what was rejected and who is silent', () => {
  const { active } = status;
  const [worker] = active?.workers ?? [];
  if (!active || !worker) return assert.fail('nothing is active');
  const silent = { ...worker, silentMs: 4_200 };
  const after = {
    ...{ spanMs: 18_000, requests: 1_200, failed: 3, cut: 0, p50Ms: 2.1, p99Ms: 9.8, cpuMsPerRequest: 0.4 },
    ...{
      loopDelayMs: 11,
      rssBytes: 61_000_000,
      memoryPerMinuteBytes: null,
      exits: 0,
      hangs: 0,
      uncaught: 0,
      routes: []
    }
  };
  const baking: Status = {
    ...status,
    active: { ...active, workers: [silent] },
    standby: {
      ...active,
      generation: 6,
      label: null,
      strategy: 'blue-green',
      rejected: '5xx: 41 %\nand more',
      workers: []
    },
    bake: { generation: 7, since: active.startedAt, forMs: 30_000, leftMs: 12_000, before: null, after }
  };
  const shown = showStatus(baking, (_style, text) => text);

  assert.match(shown, /^bake +generation 7, 12\.0 s of 30\.0 s left$/m);
  assert.match(
    shown,
    /^ {2}now +1200 requests in 18\.0 s, 3 5xx, p50 2\.1 ms, p99 9\.8 ms, CPU 0\.4 ms each, 58\.2 MB$/m
  );
  assert.match(shown, /^active: generation 7 \(1\.4\.0\), \/app\.js, rolling, started /m);
  assert.match(shown, /^ {2}7\.1 is silent for 4\.2 s$/m);
  assert.match(shown, /^standby: generation 6, \/app\.js, blue-green, started [^\n]*\n {2}rejected: 5xx: 41 %\n/m);
  assert.match(showChange(baking), / {2}baking 7$/);
});
