import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, Habit, type Manner } from '../../../bench/verdict/habits.ts';
import { shop, simulate } from '../../../bench/verdict/simulate.ts';
import { MIB } from '../../../src/core/verdict/signals.ts';

test('of 300 good versions of services of every kind, cold and in bursts, looked at all the time, one is rolled back at the most', () => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= 300; seed += 1) {
    const found = simulate(new Habit(seed));
    if (found) wrong.push(`seed ${seed} after ${found.afterMs} ms: ${found.reason}`);
  }
  assert.ok(wrong.length <= 1, wrong.join('\n'));
});

const faults: readonly [name: string, fault: Fault, withinMs: number | null, manner?: Partial<Manner>][] = [
  ['answers everything with 500', { failedShare: 1 }, 500],
  ['answers 10 % with 500', { failedShare: 0.1 }, 1_000],
  ['answers 2 % with 500', { failedShare: 0.02 }, 3_000],
  ['answers 0.5 % with 500', { failedShare: 0.005 }, 20_000],
  ['answers everything with 404', { refusedShare: 1 }, 1_000],
  ['has one route broken', { brokenOf: 10 }, 5_000],
  ['is twice as slow, by 20 ms', { slower: 2 }, 10_000, { medianMs: 20, slowMs: 200 }],
  ['is 5 times as slow', { slower: 5 }, 10_000],
  ['is 10 times as slow', { slower: 10 }, 6_000],
  ['is 640 times as slow', { slower: 640 }, 3_000],
  ['is slow for one request in 40', { slower: 100, slowOneIn: 40 }, 15_000],
  ['needs three times the CPU', { cpuRatio: 3 }, 15_000],
  ['leaks 50 MB a second', { leakPerSecondBytes: 50 * MIB }, 5_000],
  ['leaks 5 MB a second', { leakPerSecondBytes: 5 * MIB }, 26_000],
  ['answers 2 % with 500, at ten times the traffic', { failedShare: 0.02 }, 1_000, { rate: 5_000 }],
  ['answers everything with 500, at 5 requests a second', { failedShare: 1 }, 8_000, { rate: 5 }],
  ['is 640 times as slow, at 5 requests a second', { slower: 640 }, 12_000, { rate: 5 }],
  ['is twice as slow, by less than anybody feels', { slower: 2 }, null, { medianMs: 0.3, slowMs: 1 }]
];

for (const [name, fault, withinMs, manner] of faults) {
  const when = withinMs === null ? 'is kept' : `is rolled back within ${withinMs / 1_000} s`;
  test(`a version that ${name} ${when}`, () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const found = simulate(new Habit(seed, { ...shop, ...manner }), fault);
      if (withinMs === null) assert.equal(found, null, found?.reason);
      else assert.ok(found && found.afterMs <= withinMs, `seed ${seed}: ${found?.afterMs}, ${found?.reason}`);
    }
  });
}
