import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Talk } from '../scenarios/raw.ts';
import { atEnd } from '../support/end.ts';
import { Raw } from '../support/http.ts';
import { type Bound, bind, Worker } from '../support/worker.ts';

/** How many connections are on their way at once. */
const WINDOW = 4;
const CLIENTS = WINDOW + 2;
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

test('a connection that was upgraded before its turn came does not move', async (t) => {
  const { bound, leaver, heir } = await two(t, {});
  for (let idle = 0; idle < WINDOW; idle += 1) await ask(await open(t, bound), '1');
  const upgraded = new Raw({ host: '127.0.0.1', port: bound.port });
  atEnd(t, () => upgraded.socket.destroy());
  await upgraded.get('/answer');
  leaver.say({ type: 'pause', heirs: true });
  await leaver.report();
  upgraded.socket.write('GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await upgraded.seen(() => upgraded.text.endsWith('Upgrade: echo\r\n\r\n'), 'the upgrade');
  await heir.accept();
  assert.equal(await leaver.handOverTo(heir), WINDOW);
  upgraded.socket.write('still here');
  await upgraded.seen(() => upgraded.text.endsWith('still here'), 'the echo');
});

/** A worker that accepts, and one that would. */
async function two(t: TestContext, given: ConstructorParameters<typeof Worker>[3]) {
  const bound = bind(t);
  const leaver = await new Worker(t, 'hold.mjs', bound, given).listens();
  const heir = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  await leaver.accept();
  return { bound, leaver, heir };
}

async function open(t: TestContext, { port }: Bound): Promise<Talk> {
  const talk = await Talk.open(port);
  atEnd(t, () => talk.close());
  return talk;
}

async function ask(talk: Talk, version: string): Promise<void> {
  talk.get('/answer');
  assert.equal((await talk.answer()).version, version);
}
