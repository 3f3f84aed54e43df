import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { answers, freePort, makeFolder, startPlain, startService } from '../support/service.ts';

const PLAIN = ['http.cjs', 'http.mjs'];
if ((process.features as { typescript?: unknown }).typescript) PLAIN.push('http.ts');
const FRAMEWORKS = ['express.mjs', 'fastify.mjs', 'koa.mjs', 'hono.mjs'];
const ECHOED = JSON.stringify({ text: 'é'.repeat(5_000) });

for (const app of [...PLAIN, ...FRAMEWORKS]) {
  test(`${app} is reloaded and rolled back under a client that never reconnects`, async (t) => {
    const { service, client, release } = await startService(t, app);
    const visitor = client();
    const first = await visitor.get('/hello/first');
    assert.deepEqual([first.status, first.version], [200, '1']);

    release('2');
    const reload = await service.reload();
    assert.deepEqual([reload.from, reload.to], [1, 2]);
    const second = await visitor.get('/hello/second');
    assert.deepEqual([second.status, second.version], [200, '2']);
    assert.notEqual(second.pid, first.pid);

    const rollback = await service.rollback();
    assert.deepEqual([rollback.from, rollback.to], [2, 1]);
    const third = await visitor.get('/hello/third');
    assert.deepEqual([third.status, third.version, third.pid], [200, '1', first.pid]);

    await service.rollback();
    const fourth = await visitor.get('/hello/fourth');
    assert.deepEqual([fourth.status, fourth.version, fourth.pid], [200, '2', second.pid]);
    assert.equal(visitor.sockets, 1);
    assert.equal((await ask(visitor.target)).version, '2');
  });
}

for (const app of FRAMEWORKS) {
  test(`${app} answers as under plain node, before and after a move`, async (t) => {
    const plain = await startPlain(t, app);
    const { service, client } = await startService(t, app);
    const visitor = client();
    const same = async () => {
      const expected = await ask(plain.target, '/hello/you');
      const got = await visitor.get('/hello/you');
      assert.equal(got.body, expected.body);
      assert.deepEqual(JSON.parse(got.body), { hello: 'you' });
      assert.equal(got.headers['content-type'], expected.headers['content-type']);
      assert.equal((await visitor.post('/echo', ECHOED)).body, ECHOED);
    };

    await same();
    await service.reload();
    await same();
    assert.equal(visitor.sockets, 1);
  });
}

test('two workers on each side serve and hand over', async (t) => {
  const { service, client, release, pids } = await startService(t, 'express.mjs', { workers: 2 });
  const visitors = Array.from({ length: 8 }, () => client());
  for (const visitor of visitors) assert.equal((await visitor.get('/hello/you')).version, '1');

  release('2');
  await service.reload();
  const served = new Set<number>();
  for (const visitor of visitors) {
    const answer = await visitor.get('/hello/you');
    assert.equal(answer.version, '2');
    served.add(answer.pid);
  }
  assert.equal(served.size, 2, 'the eight connections are spread over both workers');
  assert.equal((await pids()).length, 4);

  await service.rollback();
  for (const visitor of visitors) {
    assert.equal((await visitor.get('/hello/you')).version, '1');
    assert.equal(visitor.sockets, 1);
  }
});

const noIpv6 = hasIpv6() ? false : 'this machine has no IPv6';

test('IPv4, IPv6 and both at once are served and handed over', { skip: noIpv6 }, async (t) => {
  const listen = ['127.0.0.1:0', '[::1]:0', '0'];
  const { service, client, target, release } = await startService(t, 'http.cjs', { listen });
  const visitors = [0, 1, 2].map((index) => client(index));
  for (const visitor of visitors) assert.equal((await visitor.get()).version, '1');

  release('2');
  await service.reload();
  for (const visitor of visitors) assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
  const { port } = target(2) as { port: number };
  assert.equal((await ask({ host: '::1', port })).version, '2');
});

test('a service on a unix socket is reloaded under a client that never reconnects', async (t) => {
  const path = join(makeFolder(t), 'service.sock');
  const { service, client, release } = await startService(t, 'http.cjs', { listen: `unix:${path}` });
  assert.deepEqual(service.addresses, [`unix:${path}`]);
  const visitor = client();
  assert.equal((await visitor.get()).version, '1');

  release('2');
  await service.reload();
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
  await service.close();
  assert.equal(existsSync(path), false);
});

test('two servers are named with two addresses, the second by the port that it asks for', async (t) => {
  const addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const listen = [`${addresses[0]}`, `${addresses[1]}=21001`];
  const { service, client, release } = await startService(t, 'two-servers.mjs', { listen });
  assert.deepEqual(service.addresses, addresses);
  const [shop, admin] = [client(0), client(1)];
  const look = async () => [await shop.get(), await admin.get()].map(({ body, version }) => `${body} ${version}`);
  assert.deepEqual(await look(), ['public 1', 'admin 1']);

  release('2');
  await service.reload();
  assert.deepEqual(await look(), ['public 2', 'admin 2']);
  await service.rollback();
  assert.deepEqual(await look(), ['public 1', 'admin 1']);
  assert.deepEqual([shop.sockets, admin.sockets], [1, 1]);
});

test('two servers without an address given keep their own ports', async (t) => {
  const [PORT, ADMIN_PORT] = [String(await freePort()), String(await freePort())];
  const { service, client, release } = await startService(t, 'two-servers.mjs', {
    listen: [],
    env: { PORT, ADMIN_PORT }
  });
  assert.deepEqual([...service.addresses].sort(), [`127.0.0.1:${ADMIN_PORT}`, `[::]:${PORT}`].sort());
  await answers({ host: '127.0.0.1', port: Number(ADMIN_PORT) });
  const at = (port: string) => service.addresses.findIndex((address) => address.endsWith(`:${port}`));
  const [shop, admin] = [client(at(PORT)), client(at(ADMIN_PORT))];
  assert.equal((await shop.get()).body, 'public');
  assert.equal((await admin.get()).body, 'admin');

  release('2');
  await service.reload();
  for (const visitor of [shop, admin]) assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});

test('of two servers the first takes the one address given, and the second keeps its own port', async (t) => {
  const ADMIN_PORT = String(await freePort());
  const { service, bound, client, release } = await startService(t, 'two-servers.mjs', { env: { ADMIN_PORT } });
  assert.equal((await bound(2))[1], `127.0.0.1:${ADMIN_PORT}`);
  await answers({ host: '127.0.0.1', port: Number(ADMIN_PORT) });
  const [shop, admin] = [client(0), client(1)];
  assert.equal((await shop.get()).body, 'public');
  assert.equal((await admin.get()).body, 'admin');

  release('2');
  await service.reload();
  for (const visitor of [shop, admin]) assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});

test('addresses beyond the number of servers all lead to the first', async (t) => {
  const listen = [`127.0.0.1:${await freePort()}`, '127.0.0.1:0', '[::]:0'];
  const { service, client, release } = await startService(t, 'http.cjs', { listen });
  assert.equal(service.addresses.length, 3);
  const visitors = [0, 1, 2].map((index) => client(index));
  for (const visitor of visitors) assert.equal((await visitor.get()).version, '1');

  release('2');
  await service.reload();
  for (const visitor of visitors) assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});

test('a service is started when each of its servers can be reached', async (t) => {
  const [PORT, ADMIN_PORT] = [String(await freePort()), String(await freePort())];
  const { service } = await startService(t, 'two-servers.mjs', { listen: [], env: { PORT, ADMIN_PORT } });
  assert.equal(service.addresses.length, 2);
  for (const port of [PORT, ADMIN_PORT])
    assert.equal((await ask({ host: '127.0.0.1', port: Number(port) })).status, 200);
});

test('a system-chosen port that is asked for twice is two ports', async (t) => {
  const { service } = await startService(t, 'http.cjs', { listen: ['127.0.0.1:0', '127.0.0.1:0'] });
  assert.equal(new Set(service.addresses).size, 2);
});

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'));
}
