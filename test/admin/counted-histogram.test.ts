import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOUNDS_SECONDS, CountedHistogram, spread } from '../../src/admin/counted-histogram.ts';
import { BUCKETS_MS } from '../../src/core/verdict/histogram.ts';

const bucketOf = (ms: number) => BUCKETS_MS.findIndex((bound) => ms <= bound);
const LABELS = { role: 'active' };

async function valuesOf(histogram: CountedHistogram): Promise<Record<string, number>> {
  const { values } = await histogram.get();
  return Object.fromEntries(
    values.map(({ metricName, labels, value }) => [`${metricName} ${labels.le ?? ''}`.trim(), value])
  );
}

test('what took about as long as a bound is counted below it, and everything in the last bucket', async () => {
  const histogram = new CountedHistogram('took', 'how long');
  for (const seconds of BOUNDS_SECONDS) histogram.add(LABELS, [bucketOf(seconds * 1_000), 1]);
  const values = await valuesOf(histogram);
  for (const [index, bound] of BOUNDS_SECONDS.entries()) assert.equal(values[`took_bucket ${bound}`], index + 1);
  assert.equal(values['took_bucket +Inf'], BOUNDS_SECONDS.length);
  assert.equal(values.took_count, BOUNDS_SECONDS.length);
});

test('the sum is that of the durations, as exact as the buckets of the workers', async () => {
  const histogram = new CountedHistogram('took', 'how long');
  histogram.add(LABELS, [bucketOf(20), 300, bucketOf(700), 100]);
  const { took_sum: sum = 0 } = await valuesOf(histogram);
  assert.ok(Math.abs(sum - (0.02 * 300 + 0.7 * 100)) < 0.1 * sum, `${sum} s`);
});

test('what is longer than every bound is in no bucket but the last', async () => {
  const histogram = new CountedHistogram('took', 'how long');
  histogram.observe(LABELS, 3_600);
  const values = await valuesOf(histogram);
  assert.equal(values['took_bucket 60'], 0);
  assert.equal(values['took_bucket +Inf'], 1);
});

test('pairs that name no bucket are not counted', () => {
  assert.equal(
    spread([-1, 5, 1_000_000, 5, 2, 3, 4]).reduce((sum, count) => sum + count, 0),
    3
  );
});
