import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignalName } from '../../src/core/verdict/signals.ts';
import { BAKE_DEFAULTS, readBake, type UserBake } from '../../src/options/bake.ts';

const { limits } = BAKE_DEFAULTS;

/** One limit of a bake that says something about it alone. */
function limitOf(name: SignalName, given: unknown): unknown {
  const bake = readBake({ [name]: given });
  if (bake) assert.deepEqual({ ...bake, limits: { ...bake.limits, [name]: limits[name] } }, BAKE_DEFAULTS);
  return bake?.limits[name];
}

test('a bake may be no more than how long it is', () => {
  for (const [given, forMs] of [
    ['30s', 30_000],
    ['0', 0],
    [0, 0],
    ['5m', 300_000]
  ] as const) {
    assert.deepEqual(readBake(given), { ...BAKE_DEFAULTS, forMs, atMostMs: forMs });
    assert.deepEqual(readBake({ for: given }), { ...BAKE_DEFAULTS, forMs, atMostMs: forMs });
  }
  assert.deepEqual(readBake({}), BAKE_DEFAULTS);
});

test('a bake may go on for longer where too few requests came', () => {
  const bake = readBake({ for: '10s', atMost: '2m', requests: 500 });
  assert.deepEqual(bake, { ...BAKE_DEFAULTS, forMs: 10_000, atMostMs: 120_000, requests: 500 });
  for (const wrong of [{ for: '10s', atMost: '5s' }, { atMost: 'long' }, { requests: -1 }, { requests: 1.5 }])
    assert.equal(readBake(wrong), undefined, JSON.stringify(wrong));
});

test('whoever says what the floor is means it: nothing is outright then, unless that is said too', () => {
  assert.deepEqual(limitOf('p50', { ratio: 3 }), { ...limits.p50, ratio: 3 });
  assert.deepEqual(limitOf('p50', { floor: '1s' }), { ...limits.p50, floor: 1_000, outright: null });
  assert.deepEqual(limitOf('p50', { floor: '1s', outright: 20 }), { ...limits.p50, floor: 1_000, outright: 20 });
  assert.equal(limitOf('p50', { outright: 1 }), undefined);
});

test('any signal can be switched off', () => {
  for (const name of Object.keys(limits) as SignalName[]) assert.equal(limitOf(name, false), null);
});

test('what is left out of a limit is as the default says', () => {
  assert.deepEqual(limitOf('errors', { ratio: 3 }), { ...limits.errors, ratio: 3 });
  assert.deepEqual(limitOf('errors', {}), limits.errors);
  assert.deepEqual(limitOf('errors', undefined), limits.errors);
});

test('a limit of what is counted may be a number', () => {
  assert.deepEqual(limitOf('exits', 5), { ...limits.exits, floor: 5 });
  assert.deepEqual(limitOf('hangs', 2), { ...limits.hangs, floor: 2 });
  for (const name of ['errors', 'p99', 'memory'] as const) assert.equal(limitOf(name, 5), undefined);
});

test('times are durations, and other amounts numbers in the unit of their signal', () => {
  assert.deepEqual(limitOf('p99', { floor: '1s', absolute: '5s', after: '10s' }), {
    ...limits.p99,
    floor: 1_000,
    outright: null,
    absolute: 5_000,
    afterMs: 10_000
  });
  assert.deepEqual(limitOf('errors', { floor: 0.01, absolute: null, requests: 1 }), {
    ...limits.errors,
    floor: 0.01,
    absolute: null,
    requests: 1
  });
  assert.deepEqual(limitOf('memory', { floor: 1e9, after: 0 }), { ...limits.memory, floor: 1e9, afterMs: 0 });
});

test('a limit that nothing, or anything, would reach is refused', () => {
  const wrong: readonly [SignalName, unknown][] = [
    ['exits', 0],
    ['exits', 1.5],
    ['exits', -1],
    ['exits', '3'],
    ['exits', true],
    ['exits', null],
    ['errors', { floor: 0 }],
    ['errors', { floor: 5 }],
    ['errors', { floor: '5%' }],
    ['errors', { absolute: 50 }],
    ['errors', { ratio: 0.5 }],
    ['errors', { ratio: Infinity }],
    ['errors', { ratio: '2' }],
    ['errors', { requests: 0 }],
    ['errors', { requests: 2.5 }],
    ['errors', { least: -1 }],
    ['errors', { outright: 10 }],
    ['p99', { floor: 0 }],
    ['p99', { floor: 'slow' }],
    ['p99', { after: -1 }],
    ['memory', { floor: Number.NaN }],
    ['memory', { floor: '64MB' }]
  ];
  for (const [name, given] of wrong) assert.equal(limitOf(name, given), undefined, `${name} ${JSON.stringify(given)}`);
});

test('a field that a signal cannot have is refused', () => {
  const wrong: UserBake[] = [
    { exits: { requests: 20 } },
    { hangs: { absolute: 3 } },
    { errors: { after: '1s' } },
    { loopDelay: { requests: 5 } }
  ];
  for (const given of wrong) assert.equal(readBake(given), undefined, JSON.stringify(given));
  assert.equal(readBake({ errors: { rate: 2 } }), undefined);
  assert.equal(readBake({ crashes: 3 }), undefined);
  assert.equal(readBake(JSON.parse('{"__proto__": 3, "toString": 1}')), undefined);
});
