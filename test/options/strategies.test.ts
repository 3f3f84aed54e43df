import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureSurge } from '../../src/core/rules/surge.ts';
import type { Surge } from '../../src/options/strategies.ts';

const measure = (maxSurge: Surge, maxUnavailable: Surge, workers: number) => {
  const { surge, unavailable } = measureSurge({ maxSurge, maxUnavailable }, workers);
  return [surge, unavailable];
};

test('a share of the workers is rounded up for the surge and down for the unavailable', () => {
  const shares = [1, 2, 3, 4, 10].map((workers) => measure({ share: 0.25 }, { share: 0.25 }, workers));

  assert.deepEqual(shares, [
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 1],
    [3, 2]
  ]);
});

test('a whole percentage of a hundred workers is exactly that many', () => {
  for (let percent = 0; percent <= 100; percent += 1) {
    const share = { share: percent / 100 };
    assert.deepEqual(measure(share, 1, 100), [percent, 1]);
    assert.deepEqual(measure(1, share, 100), [1, percent]);
  }
});

test('numbers are taken as they are, but no more can be missing than there are', () => {
  assert.deepEqual(measure(1, 0, 3), [1, 0]);
  assert.deepEqual(measure(5, 2, 3), [5, 2]);
  assert.deepEqual(measure(0, 4, 3), [0, 3]);
});

test('where rounding leaves neither, one worker may be missing', () => {
  assert.deepEqual(measure(0, { share: 0.25 }, 2), [0, 1]);
});
