import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { HandoverBudget } from '../../../src/worker/drain/handover-budget.ts';
import { Talk } from '../../scenarios/raw.ts';
import { atEnd } from '../../support/end.ts';
import { bind, Worker } from '../../support/worker.ts';

const BUDGET_MS = 1_500;
/** Three of them take longer than the budget, and one of them does not by far. */
const STEP_MS = 600;

test('a connection whose turn has not come is told to close only if the handover stands still for its budget', async (t) => {
  const bound = bind(t);
  const worker = await new Worker(t, 'hold.mjs', bound, { budgetMs: BUDGET_MS }).listens();
  await worker.accept();
  const talks = await Promise.all(Array.from({ length: 20 }, () => Talk.open(bound.port)));
  for (const talk of talks) atEnd(t, () => talk.close());
  const ask = async (talk: Talk | undefined) => {
    assert.ok(talk);
    talk.get('/answer', 'asked');
    return talk.answer();
  };
  for (const talk of talks) await ask(talk);
  worker.say({ type: 'pause', receivers: true, hurry: false, last: false });
  const next = async () => {
    const { id, handle } = await worker.hear('connection');
    await delay(STEP_MS); // so slow is whoever takes it
    handle?.close();
    worker.say({ type: 'moved', id, busy: 0 });
  };
  for (let moved = 0; moved < 3; moved += 1) await next();
  assert.equal((await ask(talks.at(-1))).close, false);

  await delay(BUDGET_MS + STEP_MS);
  assert.equal((await ask(talks.at(-2))).close, true);
});

test('while there is no supervisor nothing can move, and no budget is used up', (t) => {
  let now = 1;
  t.mock.method(performance, 'now', () => now);
  const budget = new HandoverBudget(100, 1_000);
  budget.begin();
  budget.suspend();
  now += 5_000;
  assert.equal(budget.isOver(null), false);
  budget.resume();
  now += 100;
  assert.equal(budget.isOver(null), false, 'it begins anew with the next supervisor');
  now += 1;
  assert.equal(budget.isOver(null), true);
});
