import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Growth, MemoryTrend } from '../../../src/host/measure/memory-trend.ts';
import { createRandom } from '../../support/random.ts';

const MIB = 2 ** 20;
const MINUTE_MS = 60_000;

/** What is told of a worker over some hours, with a heap that goes up and down by 30 MiB. */
function live(hours: number, bytesAt: (minute: number) => number, roomBytes: number | null = 1_024 * MIB): Growth[] {
  const trend = new MemoryTrend();
  const random = createRandom(7);
  const told: Growth[] = [];
  for (let second = 0; second < hours * 3_600; second += 5) {
    const heap = 30 * MIB * random();
    const growth = trend.add('7.1', second * 1_000, bytesAt(second / 60) + heap, () => roomBytes);
    if (growth) told.push(growth);
  }
  return told;
}

test('a leak of 1 MiB a minute is told within half an hour, with the time at which memory will be full', () => {
  const [first, ...more] = live(3, (minute) => (80 + minute) * MIB);
  assert.ok(first);
  assert.equal(first.worker, '7.1');
  assert.ok(Math.abs(first.perMinuteBytes / MIB - 1) < 0.2, `${first.perMinuteBytes}`);
  const minutes = first.fullAt / MINUTE_MS;
  assert.ok(minutes > 800 && minutes < 1_300, `${minutes}`);
  assert.deepEqual(more, []); // told once a day
});

test('memory that only goes up and down, or fills and then stays, is no growth', () => {
  assert.deepEqual(
    live(6, () => 80 * MIB),
    []
  );
  assert.deepEqual(
    live(6, (minute) => (80 + 100 * Math.min(1, minute / 2)) * MIB),
    []
  );
});

test('what will be full in months is not told, nor where nobody knows how much there is', () => {
  assert.deepEqual(
    live(3, (minute) => (80 + minute) * MIB, 200_000 * MIB),
    []
  );
  assert.deepEqual(
    live(3, (minute) => (80 + minute) * MIB, null),
    []
  );
});

test('it is told again the next day', () => {
  assert.equal(live(30, (minute) => (80 + minute) * MIB).length, 2);
});
