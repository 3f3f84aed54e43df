import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../../support/http.ts';
import { freePort, makeFolder, startPlain, startService } from '../../support/service.ts';

/** Every form of `listen()` that `listens.cjs` knows, and where the service is then found. */
const FORMS: Record<string, string> = {
  port: '[::]:PORT',
  'port, callback': '[::]:PORT',
  'port as text, callback': '[::]:PORT',
  'port, backlog, callback': '[::]:PORT',
  'port, empty host, callback': '[::]:PORT',
  'port, host': '127.0.0.1:PORT',
  'port, host, callback': '127.0.0.1:PORT',
  'port, host, backlog, callback': '127.0.0.1:PORT',
  '{ port }': '[::]:PORT',
  '{ port }, callback': '[::]:PORT',
  '{ port as text, backlog }, callback': '[::]:PORT',
  '{ port, host }, callback': '127.0.0.1:PORT',
  '{ port, host, ipv6Only }, callback': '[::]:PORT',
  path: 'unix:PATH',
  'path, callback': 'unix:PATH',
  '{ path }, callback': 'unix:PATH'
};

/** Who may read and write: what counts on a socket. */
const READ_AND_WRITE = 0o666;

interface Facts {
  readonly order: string[];
  readonly inCallback?: object;
  readonly rightAfter: {
    readonly self: boolean;
    readonly listening: boolean;
    readonly address: object | string | null;
  };
  readonly now: { readonly address: object | string | null };
}

const EMPTY = 'port, empty host, callback';

for (const [FORM, where] of Object.entries(FORMS)) {
  test(`listen(${FORM}) is as under plain node, on the address that the app asked for`, async (t) => {
    const PORT = String(await freePort());
    const SOCKET_PATH = where.startsWith('unix:') ? join(makeFolder(t), 'app.sock') : undefined;
    const env = { FORM, PORT, SOCKET_PATH };
    const found = FORM.includes('ipv6Only') ? { host: '::1', port: Number(PORT) } : undefined;
    const plain = await startPlain(t, 'listens.cjs', env, found);
    const expected = JSON.parse((await ask(plain.target)).body) as Facts;
    const mode = SOCKET_PATH && statSync(SOCKET_PATH).mode & READ_AND_WRITE;
    await plain.stop();

    const { service, client, release } = await startService(t, 'listens.cjs', { listen: [], env });
    assert.deepEqual(service.addresses, [where.replace('PORT', PORT).replace('PATH', SOCKET_PATH ?? '')]);
    const visitor = client(plain.target);
    for (const version of ['1', '2']) {
      const answer = await visitor.get();
      const { rightAfter, ...facts } = JSON.parse(answer.body) as Facts;
      const { rightAfter: plainly, ...rest } = expected;
      assert.deepEqual(facts, rest);
      // Where plain node has to look up a host first, it does not listen yet; here it may already.
      if (plainly.listening && !SOCKET_PATH && FORM !== EMPTY) assert.deepEqual(rightAfter, plainly);
      assert.equal(rightAfter.self, true);
      assert.equal(answer.version, version);
      if (version === '1') {
        release('2');
        await service.reload();
      }
    }
    assert.equal(visitor.sockets, 1);
    if (SOCKET_PATH) assert.equal(statSync(SOCKET_PATH).mode & READ_AND_WRITE, mode);
  });

  test(`listen(${FORM}) gets the address that the operator named, and tells it`, async (t) => {
    const PORT = String(await freePort());
    const folder = makeFolder(t);
    const SOCKET_PATH = join(folder, 'app.sock');
    const path = where.startsWith('unix:') ? join(folder, 'named.sock') : null;
    const { client, target } = await startService(t, 'listens.cjs', {
      ...(path === null ? {} : { listen: `unix:${path}` }),
      env: { FORM, PORT, SOCKET_PATH }
    });
    const { rightAfter, now, ...facts } = JSON.parse((await client().get()).body) as Facts;
    const address = path ?? { address: '127.0.0.1', family: 'IPv4', port: (target() as { port: number }).port };
    // The address that nobody asked for is the app's once it is clear that no other server asks for it.
    const first = path === null ? address : SOCKET_PATH;
    assert.deepEqual(rightAfter, { self: true, listening: true, address: first });
    assert.deepEqual(now, { listening: true, address, error: null, connections: 1 });
    const called = { self: true, args: [], listening: true, address: first };
    const order = ['listen() returned', 'listening event'];
    const expected = FORM.includes('callback') ? { order: [...order, 'callback'], inCallback: called } : { order };
    assert.deepEqual({ ...facts, order: [...facts.order].sort() }, { ...expected, order: [...expected.order].sort() });
    assert.equal(facts.order[0], 'listen() returned');
  });
}

test('a host by name is looked up', async (t) => {
  const PORT = String(await freePort());
  const { service, target } = await startService(t, 'listens.cjs', {
    listen: [],
    env: { FORM: '{ port, host by name }, callback', PORT }
  });
  assert.match(service.addresses[0] ?? '', /^(127\.0\.0\.1|\[::1\]):\d+$/);
  assert.equal((await ask(target())).status, 200);
});

for (const FORM of ['path', 'port, host', EMPTY]) {
  test(`right after listen(${FORM}), address() is what it will be`, async (t) => {
    const env = { FORM, PORT: String(await freePort()), SOCKET_PATH: join(makeFolder(t), 'app.sock') };
    const { client } = await startService(t, 'listens.cjs', { listen: [], env });
    const { rightAfter, now } = JSON.parse((await client().get()).body) as Facts;
    if (rightAfter.listening) assert.deepEqual(rightAfter.address, now.address);
  });
}

test('a relative path is meant from where the app is', async (t) => {
  const cwd = makeFolder(t);
  await startService(t, 'listens.cjs', {
    listen: [],
    cwd,
    env: { FORM: 'path', SOCKET_PATH: `app-${process.pid}.sock` }
  });
  assert.equal((await ask({ socketPath: join(cwd, `app-${process.pid}.sock`) })).status, 200);
});

test('an app without a port of its own takes that of PORT', async (t) => {
  const { client, target } = await startService(t, 'listens.cjs', {
    listen: `127.0.0.1:${await freePort()}`,
    env: { FORM: 'port', PORT: '1' }
  });
  const { now } = JSON.parse((await client().get()).body) as { now: { address: { port: number } } };
  assert.equal(now.address.port, (target() as { port: number }).port);
});
