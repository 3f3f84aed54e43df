import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ErrorCode, HandoverError } from '../../src/errors.ts';
import { Etcd, type EtcdOptions } from '../../src/fleet/etcd/etcd.ts';
import { skipWithoutOpenssl } from '../support/certificate.ts';
import { atEnd } from '../support/end.ts';
import { post, skipWithoutEtcd, startEtcd, USER } from '../support/etcd.ts';
import { freePort } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';

const skip = skipWithoutEtcd;

test('what is written under guards is read as it was written, and a guard that does not hold changes nothing', {
  skip
}, async (t) => {
  const etcd = open(t, (await startEtcd(t)).options);
  const [goal, other] = ['/handover/shop/goal', '/handover/shop/ä/ü'];
  assert.equal(await etcd.get(goal), null);

  const first = await etcd.txn({
    compare: [{ key: goal, createRevision: 0 }],
    success: [{ put: goal, value: '{"a":"ö"}' }]
  });
  const read = await etcd.get(goal);
  assert.deepEqual([first.succeeded, read?.key, read?.value, read?.lease], [true, goal, '{"a":"ö"}', null]);
  assert.equal(read?.modRevision, first.revision);

  const refused = await etcd.txn({
    compare: [{ key: goal, modRevision: first.revision + 1 }],
    success: [{ put: goal, value: 'never' }],
    failure: [{ read: { key: goal } }]
  });
  assert.deepEqual([refused.succeeded, refused.responses[0]?.[0]?.value], [false, '{"a":"ö"}']);

  const done = await etcd.txn({
    compare: [{ key: goal, modRevision: first.revision }],
    success: [{ put: goal, value: 'second' }, { put: other, value: '' }, { read: { prefix: '/handover/shop/' } }]
  });
  assert.deepEqual(
    done.responses[2]?.map(({ key }) => key),
    [goal, other]
  );

  await etcd.txn({ success: [{ delete: { prefix: '/handover/shop/ä' } }] });
  assert.equal(await etcd.get(other), null);
});

test('a range is counted, narrowed and turned round; what begins differently is not in it', { skip }, async (t) => {
  const etcd = open(t, (await startEtcd(t)).options);
  const names = ['a', 'b', 'c', 'd'].map((name) => `/q/${name}`);
  await etcd.txn({ success: [...names, '/q', '/q0', '/r/a'].map((put) => ({ put, value: 'x' })) });

  const { kvs, count, revision } = await etcd.range('/q/', {
    order: 'descend',
    limit: 2,
    until: '/q/d',
    keysOnly: true
  });
  assert.deepEqual([kvs.map(({ key, value }) => key + value), count], [['/q/c', '/q/b'], 3]);
  assert.equal(revision, kvs[0]?.modRevision);
  assert.deepEqual([await etcd.count('/q/'), await etcd.count('/q/', '/q/c'), await etcd.count('/none/')], [4, 2, 0]);
});

test('of many who take the same slot at once, one gets it', { skip }, async (t) => {
  const { options } = await startEtcd(t);
  const machines = Array.from({ length: 8 }, () => open(t, options));

  const took = await Promise.all(
    machines.map((etcd, at) =>
      etcd.txn({
        compare: [{ key: '/permits/1', createRevision: 0 }],
        success: [{ put: '/permits/1', value: String(at) }]
      })
    )
  );
  assert.equal(took.filter(({ succeeded }) => succeeded).length, 1);
  assert.equal((await machines[0]?.get('/permits/1'))?.value, String(took.findIndex(({ succeeded }) => succeeded)));
});

test('what is under a lease goes with it: when it is given back, and when nobody keeps it alive', {
  skip
}, async (t) => {
  const etcd = open(t, (await startEtcd(t)).options);
  const given = await etcd.grant(30);
  await etcd.txn({ success: [{ put: '/m/1', value: 'x', lease: given }] });
  assert.equal((await etcd.get('/m/1'))?.lease, given);
  assert.deepEqual(await etcd.keepAlive(given), { ttl: 30 });
  await etcd.revoke(given);
  await etcd.revoke(given);
  assert.deepEqual([await etcd.get('/m/1'), await etcd.keepAlive(given)], [null, null]);
  await fails(etcd.txn({ success: [{ put: '/m/1', value: 'x', lease: given }] }), 'HANDOVER_ERR_FLEET_LEASE');

  const left = await etcd.grant(1);
  const { revision } = await etcd.txn({ success: [{ put: '/m/2', value: 'x', lease: left }] });
  const seen = watch(t, etcd, { key: '/m/2', from: revision + 1 });
  await until(() => seen.length > 0, 'the key of a lease that had run out never went');
  assert.deepEqual(seen, ['delete /m/2 ']);
});

test('a watch tells every change once, in order, though etcd is killed and comes back later', { skip }, async (t) => {
  const server = await startEtcd(t);
  const etcd = open(t, server.options);
  const { revision } = await etcd.range('/w/');
  await etcd.txn({ success: [{ put: '/w/0', value: 'before' }] });
  const seen = watch(t, etcd, { prefix: '/w/', from: revision + 1 });
  await until(() => seen.length === 1, 'what was before the watch was never told');

  await server.kill();
  await fails(etcd.get('/w/0'), 'HANDOVER_ERR_FLEET_UNREACHABLE', server.endpoint, 'Check --etcd');
  await server.start();
  await etcd.txn({
    success: [
      { put: '/w/1', value: 'after' },
      { put: '/w/2', value: 'after' }
    ]
  });
  await etcd.txn({ success: [{ delete: { key: '/w/0' } }] });
  await until(
    () => seen.length === 4,
    () => `only ${seen.join(', ')} was told`
  );
  assert.deepEqual(seen, ['put /w/0 before', 'put /w/1 after', 'put /w/2 after', 'delete /w/0 ']);
});

test('a watch says when etcd no longer knows what was to be told, and when etcd has lost what it knew', {
  skip
}, async (t) => {
  const { options, endpoint } = await startEtcd(t);
  const etcd = open(t, options);
  for (const value of ['1', '2', '3']) await etcd.txn({ success: [{ put: '/c', value }] });
  const { revision } = await etcd.range('/c');
  await post(endpoint, '/v3/kv/compaction', { revision: String(revision) });
  const { signal } = new AbortController();
  const none = () => assert.fail('nothing was to be told');

  assert.equal(await inTime(etcd.watch({ key: '/c', from: 2 }, none, signal), 'nobody said so'), 'compacted');
  assert.equal(
    await inTime(etcd.watch({ key: '/c', from: revision + 99 }, none, signal), 'nobody said so'),
    'compacted'
  );
});

test('a watch ends when it is told to, and with the client', { skip }, async (t) => {
  const etcd = open(t, (await startEtcd(t)).options);
  const ending = new AbortController();
  const ended = [ending.signal, new AbortController().signal].map((signal) =>
    etcd.watch({ key: '/e' }, () => {}, signal)
  );
  await until(() => etcd.counts.messages >= 2, 'the watches were never opened');

  ending.abort();
  assert.equal(await inTime(ended[0] as Promise<string>, 'it did not end with its signal'), 'ended');
  await etcd.close();
  assert.equal(await inTime(ended[1] as Promise<string>, 'it did not end with the client'), 'ended');
  await fails(etcd.get('/e'), 'HANDOVER_ERR_FLEET_UNREACHABLE');
});

test('with a password: who has none or a wrong one is told so; tokens that etcd has forgotten are asked for anew', {
  skip
}, async (t) => {
  const server = await startEtcd(t, { password: true });
  const wrong = open(t, { ...server.options, password: 'wrong' });
  await fails(wrong.get('/handover/a'), 'HANDOVER_ERR_FLEET_DENIED', 'invalid user ID or password', '--etcd-user');
  await fails(open(t, { ...server.options, user: null }).get('/handover/a'), 'HANDOVER_ERR_FLEET_DENIED');

  const etcd = open(t, server.options);
  await fails(etcd.get('/elsewhere'), 'HANDOVER_ERR_FLEET_DENIED', 'permission denied');
  await fails(
    etcd.watch({ key: '/elsewhere' }, () => {}, new AbortController().signal),
    'HANDOVER_ERR_FLEET_DENIED'
  );
  const lease = await etcd.grant(30);
  const seen = watch(t, etcd, { key: '/handover/a', from: (await etcd.range('/handover/')).revision + 1 });
  await server.kill();
  await server.start();
  assert.deepEqual(await etcd.keepAlive(lease), { ttl: 30 });
  await etcd.txn({ success: [{ put: '/handover/a', value: USER.name, lease }] });
  await until(() => seen.length === 1, 'the watch did not come back with a new token');
});

test('a user who is named to an etcd that asks nobody for a password is let in', { skip }, async (t) => {
  const { options } = await startEtcd(t);
  assert.equal(await open(t, { ...options, user: 'shop', password: 'x' }).get('/a'), null);
});

test('over TLS with a certificate of the client, and without one, or with an authority that is not known, not at all', {
  skip: skip || skipWithoutOpenssl
}, async (t) => {
  const { options, files } = await startEtcd(t, { tls: true, password: true });
  const etcd = open(t, options);
  const { revision } = await etcd.txn({ success: [{ put: '/handover/a', value: 'secret' }] });
  const seen = watch(t, etcd, { key: '/handover/a', from: revision });
  await until(() => seen.length === 1, 'the watch over TLS told nothing');

  // With passwords, etcd lets in no certificate that has a name of its own through its gateway.
  const named = { cert: readFileSync(files?.named.cert ?? ''), key: readFileSync(files?.named.key ?? '') };
  const withName = open(t, { ...options, cert: named.cert.toString(), key: named.key.toString() });
  await fails(withName.get('/handover/a'), 'HANDOVER_ERR_FLEET_DENIED', 'CommonName');
  await fails(open(t, { ...options, cert: null, key: null }).get('/handover/a'), 'HANDOVER_ERR_FLEET_UNREACHABLE');
  await fails(open(t, { ...options, ca: null }).get('/handover/a'), 'HANDOVER_ERR_FLEET_UNREACHABLE', 'certificate');
});

test('an endpoint that refuses, is silent or is no etcd is left for the next, by those that watch too', {
  skip
}, async (t) => {
  const server = await startEtcd(t);
  const silent = await listen(t, () => {});
  const stranger = await listen(t, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
  const closed = `http://127.0.0.1:${await freePort()}`;
  await fails(
    open(t, { ...server.options, endpoints: [closed, stranger] }).get('/a'),
    'HANDOVER_ERR_FLEET_UNREACHABLE',
    closed,
    'not as the gateway'
  );

  const etcd = open(t, { ...server.options, endpoints: [silent, closed, stranger, server.endpoint] });
  const seen = watch(t, etcd, { key: '/f', from: 1 });
  const { succeeded } = await etcd.txn({ success: [{ put: '/f', value: 'x' }] });
  assert.ok(succeeded);
  await until(() => seen.length === 1, 'the watch stayed with an endpoint that is silent');

  // Written under a guard, it may have arrived there: then nobody but the caller can know what to do.
  const unsure = open(t, { ...server.options, endpoints: [stranger, server.endpoint] });
  const guarded = { compare: [{ key: '/f', modRevision: 99 }], success: [] };
  await fails(unsure.txn(guarded), 'HANDOVER_ERR_FLEET_UNREACHABLE');
  assert.equal((await unsure.txn(guarded)).succeeded, false);
});

function open(t: TestContext, options: EtcdOptions): Etcd {
  const etcd = new Etcd(options);
  atEnd(t, () => etcd.close());
  return etcd;
}

/** Watches until the end of the test, and writes down what is told. */
function watch(t: TestContext, etcd: Etcd, reach: Parameters<Etcd['watch']>[0]): string[] {
  const seen: string[] = [];
  const over = new AbortController();
  const ended = etcd.watch(
    reach,
    (changes) => {
      for (const { type, key, value } of changes) seen.push(`${type} ${key} ${value}`);
    },
    over.signal
  );
  atEnd(t, async () => {
    over.abort();
    assert.equal(await ended, 'ended');
  });
  return seen;
}

async function fails(promise: Promise<unknown>, code: ErrorCode, ...says: readonly string[]): Promise<void> {
  await assert.rejects(inTime(promise, 'no answer at all'), (error: unknown) => {
    assert.ok(HandoverError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    for (const part of says) assert.ok(error.message.includes(part), error.message);
    return true;
  });
}

async function listen(t: TestContext, serve: (socket: net.Socket) => void): Promise<string> {
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket.on('error', () => {}));
    socket.once('data', () => serve(socket));
  });
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  atEnd(t, () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}
