import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Ahead } from '../../scenarios/ahead.ts';
import { Talk } from '../../scenarios/raw.ts';
import { atEnd } from '../../support/end.ts';
import { Raw } from '../../support/http.ts';
import { until } from '../../support/wait.ts';
import { type Bound, bind, Worker } from '../../support/worker.ts';

/** How many connections are on their way at once. */
const WINDOW = 4;
const CLIENTS = WINDOW + 2;
/** A moment in which something would happen that must not. */
const MOMENT_MS = 150;

/** A worker that is told to drain: four of its idle connections are on their way, and two wait for their turn. */
async function drainBusy(t: TestContext, drainMs: number) {
  const bound = bind(t);
  const leaver = await new Worker(t, 'hold.mjs', bound, { drainMs }).listens();
  const receiver = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  await leaver.accept();
  const talks: Talk[] = [];
  for (let index = 0; index < CLIENTS; index += 1) {
    const talk = await Talk.open(bound.port);
    atEnd(t, () => talk.close());
    talk.get('/answer', 'first');
    await talk.answer();
    talks.push(talk);
  }
  leaver.say({ type: 'drain', receivers: true });
  await leaver.report();
  for (const talk of talks) talk.get('/answer', 'next');
  await leaver.reports(({ requests, inFlight }) => requests === CLIENTS + 2 && inFlight === 0, 'two answers');
  await receiver.accept();
  await leaver.handOverTo(receiver);
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

test('a client that sends ahead without a pause moves when its time is over, and every request is answered once', async (t) => {
  const { bound, leaver, receiver } = await two(t, { budgetMs: 50, drainMs: 60_000 });
  const talks = await Promise.all([open(t, bound), open(t, bound), open(t, bound)]);
  const clients = talks.map((talk) => new Ahead(talk));
  await until(() => clients.every(({ versions }) => versions.length > 50), 'some answers');
  leaver.say({ type: 'drain', receivers: true });
  await receiver.accept();
  assert.equal(await leaver.handOverTo(receiver, 'drained'), clients.length);
  await until(() => clients.every(({ versions }) => versions.at(-1) === '2'), 'answers of the receiver');
  for (const client of clients) {
    const versions = await client.end();
    assert.deepEqual([...new Set(versions)], ['1', '2']);
    assert.ok(versions.lastIndexOf('1') < versions.indexOf('2'), 'it moves once');
  }
});

test('what a client sends ahead when its time is over waits for whoever serves it next, here or there', async (t) => {
  const { bound, leaver, receiver } = await two(t, { budgetMs: 0 });
  const talk = await open(t, bound);
  const answers = async (version: string, ids: string) => {
    for (const id of ids) {
      const answer = await talk.answer();
      assert.deepEqual([answer.id, answer.version, answer.close], [id, version, false]);
    }
  };
  await unread(leaver, talk, 'abcd');
  await leaver.accept();
  await leaver.reports(({ requests }) => requests === 4, 'the request that waited');
  leaver.child.send('go');
  await answers('1', 'abcd');

  await unread(leaver, talk, 'efgh');
  leaver.say({ type: 'drain', receivers: true });
  leaver.child.send('go');
  await answers('1', 'efg');
  await receiver.accept();
  assert.equal(await leaver.handOverTo(receiver, 'drained'), 1);
  await receiver.reports(({ inFlight }) => inFlight === 1, 'the request that waited, at the receiver');
  receiver.child.send('go');
  await answers('2', 'h');
});

/** What becomes of a connection that is not read, is idle, and waits for its turn; and who answers it then. */
const ENDINGS: readonly [name: string, version: string, end: (moment: Waiting) => Promise<unknown> | unknown][] = [
  ['moves when it is its turn', '2', ({ leaver, receiver }) => leaver.handOverTo(receiver)],
  ['is read again after accept', '1', ({ leaver }) => leaver.accept()],
  ['is answered at the end of the service', '1', ({ leaver }) => leaver.say({ type: 'drain', receivers: false })],
  ['is answered by an orphan', '1', ({ leaver }) => leaver.disconnect()],
  ['is answered here if nobody takes it', '1', takeBack]
];
type Waiting = Awaited<ReturnType<typeof waiting>>;

async function takeBack({ leaver }: Waiting): Promise<void> {
  for (let left = WINDOW + 1; left > 0; left -= 1) await leaver.bring(await leaver.hear('connection'), leaver, true);
}

for (const [name, version, end] of ENDINGS) {
  test(`a connection that is not read and waits for its turn ${name}, with all that was sent ahead`, async (t) => {
    const moment = await waiting(t);
    await end(moment);
    for (const id of 'defg') {
      const answer = await moment.talk.answer();
      assert.deepEqual([answer.id, answer.version, answer.close], [id, version, false]);
    }
  });
}

test('a connection that is not read and waits for its turn does so beyond the keep-alive limit of the app', async (t) => {
  const { leaver, receiver, talk } = await waiting(t, { KEEP_ALIVE_MS: '1500' });
  await delay(3_000); // the limit, the grace that Node grants on top, and more
  assert.equal(talk.isOver, false);
  await leaver.handOverTo(receiver);
  for (const id of 'defg') assert.equal((await talk.answer()).id, id);
});

test('half a request that was sent ahead is read to its end and answered, before its connection is not read', async (t) => {
  const { bound, leaver, receiver } = await two(t, { budgetMs: 0 });
  const talk = await open(t, bound);
  for (const id of 'ab') talk.get('/wait', id);
  await leaver.reports(({ requests }) => requests === 2, 'what was sent ahead before the pause');
  leaver.say({ type: 'drain', receivers: true });
  const request = 'GET /wait HTTP/1.1\r\nhost: a\r\nx-id: c\r\n\r\n';
  talk.send(request + request.slice(0, 20));
  await leaver.reports(({ requests }) => requests === 3, 'what was sent ahead after the pause');
  talk.send(request.slice(20));
  await leaver.reports(({ requests }) => requests === 4, 'the rest of it');
  talk.get('/answer', 'd');
  leaver.child.send('go');
  for (const id of 'abcc') {
    const answer = await talk.answer();
    assert.deepEqual([answer.id, answer.version], [id, '1']);
  }
  await receiver.accept();
  await leaver.handOverTo(receiver, 'drained');
  const answer = await talk.answer();
  assert.deepEqual([answer.id, answer.version], ['d', '2']);
});

test('a client that leaves while it is not read does not keep the worker from draining', async (t) => {
  const { bound, leaver } = await two(t, { budgetMs: 0 });
  const talk = await open(t, bound);
  await unread(leaver, talk, 'abcd');
  talk.close();
  leaver.say({ type: 'drain', receivers: true });
  leaver.child.send('go');
  const gone = await until(() => leaver.take('drained') ?? leaver.take('connection'), 'the end of it');
  // Whether its end was seen here, by an answer that could not be sent, is a matter of luck: it leaves all the same.
  if (gone.type === 'connection') {
    leaver.say({ type: 'moved', id: gone.id, busy: 0 });
    await leaver.hear('drained');
  }
});

test('a connection that was upgraded before its turn came does not move', async (t) => {
  const { bound, leaver, receiver } = await two(t, {});
  for (let idle = 0; idle < WINDOW; idle += 1) await ask(await open(t, bound), '1');
  const upgraded = new Raw({ host: '127.0.0.1', port: bound.port });
  atEnd(t, () => upgraded.socket.destroy());
  await upgraded.get('/answer');
  leaver.say({ type: 'pause', receivers: true, hurry: false, last: false });
  await leaver.report();
  upgraded.socket.write('GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await upgraded.seen(() => upgraded.text.endsWith('Upgrade: echo\r\n\r\n'), 'the upgrade');
  await receiver.accept();
  assert.equal(await leaver.handOverTo(receiver), WINDOW);
  upgraded.socket.write('still here');
  await upgraded.seen(() => upgraded.text.endsWith('still here'), 'the echo');
});

/** A worker that accepts, and one that would. */
async function two(t: TestContext, given: ConstructorParameters<typeof Worker>[3]) {
  const bound = bind(t);
  const leaver = await new Worker(t, 'hold.mjs', bound, given).listens();
  const receiver = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  await leaver.accept();
  return { bound, leaver, receiver };
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

/** Fills the window with idle connections; another one is idle, not read, and has to wait. */
async function waiting(t: TestContext, env: NodeJS.ProcessEnv = {}) {
  const { bound, leaver, receiver } = await two(t, { budgetMs: 0, drainMs: 60_000, env });
  for (let idle = 0; idle < WINDOW; idle += 1) await ask(await open(t, bound), '1');
  const talk = await open(t, bound);
  await unread(leaver, talk, 'abc', 'defg');
  leaver.child.send('go');
  for (const id of 'abc') assert.equal((await talk.answer()).id, id);
  await delay(MOMENT_MS);
  assert.equal((await leaver.report()).requests, WINDOW + 3, 'nothing more was read');
  assert.equal(leaver.said.filter(({ type }) => type === 'connection').length, WINDOW, 'its turn has not come');
  await receiver.accept();
  return { leaver, receiver, talk };
}

/** Pauses a worker whose budget is 0 while a client sends ahead, up to where it is not read: the rest waits unread. */
async function unread(worker: Worker, talk: Talk, ids: string, rest = ''): Promise<void> {
  const { requests: before } = await worker.report();
  const [first = '', second = '', third = '', ...others] = ids;
  for (const id of [first, second]) talk.get('/wait', id);
  await worker.reports(({ requests }) => requests === before + 2, 'what was sent ahead before the pause');
  worker.say({ type: 'pause', receivers: true, hurry: false, last: false });
  await worker.hear('paused');
  talk.get('/wait', third);
  await worker.reports(({ requests }) => requests === before + 3, 'what was sent ahead after the pause');
  for (const id of others) talk.get('/wait', id);
  const head = (id: string) => `GET /answer HTTP/1.1\r\nhost: a\r\nx-id: ${id}\r\n\r\n`;
  talk.send([...rest].map(head).join(''));
  await delay(MOMENT_MS);
  assert.equal((await worker.report()).requests, before + 3, 'it is not read any more');
}
