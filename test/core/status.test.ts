import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStatus, type WorkerFacts } from '../../src/core/status.ts';
import { play } from './player.ts';
import { START_AT } from './script.ts';

const around = {
  app: 'shop',
  supervisor: { pid: 1, user: 'shop', version: '0.1.0', node: 'v20.20.0', cwd: '/srv/shop', uptimeMs: 5 },
  listeners: [{ address: '[::]:80' }],
  candidateNote: null,
  configNote: null,
  lastHandover: null
};
const facts: WorkerFacts = {
  pid: 7,
  connections: 1,
  kinds: { http1: 1 },
  inFlight: 0,
  requests: 9,
  rssBytes: 1,
  cpuShare: 0,
  silentMs: null
};

function show(...script: string[]) {
  const { phase, active, standby, candidate, retiring } = describeStatus(
    play(...script).state,
    around,
    () => facts,
    START_AT
  );
  const id = (one: { generation: number } | null) => one?.generation ?? null;
  return { phase, active: id(active), standby: id(standby), candidate: id(candidate), retiring: retiring.map(id) };
}

const opening = ['steady active=6 standby=5', 'reload ./v7.js', 'ready 7.1'];

test('the status shows who is what in every phase', () => {
  const stages = [
    show('stopped'),
    show('stopped', 'boot ./v1.js'),
    show('steady active=6 standby=5'),
    show('steady active=6 standby=5', 'reload ./v7.js'),
    show(...opening),
    show(...opening, 'accepting 7.1'),
    show(...opening, 'accepting 7.1', 'paused 6.1'),
    show('steady active=6', 'stop')
  ];

  assert.deepEqual(stages, [
    { phase: 'stopped', active: null, standby: null, candidate: null, retiring: [] },
    { phase: 'booting', active: null, standby: null, candidate: 1, retiring: [] },
    { phase: 'steady', active: 6, standby: 5, candidate: null, retiring: [] },
    { phase: 'starting', active: 6, standby: 5, candidate: 7, retiring: [] },
    { phase: 'opening', active: 6, standby: 5, candidate: 7, retiring: [] },
    { phase: 'pausing', active: 7, standby: 6, candidate: null, retiring: [5] },
    { phase: 'handing-over', active: 7, standby: 6, candidate: null, retiring: [5] },
    { phase: 'stopping', active: null, standby: null, candidate: null, retiring: [6] }
  ]);
});

test('a standby that is rolled back to is shown as the standby until it is active', () => {
  const { active, standby, candidate } = show('steady active=6 standby=5', 'rollback');

  assert.deepEqual({ active, standby, candidate }, { active: 6, standby: 5, candidate: null });
});

test('a worker is shown with what was measured, and nothing else of the state', () => {
  const { active, ...rest } = describeStatus(play('steady active=6').state, around, () => facts, START_AT);

  assert.deepEqual(active, {
    generation: 6,
    label: null,
    entry: '/app/v6.js',
    user: null,
    group: null,
    strategy: 'blue-green',
    rejected: null,
    startedAt: '1970-01-01T00:16:39.000Z',
    workers: [{ id: '6.1', state: 'accepting', ...facts }]
  });
  assert.deepEqual(Object.keys(rest), [
    'app',
    'supervisor',
    'listeners',
    'configNote',
    'lastHandover',
    'phase',
    'drained',
    'standby',
    'activeNote',
    'standbyNote',
    'candidate',
    'candidateNote',
    'retiring',
    'bake',
    'canary',
    'history'
  ]);
});
