import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextCheck } from '../../bench/client/content.ts';
import { Exchange } from '../../bench/client/exchange.ts';
import { CLIENT_KINDS, FAILURE_KINDS, recordOf, settingsFrom } from '../../bench/client/model.ts';
import { balance, judge } from '../../bench/client/oracle.ts';
import { createRandom } from '../../bench/client/random.ts';
import { percentiles, Samples } from '../../bench/client/samples.ts';

const good = { status: 200, reason: 'OK', close: false, id: 'busy0-1', version: '1' };
const target = { host: '127.0.0.1', port: 1 };

function createExchange(openedAt = 0) {
  const exchange = new Exchange({
    id: 'busy0-1',
    client: 'busy0',
    kind: 'busy',
    method: 'GET',
    url: '/answer',
    body: new TextCheck('')
  });
  exchange.openedAt = openedAt;
  return exchange;
}

test('an answer without a fault has none', () => {
  assert.equal(judge(createExchange(), good, null), null);
});

test('an answer to a request that is not complete yet is bad', () => {
  const exchange = createExchange();
  exchange.written = false;

  assert.equal(judge(exchange, good, null)?.kind, 'badAnswer');
});

test('an answer without an id or a version is bad', () => {
  assert.equal(judge(createExchange(), { ...good, id: null }, null)?.kind, 'badAnswer');
  assert.equal(judge(createExchange(), { ...good, version: null }, null)?.kind, 'badAnswer');
});

test('on a connection opened after the expectation, another version is wrong even if it closes', () => {
  const exchange = createExchange(1001);
  const expected = { version: '2', at: 1000, graceMs: 1e9 };

  assert.equal(judge(exchange, good, expected)?.kind, 'wrongVersion');
  assert.equal(judge(exchange, { ...good, close: true }, expected)?.kind, 'wrongVersion');
  assert.equal(judge(exchange, { ...good, version: '2' }, expected), null);
});

test('behind a proxy, a connection opened after the expectation is as an older one', () => {
  const exchange = createExchange(1001);
  const expected = { version: '2', at: exchange.sentAt - 100, behindProxy: true };

  assert.equal(judge(exchange, good, { ...expected, graceMs: 200 }), null);
  assert.equal(judge(exchange, good, { ...expected, graceMs: 50 })?.kind, 'wrongVersion');
});

test('on an older connection, another version is right within the grace time', () => {
  const exchange = createExchange(-1000);

  assert.equal(judge(exchange, good, { version: '2', at: exchange.sentAt - 100, graceMs: 200 }), null);
});

test('on an older connection, another version is wrong after the grace time unless it closes', () => {
  const exchange = createExchange(-1000);
  const expected = { version: '2', at: exchange.sentAt - 100, graceMs: 50 };

  assert.equal(judge(exchange, good, expected)?.kind, 'wrongVersion');
  assert.equal(judge(exchange, { ...good, close: true }, expected), null);
});

test('books that do not balance are refused, whichever column is wrong', () => {
  const perClient = recordOf(CLIENT_KINDS, () => ({ sent: 0, answered: 0, failed: 0 }));
  const failures = recordOf(FAILURE_KINDS, () => 0);
  const totals = {
    sent: 3,
    answered: 2,
    failed: 1,
    failures: { ...failures, reset: 1 },
    perVersion: { 1: 2 },
    perClient: { ...perClient, busy: { sent: 3, answered: 2, failed: 1 } }
  };

  balance(totals);
  assert.throws(() => balance({ ...totals, sent: 4 }), /sent = answered \+ failed, but 4 is not 3/);
  assert.throws(() => balance({ ...totals, failures }), /failures by kind/);
  assert.throws(() => balance({ ...totals, perVersion: {} }), /answers by version/);
  assert.throws(() => balance({ ...totals, perClient }), /by client kind/);
});

test('percentiles are nearest ranks over all sets, and null over none', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => 100 - index);

  assert.deepEqual(percentiles([hundred.subarray(0, 30), hundred.subarray(30)]), {
    count: 100,
    p50: 50,
    p90: 90,
    p99: 99,
    max: 100
  });
  assert.deepEqual(percentiles([]), { count: 0, p50: null, p90: null, p99: null, max: null });
});

test('samples between two moments are those of requests under way in between, however many there are', () => {
  const samples = new Samples();
  for (let atMs = 0; atMs < 5000; atMs++) samples.add(atMs, 1);
  samples.add(6000, 5500);

  assert.deepEqual([...samples.between(999.5, 1000.5)], [1, 1, 5500]);
  assert.equal(samples.all().length, 5001);
});

test('the same seed draws the same numbers, within their bounds', () => {
  const [one, same, other] = [7, 7, 8].map((seed) => {
    const random = createRandom(seed);
    return Array.from({ length: 1000 }, () => random.integer(1, 6));
  });

  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
  assert.deepEqual([...new Set(one)].sort(), [1, 2, 3, 4, 5, 6]);
});

test('an unknown kind, option or count is refused', () => {
  assert.throws(() => settingsFrom({ target, clients: { lazy: 1 } as never }), /unknown client kind "lazy"/);
  assert.throws(() => settingsFrom({ target, clients: { busy: -1 } }), /busy: -1 is not a count/);
  assert.throws(() => settingsFrom({ target, clients: {}, pause: 1 } as never), /unknown load option "pause"/);
  assert.equal(settingsFrom({ target, clients: {}, seed: 5 }).seed, 5);
});
