import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Talk } from '../../scenarios/raw.ts';
import { atEnd } from '../../support/end.ts';
import { Raw } from '../../support/http.ts';
import { type Bound, bind, Worker } from '../../support/worker.ts';

/** A moment in which something would happen that must not. */
const MOMENT_MS = 150;

test('a request on an idle connection waits while it is held, and is answered after accept', async (t) => {
  const { bound, worker } = await serve(t);
  const used = await open(t, bound);
  await ask(used, 'first');
  const never = await open(t, bound);
  await worker.reports(({ connections }) => connections === 2, 'both connections');

  await worker.hold();
  await worker.hear('quiet');
  for (const talk of [used, never]) talk.get('/answer', 'held');
  const late = await open(t, bound);
  late.get('/answer', 'new');
  await delay(MOMENT_MS);
  const report = await worker.report();
  assert.deepEqual([report.requests, report.inFlight, report.connections], [1, 0, 2]);

  await worker.accept();
  for (const talk of [used, never]) assert.equal((await talk.answer()).id, 'held');
  assert.equal((await late.answer()).id, 'new');
  for (const talk of [used, never]) await ask(talk, 'again');
  assert.equal(worker.take('quiet'), null);
});

test('a worker with nothing in flight is quiet at once, also with no connection at all', async (t) => {
  const { worker } = await serve(t);
  await worker.hold();
  await worker.hear('quiet');
});

test('a request in flight is answered before the worker is quiet, and its connection is held then', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  talk.get('/wait', 'slow');
  await worker.reports(({ inFlight }) => inFlight === 1, 'the request');
  await worker.hold();
  await delay(MOMENT_MS);
  assert.equal(worker.take('quiet'), null);

  worker.child.send('go');
  await worker.hear('quiet');
  const answer = await talk.answer();
  assert.deepEqual([answer.id, answer.close], ['slow', false]);
  talk.get('/answer', 'next');
  await delay(MOMENT_MS);
  assert.equal((await worker.report()).requests, 1);
  await worker.accept();
  assert.equal((await talk.answer()).id, 'next');
});

test('half a head is in flight: the rest is read, and answered before the worker is quiet', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  await ask(talk, 'first');
  talk.send('GET /answer HTTP/1.1\r\nhost: a\r\nx-');
  await settle(worker);
  await worker.hold();
  await delay(MOMENT_MS);
  assert.equal(worker.take('quiet'), null);

  talk.send('id: late\r\n\r\n');
  assert.equal((await talk.answer()).id, 'late');
  await worker.hear('quiet');
});

test('an upload in flight is read to its end before the worker is quiet', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  talk.send(`POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n${'u'.repeat(1_000)}`);
  await worker.reports(({ inFlight }) => inFlight === 1, 'the upload');
  await worker.hold();
  talk.send('u'.repeat(99_000));
  await delay(MOMENT_MS);
  assert.equal(worker.take('quiet'), null);

  talk.send('u'.repeat(100_000));
  assert.equal((await talk.answer()).body, '200000');
  await worker.hear('quiet');
});

test('an upload that was answered before its end is read to its end, too', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  talk.send(`POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 2000\r\n\r\n${'u'.repeat(1_000)}`);
  assert.equal((await talk.answer()).body, 'early');
  await worker.hold();
  await delay(MOMENT_MS);
  assert.equal(worker.take('quiet'), null);

  talk.send('u'.repeat(1_000));
  await worker.hear('quiet');
  await worker.accept();
  await ask(talk, 'after');
});

test('what a client had sent ahead is answered first, in order', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  for (const id of ['a', 'b', 'c']) talk.get('/wait', id);
  await worker.reports(({ requests }) => requests === 3, 'the requests');
  await worker.hold();
  talk.get('/wait', 'd'); // not read any more
  await delay(MOMENT_MS);
  assert.equal(worker.take('quiet'), null);
  worker.child.send('go');
  await worker.hear('quiet');
  for (const id of ['a', 'b', 'c']) assert.equal((await talk.answer()).id, id);
  assert.equal((await worker.report()).requests, 3);

  await worker.accept();
  await worker.reports(({ inFlight }) => inFlight === 1, 'the request that waited');
  worker.child.send('go');
  assert.equal((await talk.answer()).id, 'd');
});

test('clients that send ahead without pause do not keep a worker from becoming quiet, and lose nothing', async (t) => {
  const { bound, worker } = await serve(t);
  const talks = await Promise.all(Array.from({ length: 8 }, () => open(t, bound)));
  const counts = talks.map(() => ({ sent: 0, answered: 0 }));
  let going = true;
  const clients = talks.map(async (talk, index) => {
    const count = counts[index] ?? assert.fail();
    const send = () => talk.get('/answer', String(count.sent++));
    for (let ahead = 0; ahead < 8; ahead += 1) send();
    while (count.answered < count.sent) {
      assert.equal((await talk.answer()).id, String(count.answered));
      count.answered += 1;
      if (going) send();
    }
  });
  for (let round = 0; round < 5; round += 1) {
    await worker.reports(({ requests }) => requests > (round + 1) * 200, 'some requests');
    await worker.hold();
    await worker.hear('quiet');
    const { requests, inFlight } = await worker.report();
    await delay(MOMENT_MS);
    assert.deepEqual([(await worker.report()).requests, inFlight], [requests, 0]);
    await worker.accept();
  }
  going = false;
  await Promise.all(clients);
  const answered = counts.reduce((sum, count) => sum + count.answered, 0);
  assert.equal((await worker.report()).requests, answered);
});

test('a client that leaves while its request is in flight does not keep the worker from becoming quiet', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  talk.get('/wait');
  await worker.reports(({ inFlight }) => inFlight === 1, 'the request');
  await worker.hold();
  talk.close();
  await worker.hear('quiet');
});

test('a connection is held beyond the keep-alive limit of the app, and its limit runs again after accept', async (t) => {
  const { bound, worker } = await serve(t, { env: { KEEP_ALIVE_MS: '5' } });
  const talks = await Promise.all(Array.from({ length: 3 }, () => open(t, bound)));
  for (const talk of talks) await ask(talk, 'first');
  await worker.hold();
  await worker.hear('quiet');
  const [asking, silent, gone] = talks;
  asking?.get('/answer', 'held');
  gone?.close();
  await delay(1_500); // the limit, the grace that Node or we grant on top, and more
  assert.ok(talks.every((talk) => !talk.isOver));
  await worker.accept();
  assert.equal((await asking?.answer())?.id, 'held');
  await assert.rejects(silent?.answer() ?? Promise.resolve(), /closed the connection/);
  await worker.reports(({ connections }) => connections === 0, 'the end of all connections');
});

test('what was held is handed over to another worker, with the requests that wait', async (t) => {
  const { bound, worker } = await serve(t);
  const receiver = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  const talks = await Promise.all(Array.from({ length: 30 }, () => open(t, bound)));
  for (const talk of talks.slice(10)) await ask(talk, 'first');
  await worker.reports(({ connections }) => connections === 30, 'the connections');
  await worker.hold();
  await worker.hear('quiet');
  for (const talk of talks.slice(5, 20)) talk.get('/answer', 'held');
  await receiver.accept();
  worker.say({ type: 'pause', receivers: true, hurry: false, last: false });
  assert.equal(await worker.handOverTo(receiver), 30);
  for (const talk of talks.slice(0, 5)) talk.get('/answer', 'held');
  for (const talk of talks.slice(20)) talk.get('/answer', 'held');
  for (const talk of talks) {
    const answer = await talk.answer();
    assert.deepEqual([answer.id, answer.version], ['held', '2']);
  }
  const report = await worker.report();
  assert.deepEqual([report.connections, report.requests], [0, 20]);

  worker.say({ type: 'drain', receivers: true });
  await worker.hear('drained');
});

test('a worker that holds and drains at once hands over what it held, and then what was in flight', async (t) => {
  const { bound, worker } = await serve(t);
  const receiver = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  const [idle, busy] = [await open(t, bound), await open(t, bound)];
  await ask(idle, 'first');
  busy.get('/wait', 'slow');
  await worker.reports(({ inFlight }) => inFlight === 1, 'the request');
  await worker.hold();
  await receiver.accept();
  worker.say({ type: 'drain', receivers: true });
  assert.equal(await worker.handOverTo(receiver), 1);
  idle.get('/answer', 'moved');
  assert.equal((await idle.answer()).version, '2');
  assert.equal(worker.take('drained'), null);
  worker.child.send('go');
  const answer = await busy.answer();
  assert.deepEqual([answer.version, answer.id], ['1', 'slow']);
});

test('accept takes back what was on its way to the receivers and has not left', async (t) => {
  const { bound, worker } = await serve(t);
  const talks = await Promise.all(Array.from({ length: 20 }, () => open(t, bound)));
  for (const talk of talks) await ask(talk, 'first');
  await worker.hold();
  await worker.hear('quiet');
  worker.say({ type: 'pause', receivers: true, hurry: false, last: false });
  const first = await worker.hear('connection');
  await worker.accept();
  // The ones that have left come back as a supervisor would bring them back.
  await worker.bring(first, worker, false);
  for (let left = 3; left > 0; left -= 1) await worker.bring(await worker.hear('connection'), worker, false);
  for (const talk of talks) await ask(talk, 'again');
});

test('a stop while holding ends what was held gently: a request that waits is answered', async (t) => {
  const { bound, worker } = await serve(t);
  const [asking, silent] = [await open(t, bound), await open(t, bound)];
  for (const talk of [asking, silent]) await ask(talk, 'first');
  await worker.hold();
  await worker.hear('quiet');
  asking.get('/answer', 'held');
  worker.say({ type: 'pause', receivers: false, hurry: false, last: false });
  worker.say({ type: 'drain', receivers: false });
  assert.equal((await asking.answer()).id, 'held');
  await worker.hear('drained');
  await assert.rejects(silent.answer(), /closed the connection/);
});

test('an orphan that held serves again: what it held, and who comes new', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  await ask(talk, 'first');
  await worker.hold();
  await worker.hear('quiet');
  talk.get('/answer', 'held');
  const queued = await open(t, bound);
  queued.get('/answer', 'queued');
  await settle(worker);

  bound.close();
  worker.disconnect();
  assert.equal((await talk.answer()).id, 'held');
  assert.equal((await queued.answer()).id, 'queued');
  await ask(await open(t, bound), 'new');
});

test('an orphan that held as a standby does not begin to accept, and ends what it had gently', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  await ask(talk, 'first');
  worker.say({ type: 'pause', receivers: false, hurry: false, last: false });
  await worker.hear('paused');
  await worker.hold();
  await worker.hear('quiet');
  talk.get('/answer', 'held');
  worker.disconnect();
  assert.equal((await talk.answer()).id, 'held');
});

test('an orphan that held for another version does not serve again: what it held is closed unanswered', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  await ask(talk, 'first');
  await worker.hold();
  await worker.hear('quiet');
  worker.say({ type: 'hold', yields: true });
  talk.get('/answer', 'held');
  await settle(worker);
  worker.disconnect();
  await assert.rejects(talk.answer());
});

test('what was taken back and is still unused is held again, moved on, or ended in its time like any other', async (t) => {
  const { bound, worker } = await serve(t);
  const receiver = await new Worker(t, 'hold.mjs', bound, { worker: '2.1', generation: 2 }).listens();
  const [used, never] = [await open(t, bound), await open(t, bound)];
  await ask(used, 'first');
  await worker.reports(({ connections }) => connections === 2, 'both connections');
  for (let round = 0; round < 2; round += 1) {
    await worker.hold();
    await worker.hear('quiet');
    assert.equal((await worker.report()).connections, 2);
    await worker.accept();
  }
  await receiver.accept();
  worker.say({ type: 'pause', receivers: true, hurry: false, last: false });
  assert.equal(await worker.handOverTo(receiver), 2);
  for (const talk of [used, never]) await ask(talk, 'there');
});

test('a second order to hold changes nothing, and a worker can hold again and again', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  for (let round = 0; round < 3; round += 1) {
    await worker.hold();
    await worker.hear('quiet');
    await worker.hold();
    talk.get('/answer', String(round));
    await worker.accept();
    assert.equal((await talk.answer()).id, String(round));
  }
  assert.equal(worker.take('quiet'), null);
  assert.equal((await worker.report()).connections, 1);
});

test('a connection that was upgraded is ended once it is silent', async (t) => {
  const { bound, worker } = await serve(t);
  const talk = await open(t, bound);
  const upgraded = new Raw({ host: '127.0.0.1', port: bound.port });
  atEnd(t, () => upgraded.socket.destroy());
  await ask(talk, 'first');
  upgraded.socket.write('GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await upgraded.seen(() => upgraded.text.endsWith('\r\n\r\n'), 'the upgrade');
  await worker.hold();
  await worker.hear('quiet');
  await upgraded.ended();
  await worker.accept();
  await ask(talk, 'again');
});

async function serve(t: TestContext, given: ConstructorParameters<typeof Worker>[3] = {}) {
  const bound = bind(t);
  const worker = await new Worker(t, 'hold.mjs', bound, given).listens();
  await worker.accept();
  return { bound, worker };
}

async function open(t: TestContext, { port }: Bound): Promise<Talk> {
  const talk = await Talk.open(port);
  atEnd(t, () => talk.close());
  return talk;
}

async function ask(talk: Talk, id: string): Promise<void> {
  talk.get('/answer', id);
  assert.equal((await talk.answer()).id, id);
}

/** Waits until the worker has seen what was sent before, as far as it reads it. */
async function settle(worker: Worker): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await worker.report();
  await delay(MOMENT_MS);
}
