import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { app } from '../support/service.ts';
import { type TestService, withService } from './service.ts';

// Clients stay with the process that knows them, and pages with the version that they were loaded from.

const ROOMS = app('rooms.mjs');
const CLIENTS = 60;

interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Asks over connections that all clients share. */
function createAsker(port: number, connections = 8) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const ask = (path: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answered> =>
    new Promise((done, fail) => {
      const request = http.request({ host: '127.0.0.1', port, agent, path, headers, method }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString()
          })
        );
      });
      request.on('error', fail).end();
    });
  return { ask, close: () => agent.destroy() };
}

type Ask = ReturnType<typeof createAsker>['ask'];

interface Way {
  readonly affinity: string;
  begin(ask: Ask): Promise<string>;
  go(ask: Ask, id: string): Promise<Answered>;
}

const WAYS: readonly Way[] = [
  {
    affinity: 'header:x-session',
    begin: async (ask) => String((await ask('/session', {}, 'POST')).headers['x-session']),
    go: (ask, id) => ask('/session', { 'x-session': id })
  },
  {
    affinity: 'cookie:sid',
    begin: async (ask) => (await ask('/session', {}, 'POST')).body,
    go: (ask, id) => ask('/session', { cookie: `theme=dark; sid=${id}` })
  },
  {
    affinity: 'query:sid',
    begin: async (ask) => /"sid":"([^"]+)"/.exec((await ask('/poll')).body)?.[1] ?? '',
    go: (ask, id) => ask(`/poll?transport=polling&sid=${id}`)
  }
];

for (const { affinity, begin, go } of WAYS) {
  test(`by ${affinity}: no session is lost among workers, after a reload and after a rollback; new ones go to the new version`, async () => {
    await withService({ entry: ROOMS, workers: 2, bake: 0, affinity }, async (service) => {
      const { ask, close } = createAsker(service.port);
      try {
        const beginAll = () => Promise.all(Array.from({ length: CLIENTS }, () => begin(ask)));
        const goAll = async (ids: readonly string[]) => {
          const answers = await Promise.all([...ids, ...ids, ...ids].map((id) => go(ask, id)));
          assert.deepEqual(answers.filter(({ status }) => status !== 200).length, 0);
          return new Set(answers.map(({ headers }) => headers['x-version']));
        };
        const old = await beginAll();
        assert.deepEqual([...(await goAll(old))], ['1']);
        service.version = '2';
        await service.client.reload();
        assert.deepEqual([...(await goAll(old))], ['1']);
        const young = await beginAll();
        assert.deepEqual([...(await goAll(young))], ['2']);
        const { standby } = await service.client.status();
        const known = (standby?.workers ?? []).reduce((sum, { clients = 0 }) => sum + clients, 0);
        assert.equal(known, CLIENTS);
        await service.client.rollback();
        assert.deepEqual([...(await goAll(old))], ['1']);
        assert.deepEqual([...(await goAll(young))], ['2']);
        assert.equal((await begin(ask)).length > 0, true);
      } finally {
        close();
      }
    });
  });
}

test('what a client knew is gone with its process, and it is answered by another one', async () => {
  await withService({ entry: ROOMS, workers: 1, bake: 0, affinity: 'header:x-session' }, async (service) => {
    const { ask, close } = createAsker(service.port);
    const id = String((await ask('/session', {}, 'POST')).headers['x-session']);
    service.version = '2';
    await service.client.reload();
    assert.equal((await ask('/session', { 'x-session': id })).status, 200);
    await service.client.retire();
    await service.line('retired');
    const after = await ask('/session', { 'x-session': id });
    assert.deepEqual([after.status, after.headers['x-version']], [404, '2']);
    close();
  });
});

async function deployTwo(service: TestService): Promise<void> {
  service.version = '2';
  await service.client.reload({ label: 'v2' });
}

test('an old page gets its assets from the version that it was loaded from; what neither has is 404 of the new one', async () => {
  const options = { entry: ROOMS, workers: 2, bake: 0, oldAssets: '/assets', label: 'v1' };
  await withService(options, async (service) => {
    const { ask, close } = createAsker(service.port, 4);
    await deployTwo(service);
    for (let turn = 0; turn < 20; turn += 1) {
      const old = await ask('/assets/1.js?v=1');
      assert.deepEqual([old.status, old.body, old.headers['x-version']], [200, 'asset of 1', '1']);
      const young = await ask('/assets/2.js');
      assert.deepEqual([young.status, young.body], [200, 'asset of 2']);
      const none = await ask('/assets/3.js');
      assert.deepEqual([none.status, none.body, none.headers['x-version']], [404, 'no such asset in 2', '2']);
      const posted = await ask('/assets/1.js', {}, 'POST');
      assert.deepEqual([posted.status, posted.headers['x-version']], [404, '2']);
      const head = await ask('/assets/1.js', {}, 'HEAD');
      assert.deepEqual([head.status, head.headers['x-version']], [200, '1']);
      assert.equal((await ask('/')).body, '2');
    }
    await service.client.retire();
    await service.line('retired');
    const gone = await ask('/assets/1.js');
    assert.deepEqual([gone.status, gone.headers['x-version']], [404, '2']);
    close();
  });
});

test('a client that names the label of a version that is warm is answered by it', async () => {
  const options = { entry: ROOMS, workers: 2, bake: 0, pin: 'header:x-deployment-id,query:dpl', label: 'v1' };
  await withService(options, async (service) => {
    const { ask, close } = createAsker(service.port, 4);
    await deployTwo(service);
    for (let turn = 0; turn < 20; turn += 1) {
      assert.equal((await ask('/', { 'x-deployment-id': 'v1' })).body, '1');
      assert.equal((await ask('/?dpl=v1')).body, '1');
      assert.equal((await ask('/?dpl=v2')).body, '2');
      assert.equal((await ask('/?dpl=v0')).body, '2');
      assert.equal((await ask('/')).body, '2');
    }
    close();
  });
});
