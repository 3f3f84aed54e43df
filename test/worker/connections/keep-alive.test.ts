import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../../support/end.ts';
import { Raw, type Target } from '../../support/http.ts';
import { startPlain, startService } from '../../support/service.ts';
import { until } from '../../support/wait.ts';

const KEEP_ALIVE_MS = 1_000;
/** Longer than a reload takes on the busiest machine: the connection is used again after it. */
const USED_AGAIN_MS = 6_000;
const HEADERS_MS = 200;
/** Well beyond the limit, and beyond several of the looks that the server takes at its connections. */
const BEYOND_MS = 3 * HEADERS_MS;

test('an idle connection that moved is ended after the keep-alive limit of the app, and not before', async (t) => {
  const env = { KEEP_ALIVE_MS: String(KEEP_ALIVE_MS) };
  const { service, target, release } = await startService(t, 'keep-alive.mjs', { env });
  const guest = connect(t, target());
  await guest.get('/');
  release('2');
  const before = performance.now();
  await service.reload();
  await guest.ended('the end of a connection that is idle for too long');
  assert.ok(performance.now() - before >= KEEP_ALIVE_MS, 'ended too early');
});

test('an idle connection that moved and was used again is ended after the same limit', async (t) => {
  const env = { KEEP_ALIVE_MS: String(USED_AGAIN_MS) };
  const { service, target, release } = await startService(t, 'keep-alive.mjs', { env });
  const guest = connect(t, target());
  await guest.get('/');
  release('2');
  await service.reload();
  const before = performance.now();
  assert.match(await guest.get('/'), /^HTTP\/1\.1 200 OK\r\nx-version: 2\r\n/);
  await guest.ended('the end of a connection that is idle for too long');
  assert.ok(performance.now() - before >= USED_AGAIN_MS, 'ended too early');
});

test('an idle connection that moved lives beyond headersTimeout, and is never told 408', async (t) => {
  const env = { KEEP_ALIVE_MS: '60000', HEADERS_MS: String(HEADERS_MS) };
  const { service, target, release } = await startService(t, 'keep-alive.mjs', { env });
  const guest = connect(t, target());
  await guest.get('/');
  for (const version of ['2', '3', '4']) {
    release(version);
    await service.reload();
    await delay(BEYOND_MS); // headersTimeout is what is tested
    assert.match(await guest.get('/'), new RegExp(`^HTTP/1\\.1 200 OK\r\nx-version: ${version}\r\n`));
  }
  await delay(BEYOND_MS);
  assert.match(await guest.get('/'), /^HTTP\/1\.1 200 OK\r\n/);
});

test('a keepAliveTimeout of 0 sets no limit for a connection that moved', async (t) => {
  const { service, target } = await startService(t, 'keep-alive.mjs', { env: { KEEP_ALIVE_MS: '0' } });
  const guest = connect(t, target());
  await guest.get('/');
  await service.reload();
  await delay(2_000); // longer than the grace that comes on top of a limit
  assert.match(await guest.get('/'), /^HTTP\/1\.1 200 OK\r\n/);
});

test('a connection that never sent a byte gets the 408 of plain node, whether it moved or not', async (t) => {
  const env = { HEADERS_MS: String(HEADERS_MS) };
  const plain = await startPlain(t, 'keep-alive.mjs', env);
  const stranger = connect(t, plain.target);
  await stranger.ended('the 408 of plain node');

  const { service, target } = await startService(t, 'keep-alive.mjs', { env });
  const guest = connect(t, target());
  await until(async () => (await service.status()).active?.workers[0]?.connections === 1, 'the connection to arrive');
  await service.reload();
  await guest.ended('the 408 after a move');
  assert.equal(withoutDate(guest.text), withoutDate(stranger.text));
  assert.match(guest.text, /^HTTP\/1\.1 408 /);
});

test('the addresses of both ends are the same after a move', async (t) => {
  const { service, client, release } = await startService(t, 'ends.cjs');
  const visitor = client();
  const first = await visitor.get();
  assert.match(first.body, /"remoteAddress":"127\.0\.0\.1"/);
  release('2');
  await service.reload();
  const second = await visitor.get();
  assert.deepEqual([second.version, visitor.sockets], ['2', 1]);
  assert.equal(second.body, first.body);
  await service.rollback();
  assert.equal((await visitor.get()).body, first.body);
});

function connect(t: TestContext, target: Target): Raw {
  const raw = new Raw(target);
  atEnd(t, () => raw.socket.destroy());
  return raw;
}

function withoutDate(text: string): string {
  return text.replace(/^Date: .*\r\n/im, '');
}
