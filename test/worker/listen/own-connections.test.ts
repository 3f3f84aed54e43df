import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd } from '../../support/end.ts';
import { ask } from '../../support/http.ts';
import { freePort, makeFolder, startPlain, startService } from '../../support/service.ts';

/** Every way of connecting that `asks-by-connecting.mjs` knows. */
const TO_A_PORT = [
  'socket.connect(port, host)',
  'socket.connect(port, name)',
  'socket.connect(port as text)',
  'socket.connect({ port, host })',
  'net.connect(port)',
  'net.connect({ port, host, family })',
  'net.connect({ port, host: any })',
  'net.connect({ port, own lookup })',
  'tls.connect',
  'http.get'
];

interface Facts {
  /** How connecting failed before it listened. */
  readonly before: { readonly code: string; readonly message: string } | null;
  /** The same, when it was asked. */
  readonly after: object | null;
  readonly address: object | string;
}

for (const FORM of TO_A_PORT) {
  test(`an app that asks by ${FORM} whether its port is free is told so in every version, as under plain node`, async (t) => {
    const PORT = String(await freePort());
    const host = '127.0.0.1';
    const plain = await startPlain(t, 'asks-by-connecting.mjs', { FORM, PORT });
    const expected = JSON.parse((await ask(plain.target)).body) as Facts;
    await plain.stop();
    assert.equal(expected.before?.code, 'ECONNREFUSED');

    const { service, client, release } = await startService(t, 'asks-by-connecting.mjs', {
      listen: `${host}:${PORT}`,
      env: { FORM, PORT }
    });
    const visitor = client();
    for (const version of ['1', '2', '3']) {
      const answer = await visitor.get();
      assert.equal(answer.version, version);
      assert.deepEqual(JSON.parse(answer.body), expected);
      if (version === '3') break;
      release(String(Number(version) + 1));
      await service.reload();
    }
    assert.equal(visitor.sockets, 1);
  });
}

for (const FORM of ['path', '{ path }']) {
  test(`an app that asks by a connection to its ${FORM} whether the socket is stale is told so, and serves on it`, async (t) => {
    const SOCKET_PATH = join(makeFolder(t), 'app.sock');
    const { service, client, release } = await startService(t, 'asks-by-connecting.mjs', {
      listen: `unix:${SOCKET_PATH}`,
      env: { FORM, PORT: '1', SOCKET_PATH }
    });
    release('2');
    await service.reload();
    const { version, body } = await client().get();
    const { before, after } = JSON.parse(body) as Facts;
    assert.equal(version, '2');
    assert.equal(before?.message, `connect ECONNREFUSED ${SOCKET_PATH}`);
    assert.equal(after, null);
  });
}

test('an address that the app itself asks for, without --listen, seems free to its next version too', async (t) => {
  const PORT = String(await freePort());
  const env = { FORM: 'net.connect(port)', PORT };
  const { service, client, release } = await startService(t, 'asks-by-connecting.mjs', { listen: [], env, workers: 2 });
  release('2');
  await service.reload();
  assert.deepEqual(service.addresses, [`127.0.0.1:${PORT}`]);
  const { version, body } = await client().get();
  assert.equal(version, '2');
  assert.equal((JSON.parse(body) as Facts).after, null);
});

test('what listens on the same port of another host is connected to as ever', async (t) => {
  const PORT = await freePort();
  const other = createServer((socket) => socket.end()).listen(PORT, '127.0.0.2');
  atEnd(t, () => void other.close());
  await once(other, 'listening');
  const env = { FORM: 'another host', PORT: String(PORT) };
  const { client } = await startService(t, 'asks-by-connecting.mjs', { listen: `127.0.0.1:${PORT}`, env });
  assert.equal((JSON.parse((await client().get()).body) as Facts).before, null);
});
