import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { freePort, startPlain, startService } from '../support/service.ts';
import { isAlive, until } from '../support/wait.ts';

test("the app's own messages arrive, and it never sees ours", async (t) => {
  const { service, client, release, told } = await startService(t, 'own-messages.cjs', { workers: 2 });
  const messages: { worker: string; message: unknown }[] = [];
  service.on('message', (one) => messages.push(one as { worker: string; message: unknown }));
  const visitor = client();
  const first = await visitor.get('/send');
  release('2');
  await service.reload();
  await visitor.get('/send');
  await service.rollback();
  const last = await visitor.get('/seen');
  assert.deepEqual(JSON.parse(last.body), { seen: [], connected: true });
  assert.equal(visitor.sockets, 1);

  const sales = await until(() => {
    const found = messages.filter(({ message }) => (message as { type: string }).type === 'sale');
    return found.length === 2 && found;
  }, 'what the apps sent');
  assert.deepEqual(sales[0]?.message, { type: 'sale', cmd: 'SOLD', pid: first.pid });
  assert.match(sales[0]?.worker ?? '', /^1\.[12]$/);
  assert.match(sales[1]?.worker ?? '', /^2\.[12]$/);
  assert.ok(!told.some(({ event }) => event === 'garbage'));
});

test('an app that gives up its channel is told that it did, and is still handed over, forward and back', async (t) => {
  const { service, client, release, told } = await startService(t, 'no-parent.cjs', { workers: 2 });
  const visitor = client();
  assert.equal((await visitor.get('/')).body, '1');
  for (const version of ['2', '3']) {
    release(version);
    await service.reload();
    for (let asked = 0; asked < 8; asked += 1) assert.equal((await client().get('/')).version, version);
    assert.equal((await visitor.get('/')).version, version);
  }
  await service.rollback();
  for (let asked = 0; asked < 8; asked += 1) assert.equal((await client().get('/')).version, '2');
  assert.equal((await visitor.get('/')).body, '1');
  assert.equal(visitor.sockets, 1);
  assert.ok(!told.some(({ event }) => event === 'worker-exited' || event === 'pause-overdue'));
});

const OURS = { v: 1 };
const GARBAGE: Record<string, unknown> = {
  'no version and no type': { cmd: 'none' },
  'a version of tomorrow': { v: 99, type: 'signal' },
  'a version that is a text of a megabyte': { v: 'x'.repeat(2 ** 20), type: 'signal' },
  'a version that cannot be a text': { v: { toString: 1, valueOf: 1 } },
  'no type': OURS,
  'a type that nobody knows': { ...OURS, type: 'bogus' },
  'a type that every object knows': { ...OURS, type: 'constructor' },
  'a type called __proto__': { ...OURS, type: '__proto__' },
  'a type that is a text of a megabyte': { ...OURS, type: 'x'.repeat(2 ** 20) },
  'a type that cannot be a text': { ...OURS, type: { toString: 1, valueOf: 1 } },
  'a type that is a list': { ...OURS, type: ['paused'] },
  'a field that is missing': { ...OURS, type: 'listening' },
  'a field of the wrong type': { ...OURS, type: 'listen', ask: 'one', wanted: {} },
  'a field that is null': { ...OURS, type: 'listen', ask: 1, wanted: null },
  'a field that is a list': { ...OURS, type: 'listen', ask: 1, wanted: [] },
  'numbers that are texts': {
    ...OURS,
    type: 'reported',
    ask: 1,
    connections: 'many',
    inFlight: 0,
    requests: 0,
    holding: []
  },
  'a list that is none': { ...OURS, type: 'reported', ask: 1, connections: 1, inFlight: 0, requests: 0, holding: {} },
  'a connection without its fields': { ...OURS, type: 'connection', id: 7, key: null, fresh: 'yes' }
};

test('garbage on its link is a warning, and the service goes on', async (t) => {
  const { service, client, release, told } = await startService(t, 'garbage.cjs');
  const visitor = client();
  let count = 0;
  for (const [what, message] of Object.entries(GARBAGE)) {
    assert.equal((await visitor.post('/', JSON.stringify(message))).status, 200);
    count += 1;
    const warnings = await until(() => {
      const found = told.filter(({ event }) => event === 'garbage');
      return found.length === count && found;
    }, `a warning about ${what}`);
    const last = warnings.at(-1);
    assert.deepEqual([last?.level, last?.worker, last?.code], ['warn', '1.1', 'HANDOVER_ERR_PROTOCOL_MESSAGE'], what);
    assert.ok(String(last?.reason).length < 200, `${what}: a warning of ${String(last?.reason).length} characters`);
  }
  await until(async () => (await service.status()).active?.workers[0]?.connections === 1, 'a report of one connection');
  release('2');
  await service.reload();
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});

const LIES: Record<string, unknown> = {
  'a port that is none': { ...OURS, type: 'listen', ask: 901, wanted: { port: 'abc' } },
  'a port out of range': { ...OURS, type: 'listen', ask: 902, wanted: { port: 70_000 } },
  'a negative port': { ...OURS, type: 'listen', ask: 903, wanted: { port: -1 } },
  'a host that is none': { ...OURS, type: 'listen', ask: 904, wanted: { port: 21_999, host: {} } },
  'a path that is none': { ...OURS, type: 'listen', ask: 905, wanted: { path: 7 } },
  'a path longer than a socket may have': {
    ...OURS,
    type: 'listen',
    ask: 906,
    wanted: { path: `/${'x'.repeat(4_000)}` }
  },
  'nothing wanted': { ...OURS, type: 'listen', ask: 907, wanted: {} },
  'an address that nobody has': { ...OURS, type: 'listening', key: 'nowhere', secure: false },
  'another address that nobody has': { ...OURS, type: 'accepting', key: 'nowhere' },
  'an address that nobody had': { ...OURS, type: 'unlisten', key: 'nowhere' },
  'a failure that nobody asked for': { ...OURS, type: 'accept-failed', key: 'nowhere', code: '-98' },
  'a connection without a handle': {
    ...OURS,
    type: 'connection',
    id: '1.1:900',
    key: 'nowhere',
    fresh: true,
    pipelines: false
  },
  'an ack of nothing': { ...OURS, type: 'adopted', id: '1.1:900' },
  'a refusal of nothing': { ...OURS, type: 'declined', id: '1.1:900' },
  'an order, from a worker': { ...OURS, type: 'pause', receivers: true },
  'news that comes too early': { ...OURS, type: 'drained' },
  'more news that comes too early': { ...OURS, type: 'paused' },
  'yet more': { ...OURS, type: 'handed' },
  'the quiet of a worker that was not told to hold': { ...OURS, type: 'quiet' }
};

for (const [what, message] of Object.entries(LIES)) {
  test(`a lie in the right form does not stop the service: ${what}`, async (t) => {
    const { service, client, release } = await startService(t, 'garbage.cjs', { readyTimeout: 3_000 });
    const before = service.addresses;
    const visitor = client();
    assert.equal((await visitor.post('/', JSON.stringify(message))).status, 200);
    assert.equal((await service.status()).active?.generation, 1);
    assert.deepEqual(service.addresses, before);
    release('2');
    await service.reload();
    assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
  });
}

test("the app's child processes and threads are not workers, and listen for themselves", async (t) => {
  const env = { CHILD_PORT: String(await freePort()), THREAD_PORT: String(await freePort()) };
  const plain = await startPlain(t, 'children.cjs', env);
  const expected = JSON.parse((await ask(plain.target)).body);
  await plain.stop('SIGTERM');
  await until(() => !isAlive(expected.ofChild.pid), 'the end of the child under plain node');

  const { service, client } = await startService(t, 'children.cjs', { env });
  assert.equal(service.addresses.length, 1);
  const visitor = client();
  const first = await visitor.get();
  const { ofChild, ofThread } = JSON.parse(first.body);
  for (const [own, plainly] of [
    [ofChild, expected.ofChild],
    [ofThread, expected.ofThread]
  ]) {
    assert.deepEqual({ ...own, pid: 0, flags: [] }, { ...plainly, pid: 0 });
    assert.deepEqual([own.orders, own.worker], [[], false]);
    const answer = await ask({ host: '127.0.0.1', port: own.address.port });
    assert.deepEqual([answer.body, answer.pid], ['helper', own.pid]);
  }
  assert.deepEqual([ofChild.flags, ofThread.pid], [[], first.pid]);
  await service.close();
  await until(() => !isAlive(ofChild.pid), 'the end of the child');
});

test("the app's threads do not see the flag that loads the preload", async (t) => {
  const env = { CHILD_PORT: String(await freePort()), THREAD_PORT: String(await freePort()) };
  const { client } = await startService(t, 'children.cjs', { env });
  assert.deepEqual(JSON.parse((await client().get()).body).ofThread.flags, []);
});
