import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addEntry, amendEntry, describeHistory } from '../../src/core/state/history.ts';
import type { HistoryEntry, State } from '../../src/core/state/state.ts';
import { play } from './player.ts';
import { readState, release, usual } from './script.ts';

const written: HistoryEntry = {
  generation: 7,
  release: { ...release('./v7.js'), label: '1.4.0', env: { API_TOKEN: 'hush' } },
  kind: 'reload',
  strategy: 'rolling',
  startedAt: 0,
  activeAt: 1_000,
  activeMs: 0,
  endedAt: null,
  requests: 12,
  failed: 1,
  outcome: 'active',
  reason: null,
  standby: 6,
  verdict: null
};

const withHistory = (...history: HistoryEntry[]): State => ({ ...readState('steady active=7', usual), history });

test('a entry is shown field by field, and never the environment of its release', () => {
  const [shown] = describeHistory([written], 5_000);

  assert.deepEqual(shown, {
    generation: 7,
    label: '1.4.0',
    entry: '/app/v7.js',
    kind: 'reload',
    strategy: 'rolling',
    startedAt: '1970-01-01T00:00:00.000Z',
    activeAt: '1970-01-01T00:00:01.000Z',
    endedAt: null,
    durationMs: 4_000,
    requests: 12,
    failed: 1,
    outcome: 'active',
    reason: null,
    standby: 6,
    verdict: null,
    operator: null
  });
});

test('how long a generation was active adds up, however often it came back', () => {
  const script = [
    'with keepWarmMs=Infinity',
    'steady active=6 standby=5',
    'reload ./v7.js',
    'ready 7.1',
    'accepting 7.1'
  ];
  const player = play(...script, 'paused 6.1', 'handed 6.1', 'rollback', 'accepting 6.1', 'paused 7.1', 'handed 7.1');
  const [first] = describeHistory(player.state.history, player.now);
  // From its cutover to the other's: four lines, ten milliseconds each.
  assert.equal(first?.durationMs, 40);

  player.play('rollback');
  player.play('accepting 7.1');
  player.play('paused 6.1');
  const [again] = describeHistory(player.state.history, player.now + 1_000);
  assert.equal(again?.durationMs, 40 + 10 + 1_000);
});

test('a rejected generation stays so, and for the same reason, however it ends', () => {
  const rejected = withHistory({ ...written, outcome: 'rejected', reason: '5xx: 41 % of 220 requests' });
  const retired = amendEntry(rejected, 7, { outcome: 'retired', endedAt: 9, reason: 'it was kept warm long enough' });
  const stopped = amendEntry(retired, 7, { reason: 'SIGTERM' });

  const [entry] = stopped.history;
  assert.deepEqual([entry?.outcome, entry?.reason, entry?.endedAt], ['rejected', '5xx: 41 % of 220 requests', 9]);
  const [again] = amendEntry(stopped, 7, { outcome: 'active', reason: null }).history;
  assert.deepEqual([again?.outcome, again?.reason], ['active', null], 'unless it becomes active again');
});

test('a new entry says by which order and strategy it began', () => {
  const { state } = play('steady active=6', 'reload ./v7.js');
  const candidate = state.phase === 'starting' ? state.candidate : assert.fail(state.phase);
  const { history } = addEntry(withHistory(), candidate, { kind: 'rollback', strategy: 'in-place' });

  const [{ kind, strategy, outcome, requests, standby } = assert.fail('no entry')] = history;
  assert.deepEqual([kind, strategy, outcome, requests, standby], ['rollback', 'in-place', 'candidate', null, null]);
});
