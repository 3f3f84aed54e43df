import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AskLimits, askAgain } from '../../../src/host/checks/ask-again.ts';
import type { CheckFailure } from '../../../src/host/checks/private-client.ts';

const fails = (came: string, late = false): CheckFailure => ({ what: 'GET /', expected: 'status 200', came, late });

/** Asks with these answers, the last of them for all asks that follow. */
async function play(answers: readonly (CheckFailure | null)[], limits: Partial<AskLimits>, signal?: AbortSignal) {
  const times: number[] = [];
  const waited: string[] = [];
  const result = await askAgain(
    async (timeoutMs) => {
      times.push(timeoutMs);
      return answers[Math.min(times.length, answers.length) - 1] ?? null;
    },
    { intervalMs: 20, timeoutMs: 1_000, until: Infinity, attempts: Infinity, ...limits },
    signal ?? new AbortController().signal,
    ({ came }) => waited.push(came)
  );
  return { result, times, waited };
}

test('it asks until the check holds, and says what it waits for before each further ask', async () => {
  const { result, times, waited } = await play([fails('a'), fails('b'), null], {});
  assert.deepEqual([result, times, waited], [null, [1_000, 1_000, 1_000], ['a', 'b']]);
});

test('attempts are failures in a row', async () => {
  const { result, times } = await play([fails('a')], { attempts: 3 });
  assert.deepEqual([result?.came, result?.asked, times.length], ['a', 3, 3]);
});

test('when the time is over the last answer is the reason, and the first ask was made in any case', async () => {
  const late = await play([fails('a')], { until: performance.now() - 5 });
  assert.deepEqual([late.result?.came, late.result?.asked, late.times], ['a', 1, [1_000]]);
  const soon = await play([fails('a'), fails('b')], { until: performance.now() + 200 });
  assert.equal(soon.result?.came, 'b');
  assert.ok(soon.times.length >= 2);
  assert.ok(soon.times.slice(1).every((timeoutMs) => timeoutMs <= 200));
});

test('an ask that the end of the time cut short says less than the answer before it', async () => {
  const { result } = await play([fails('a'), fails('nothing', true)], { until: performance.now() + 100 });
  assert.equal(result?.came, 'a');
});

test('the signal ends it at once, without an answer', async () => {
  const ends = new AbortController();
  setTimeout(() => ends.abort(), 30);
  const { result, times } = await play([fails('a')], { intervalMs: 600_000 }, ends.signal);
  assert.deepEqual([result, times.length], [null, 1]);
});
