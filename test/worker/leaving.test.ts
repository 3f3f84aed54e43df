import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Talk } from '../scenarios/raw.ts';
import { atEnd } from '../support/end.ts';
import { bind, Worker } from '../support/worker.ts';

/** Two more than are on their way at once. */
const CLIENTS = 6;

/** A worker that is told to drain: four of its idle connections are on their way, and two wait for their turn. */
async function drainBusy(t: TestContext, drainMs: number) {
  const bound = bind(t);
  const leaver = await new Worker(t, 'hold.mjs', bound, { drainMs }).listens();
  const heir = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  await leaver.accept();
  const talks: Talk[] = [];
  for (let index = 0; index < CLIENTS; index += 1) {
    const talk = await Talk.open(bound.port);
    atEnd(t, () => talk.close());
    talk.get('/answer', 'first');
    await talk.answer();
    talks.push(talk);
  }
  leaver.say({ type: 'drain', heirs: true });
  await leaver.report();
  for (const talk of talks) talk.get('/answer', 'next');
  await leaver.reports(({ requests, inFlight }) => requests === CLIENTS + 2 && inFlight === 0, 'two answers');
  await heir.accept();
  await leaver.handOverTo(heir);
  const answers = await Promise.all(talks.map((talk) => talk.answer()));
  await leaver.hear('drained');
  return { talks, answers };
}

test('a worker that drains without having paused hands over, and whose turn has not come is answered as ever', async (t) => {
  const { talks, answers } = await drainBusy(t, 10_000);
  assert.deepEqual(answers.map(({ version }) => version).sort(), ['1', '1', '2', '2', '2', '2']);
  assert.ok(answers.every(({ close }) => !close));
  for (const talk of talks) {
    talk.get('/answer', 'there');
    assert.equal((await talk.answer()).version, '2', 'each has moved, on its connection');
  }
});

test('where the drain timeout leaves no time to wait for a turn, the next answer is the last on its connection', async (t) => {
  const { answers } = await drainBusy(t, 0);
  for (const { version, close } of answers) assert.equal(close, version === '1');
});
