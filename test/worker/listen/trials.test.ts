import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { atEnd } from '../../support/end.ts';
import { ask } from '../../support/http.ts';
import { freePort, startService } from '../../support/service.ts';

/** The hosts on which packages try a port, in their order, and what an app then listens on. */
const KINDS = [
  { tried: 'any', host: undefined },
  { tried: '127.0.0.1', host: '127.0.0.1' },
  { tried: 'any,0.0.0.0,127.0.0.1', host: undefined },
  { tried: 'any,127.0.0.1,0.0.0.0', host: '127.0.0.1' },
  { tried: 'any,localhost,127.0.0.1', host: '0.0.0.0' },
  { tried: '127.0.0.1,0.0.0.0,any', host: '127.0.0.1' }
] as const;

function show(host: string | undefined, port: number): string {
  return `${host ?? '[::]'}:${port}`;
}

for (const { tried, host } of KINDS) {
  for (const workers of [1, 3]) {
    const shown = `${host ?? 'none'}, ${workers} workers`;
    test(`an app that tries to listen on ${tried} before it listens on ${shown}, stays on its port`, async (t) => {
      const PORT = String(await freePort());
      const env = { PORT, TRIED: tried, ...(host ? { HOST: host } : {}) };
      const { service, release, told } = await startService(t, 'asks-by-listening.mjs', { listen: [], env, workers });
      const look = async () => (await ask({ host: '127.0.0.1', port: Number(PORT) })).version;
      for (const version of ['1', '2', '3']) {
        release(version);
        if (version !== '1') await service.reload();
        assert.deepEqual([service.addresses, await look()], [[show(host, Number(PORT))], version]);
      }
      await service.rollback();
      assert.deepEqual([service.addresses, await look()], [[show(host, Number(PORT))], '2']);
      const noise = told.filter(({ event, level }) => level !== 'info' || event === 'closed');
      assert.deepEqual(noise, [], 'what was only tried is nobody’s news');
    });
  }
}

test('a port that another program has is found taken in every version', async (t) => {
  const PORT = await freePort();
  const other = createServer((socket) => socket.end()).listen(PORT, '127.0.0.1');
  atEnd(t, () => void other.close());
  await once(other, 'listening');
  const env = { PORT: String(PORT), TRIED: '127.0.0.1,any', HOST: '127.0.0.1' };
  const { service, release } = await startService(t, 'asks-by-listening.mjs', { listen: [], env });
  release('2');
  await service.reload();
  assert.deepEqual(service.addresses, [`127.0.0.1:${PORT + 1}`]);
  assert.equal((await ask({ host: '127.0.0.1', port: PORT + 1 })).version, '2');
});

test('the second server of an app finds the port of its first taken, as under plain node', async (t) => {
  const PORT = await freePort();
  const env = { PORT: String(PORT), TRIED: '0.0.0.0,any', HOST: '127.0.0.1', SERVERS: '2' };
  const { service, release, bound } = await startService(t, 'asks-by-listening.mjs', { listen: [], env, workers: 3 });
  await bound(2);
  release('2');
  await service.reload();
  assert.deepEqual(service.addresses, [`127.0.0.1:${PORT}`, `127.0.0.1:${PORT + 1}`]);
  for (const port of [PORT, PORT + 1]) assert.equal((await ask({ host: '127.0.0.1', port })).version, '2');
});
