import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ramp } from '../../../src/worker/drain/ramp.ts';

/** How many may go before it closes. */
function take(ramp: Ramp, atMost = 1_000): number {
  let count = 0;
  for (; count < atMost && ramp.isOpen; count += 1) ramp.onSent();
  return count;
}

async function nextTick(ticks: () => number): Promise<void> {
  for (const last = ticks(); ticks() === last; ) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('without a ramp, and for two connections, all may go at once', () => {
  for (const [count, limitMs] of [
    [100, 0],
    [2, 2_000]
  ] as const) {
    const ramp = new Ramp(() => assert.fail('there is nothing to tell'));
    ramp.begin(count, limitMs);
    assert.deepEqual([ramp.isOver, ramp.isOpen], [true, true]);
  }
});

test('a receiver that has time gets more and more, one that is busy hardly any', async () => {
  let ticks = 0;
  const after = async (busy: number) => {
    const ramp = new Ramp(() => {
      ticks += 1;
    });
    ramp.begin(320, 600_000);
    const given = [take(ramp)];
    for (let count = 0; count < 5; count += 1) {
      await nextTick(() => ticks);
      if (ramp.isOpen) ramp.onSent();
      ramp.onMoved(busy);
      given.push(take(ramp));
    }
    ramp.end();
    return given;
  };
  const calm = await after(0.05);
  const full = await after(1);
  assert.equal(calm[0], 2);
  assert.ok(
    calm.every((count) => count <= 20),
    `no more than a sixteenth at a time: ${calm}`
  );
  assert.ok(calm.reduce((sum, count) => sum + count) > 25, String(calm));
  assert.deepEqual(full, [2, 0, 0, 0, 0, 0]);
});

test('one quiet moment of a receiver that is busy lets few more go, and without any it gets one now and then', async () => {
  let ticks = 0;
  const ramp = new Ramp(() => {
    ticks += 1;
  });
  ramp.begin(320, 600_000);
  take(ramp);
  ramp.onMoved(0.8);
  const startedAt = performance.now();
  let tried = 0;
  for (let count = 0; count < 20; count += 1) {
    await nextTick(() => ticks);
    const more = take(ramp);
    tried += more;
    if (more > 0) ramp.onMoved(0.8);
  }
  const mostTried = (performance.now() - startedAt) / 120 + 1;
  assert.ok(tried > 0 && tried <= mostTried, `${tried} of at most ${mostTried}`);
  ramp.onMoved(0.01);
  ramp.onMoved(0); // it cannot tell
  assert.equal(take(ramp), 0);
  ramp.end();
});

test('whatever the receiver says, all may go when the time is over, most of them in its second half', async () => {
  let ticks = 0;
  const ramp = new Ramp(() => {
    ticks += 1;
  });
  const startedAt = performance.now();
  ramp.begin(100, 300);
  const given: { share: number; count: number }[] = [];
  while (!ramp.isOver) {
    const count = take(ramp);
    ramp.onMoved(1);
    given.push({ share: (performance.now() - startedAt) / 300, count });
    await nextTick(() => ticks);
  }
  const early = given.filter(({ share }) => share < 0.5).reduce((sum, { count }) => sum + count, 0);
  assert.ok(early <= 100 / 4 + 7, `${early} in the first half`);
  assert.deepEqual([ramp.isOpen, take(ramp, 50)], [true, 50]);
});

test('what has to go goes one after the other too, with few on their way: nothing is left for the last moment', async () => {
  let ticks = 0;
  const ramp = new Ramp(() => {
    ticks += 1;
  });
  ramp.begin(1_000, 900);
  let sent = 0;
  let before = 0;
  while (!ramp.isOver) {
    before = sent;
    // Four are on their way at the most, and each that arrives lets the next one go.
    while (ramp.isOpen && !ramp.isOver) {
      const together = take(ramp, 4);
      sent += together;
      for (let count = 0; count < together; count += 1) ramp.onMoved(0.9);
    }
    await nextTick(() => ticks);
  }
  assert.ok(before > 500, `${before} of 1,000 before the last look`);
});
