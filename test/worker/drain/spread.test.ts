import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Spread } from '../../../src/worker/drain/spread.ts';

function spread(t: TestContext, count: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const here = new Set(Array.from({ length: count }, (_, index) => index));
  const left: number[] = [];
  const one = new Spread<number>(
    () => [...here],
    (gone) => {
      here.delete(gone);
      left.push(now);
    }
  );
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      now += 10;
      t.mock.timers.tick(10);
    }
  };
  return { one, here, left, pass };
}

test('each leaves once, and no part of the time has more than its share', (t) => {
  const { one, left, pass } = spread(t, 100);
  one.begin(10_000);
  pass(10_000);
  assert.equal(left.length, 100);
  for (let second = 0; second < 10; second += 1) {
    const count = left.filter((at) => at > second * 1_000 && at <= (second + 1) * 1_000).length;
    assert.ok(count >= 8 && count <= 12, `${count} in second ${second}`);
  }
});

test('a shorter time brings what is left to its end, a longer one changes nothing', (t) => {
  const { one, left, pass } = spread(t, 100);
  one.begin(10_000);
  pass(5_000);
  one.begin(20_000);
  one.begin(1_000);
  pass(1_000);
  assert.equal(left.length, 100);
  assert.ok(left.filter((at) => at > 5_000).length > 40);
});

test('with no time all leave at once; who comes later leaves too; when it has ended nobody does', (t) => {
  const { one, here, left, pass } = spread(t, 3);
  one.begin(0);
  assert.equal(left.length, 3);
  here.add(4);
  pass(600);
  assert.equal(left.length, 4);
  one.end();
  here.add(5);
  pass(2_000);
  assert.equal(left.length, 4);
});
