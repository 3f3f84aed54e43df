import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import type { UserCheck } from '../../src/options/user-checks.ts';
import { Talk } from './raw.ts';
import { TestService, withService } from './service.ts';

let folder = '';
let entry = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-checks-'));
  entry = join(folder, 'app.mjs');
  write('1', `'fine'`);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a version of the app whose /health answers as `health` says. */
function write(version: string, health: string): void {
  writeFileSync(
    entry,
    `import http from 'node:http';
import { appendFileSync } from 'node:fs';
http.createServer((request, response) => {
  appendFileSync(${JSON.stringify(join(folder, 'journal'))}, [${JSON.stringify(version)}, request.method, request.url, request.headers.host, request.socket.remoteAddress].join(' ') + '\\n');
  response.setHeader('x-id', 'x');
  response.setHeader('x-version', ${JSON.stringify(version)});
  if (request.url !== '/health') return response.end('hello');
  const health = ${health};
  if (typeof health === 'string') response.end(health);
  else response.writeHead(health.status, health.headers ?? {}).end(health.body ?? '');
}).listen(3000);`
  );
}

const journal = (): string[] => {
  const file = join(folder, 'journal');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines;
};

test('every worker of a candidate is checked privately, and only then accepts', async () => {
  write('1', `'fine'`);
  await withService(
    {
      name: 'checked',
      entry,
      workers: 2,
      check: ['/health', { path: '/health', headers: { host: 'shop.example' }, expect: { body: 'fine' } }]
    },
    async (service) => {
      journal();
      write('2', `'fine'`);
      const { to } = await service.client.reload();
      assert.equal(to, 2);
      const lines = journal().sort();
      const own = '2 GET /health localhost 127.0.0.1';
      const named = '2 GET /health shop.example 127.0.0.1';
      assert.deepEqual(lines, [own, own, named, named]);
      assert.ok(service.lines.some(({ event }) => event === 'proven'));
    }
  );
});

const FAILING: readonly [name: string, health: string, check: UserCheck, message: RegExp][] = [
  [
    'a wrong status',
    `({ status: 503, body: 'no database' })`,
    { path: '/health', interval: 200 },
    /^Generation 2 failed its check GET \/health: worker 2\.1 gave status 503, body "no database"; expected was status 200-399; asked \d+ times in [\d.]+ s\. Mend the version or the check, or raise readyTimeout, and try again; generation 1 is still active\.$/
  ],
  [
    'another status than the one asked for',
    `({ status: 204 })`,
    { path: '/health', expect: { status: 200 } },
    /gave status 204, body ""; expected was status 200/
  ],
  [
    'a wrong body',
    `'half dead'`,
    { path: '/health', expect: { body: 'fine' } },
    /gave status 200, body "half dead"; expected was a body with "fine" in it/
  ],
  [
    'a missing header',
    `'fine'`,
    { path: '/health', expect: { headers: { 'x-build': '7' } } },
    /gave header x-build: \(none\); expected was header x-build: 7/
  ],
  [
    'an answer that does not come',
    `(() => { while (true) {} })()`,
    { path: '/health', timeout: 2_000 },
    /gave none within 2000 ms; expected was an answer/
  ]
];

for (const [name, health, check, message] of FAILING) {
  test(`${name} gives the candidate up with what was expected and what came`, async () => {
    write('1', `({ status: 200, headers: { 'x-build': '7' }, body: 'fine' })`);
    const first = join(folder, 'first.mjs');
    copyFileSync(entry, first);
    await withService({ name: 'failing', entry: first, check, readyTimeout: '5s' }, async (service) => {
      write('2', health);
      const error = await service.client.reload({ entry }).catch((reason: unknown) => reason);
      assert.ok(HandoverError.is(error), 'the reload should have failed');
      assert.deepEqual([error.code, error.exitCode, error.active], ['HANDOVER_ERR_CANDIDATE_CHECK', 1, 1]);
      assert.match(error.message, message);
      const talk = await Talk.open(service.port);
      talk.get('/');
      assert.equal((await talk.answer()).version, '1', 'the active generation serves on');
      talk.close();
    });
  });
}

test('a first version that fails its check is not started at all', async () => {
  write('1', `({ status: 500 })`);
  const service = new TestService({ name: 'boot', entry, check: '/health', readyTimeout: '5s' });
  const exit = await service.exited();
  assert.notEqual(exit.code, 0);
  assert.match(service.noise.join('\n'), /HANDOVER_ERR_CANDIDATE_CHECK/);
  await service.end();
});

test('a candidate is warmed up privately, after its checks', async () => {
  write('1', `'fine'`);
  await withService(
    { name: 'warm', entry, check: '/health', warmUp: { paths: ['/a', '/b'], requests: 20, concurrency: 2 } },
    async (service) => {
      journal();
      await service.client.reload();
      const urls = journal().map((line) => line.split(' ')[2]);
      assert.equal(urls[0], '/health');
      assert.deepEqual(
        [urls.filter((url) => url === '/a').length, urls.filter((url) => url === '/b').length],
        [10, 10]
      );
    }
  );
});

test('with `live`, a candidate is asked what the active generation was asked for, but for what only one client could ask', async () => {
  write('1', `'fine'`);
  await withService({ name: 'live', entry, warmUp: 'live' }, async (service) => {
    const url = (path: string) => `http://127.0.0.1:${service.port}${path}`;
    const ask = (path: string, init: RequestInit = {}) => fetch(url(path), init).then((response) => response.text());
    await ask('/often?page=1');
    await ask('/often?page=1');
    await ask('/head', { method: 'HEAD' });
    await ask('/mine', { headers: { cookie: 'session=1' } });
    await ask('/secret', { headers: { authorization: 'Bearer 1' } });
    await ask('/order', { method: 'POST', body: 'tea' });
    journal();
    await service.client.reload();
    const asked = new Set(journal().map((line) => line.split(' ').slice(1, 3).join(' ')));
    assert.deepEqual([...asked].sort(), ['GET /often?page=1', 'HEAD /head']);
  });
});
