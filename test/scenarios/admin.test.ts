import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRICS } from '../../src/admin/metric-table.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { until } from '../support/wait.ts';
import { LOAD_APP, TestService, withService } from './service.ts';
import { Traffic } from './traffic.ts';

// The admin address of a real service: what it shows is what is so, and what is wrong with a request costs nobody else anything.

const ADMIN = '127.0.0.1:0';
const TOKEN = '0123456789abcdef0123456789abcdef';

async function baseOf(service: TestService): Promise<string> {
  const { address } = await service.line('admin');
  return `http://${String(address)}`;
}

/** The values of a scrape, by name and labels without that of the app. */
async function scrape(base: string): Promise<Map<string, number>> {
  const answer = await fetch(`${base}/metrics`);
  assert.equal(answer.status, 200);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [
        line
          .slice(0, at)
          .replace(/,?app="[^"]*"/, '')
          .replace('{}', ''),
        Number(line.slice(at + 1))
      ];
    })
  );
}

async function withAdmin(
  options: Partial<SuperviseOptions>,
  run: (service: TestService, base: string) => Promise<void>
) {
  await withService({ admin: ADMIN, ...options } as SuperviseOptions, async (service) =>
    run(service, await baseOf(service))
  );
}

test('what is counted is what clients got: by class, by role, and through a reload and a rollback', async () => {
  await withAdmin({ workers: 2 }, async (service, base) => {
    const traffic = await new Traffic(service.port).begin(3, 1, 4);
    await service.client.reload();
    await service.client.rollback();
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
    const sum = (values: Map<string, number>) =>
      [...values]
        .filter(([name]) => /^handover_http_requests_total.*2xx/.test(name))
        .reduce((all, [, count]) => all + count, 0);
    await until(async () => sum(await scrape(base)) >= traffic.answers, 'every answer is counted');
    const values = await scrape(base);
    assert.equal(sum(values), traffic.answers);
    assert.equal(values.get('handover_handovers_total{kind="reload",outcome="done"}'), 1);
    assert.equal(values.get('handover_handovers_total{kind="rollback",outcome="done"}'), 1);
    assert.equal(values.get('handover_handover_duration_seconds_count{kind="reload",outcome="done"}'), 1);
    assert.equal(values.get('handover_generation{role="active"}'), 1);
    assert.equal(values.get('handover_generation{role="standby"}'), 2);
    assert.equal(values.get('handover_workers{role="active",state="accepting"}'), 2);
    assert.ok((values.get('handover_connections_handed_over_total{kind="http1"}') ?? 0) >= 4, 'idle connections moved');
    assert.ok((values.get('handover_standby_memory_bytes') ?? 0) > 10 * 2 ** 20);
    assert.equal(values.get('handover_ready'), 1);
  });
});

test('every metric of the docs is told, and each name only with its labels', async () => {
  await withAdmin({}, async (service, base) => {
    await service.client.reload();
    const text = await (await fetch(`${base}/metrics`)).text();
    for (const [name, { type, labels }] of Object.entries(METRICS)) {
      assert.match(text, new RegExp(`^# TYPE ${name} ${type}$`, 'm'));
      const found = [...text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'))];
      for (const [, given = ''] of found) {
        const names = [...given.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
        assert.deepEqual(names.sort(), [...labels, 'app'].sort(), name);
      }
    }
  });
});

test('/ready follows what serves, and answers while the app hangs', async () => {
  await withAdmin({ hangTimeout: 0 }, async (service, base) => {
    const ready = async () => {
      const answer = await fetch(`${base}/ready`);
      return [answer.status, ((await answer.json()) as { reason: string | null }).reason] as const;
    };
    assert.deepEqual(await ready(), [200, null]);
    assert.equal((await fetch(`${base}/live`)).status, 200);
    const [worker] = await service.workers();
    process.kill(worker?.pid ?? 0, 'SIGSTOP');
    try {
      await until(async () => (await ready())[0] === 503, '503, since no worker answers');
      assert.match(String((await ready())[1]), /no worker answers: 1\.1/);
    } finally {
      process.kill(worker?.pid ?? 0, 'SIGCONT');
    }
    await until(async () => (await ready())[0] === 200, '200 again');
  });
});

test('a failed reload is counted, and the page is told of it', async () => {
  await withAdmin({}, async (service, base) => {
    const stream = await fetch(`${base}/stream`);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let told = '';
    const reading = (async () => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) told += part.value;
    })();
    const broken = join(service.folder, 'broken.mjs');
    writeFileSync(broken, 'throw new Error("broken on purpose")');
    await assert.rejects(service.client.reload({ entry: broken }));
    const name = 'handover_handovers_total{kind="reload",outcome="failed"}';
    assert.equal((await scrape(base)).get(name), 1);
    await until(() => /event: log\ndata: .*"event":"failed"/.test(told), 'the failure in the stream');
    assert.match(told, /^event: hello\n/);
    await reader?.cancel();
    await reading.catch(() => {});
  });
});

test('orders are given with the token, and by nobody else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-token-'));
  const adminTokenFile = join(folder, 'token');
  writeFileSync(adminTokenFile, TOKEN, { mode: 0o600 });
  const service = new TestService({ admin: ADMIN, adminTokenFile });
  try {
    await service.started();
    const base = await baseOf(service);
    const give = (name: string, headers: Record<string, string>) =>
      fetch(`${base}/orders/${name}`, { method: 'POST', headers });
    const right = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await give('reload', {})).status, 401);
    assert.equal((await give('reload', { ...right, origin: 'http://evil.example' })).status, 403);
    const refused = await give('rollback', right);
    assert.equal(refused.status, 409);
    assert.equal(((await refused.json()) as { code: string }).code, 'HANDOVER_ERR_REFUSED_NO_STANDBY');
    assert.equal((await give('stop', right)).status, 405, 'what is no order is not taken');
    service.version = '2';
    const done = await give('reload', right);
    assert.deepEqual([done.status, ((await done.json()) as { to: number }).to], [200, 2]);
    assert.equal((await service.client.status()).active?.generation, 2);
    assert.equal((await fetch(`${base}/orders/reload`)).status, 405, 'a link cannot give an order');
  } finally {
    await service.end();
    rmSync(folder, { recursive: true });
  }
});

test('garbage, endless heads and methods of all kinds get an error, and it goes on answering', async () => {
  await withAdmin({}, async (_service, base) => {
    const { port } = new URL(base);
    for (const bytes of [
      '\0\x01\x02\r\n\r\n',
      `GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`,
      'GET /metrics\r\n\r\n'
    ]) {
      await new Promise<void>((done) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
        socket.on('error', () => {}).on('close', () => done());
        socket.resume();
      });
    }
    for (const path of ['/nothing', '/orders/../metrics', '/%00', `/${'a'.repeat(2_000)}`])
      assert.ok([404, 400, 200].includes((await fetch(base + path)).status), path);
    assert.equal(
      (await fetch(`${base}/metrics`, { method: 'POST', body: 'x'.repeat(1_000_000) }).catch(() => ({ status: 405 })))
        .status,
      405
    );
    assert.equal((await fetch(`${base}/ready`)).status, 200);
  });
});

test('an address that is taken is refused at the start, and nothing is left behind', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const service = new TestService({ admin: `127.0.0.1:${port}` });
  try {
    await service.exited();
    assert.match(service.noise.join('\n'), /HANDOVER_ERR_LISTEN_IN_USE|holds this address/);
  } finally {
    await service.end();
    await end(server);
  }
});

test('a file that is not a socket is never removed for the admin address', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-admin-'));
  const path = join(folder, 'notes.txt');
  writeFileSync(path, 'keep me');
  const service = new TestService({ admin: `unix:${path}` });
  try {
    await service.exited();
    assert.match(service.noise.join('\n'), /a file that is not a socket is there/);
    assert.equal(readFileSync(path, 'utf8'), 'keep me');
  } finally {
    await service.end();
    rmSync(folder, { recursive: true });
  }
});

test('workers that scale adds replaced none', async () => {
  await withAdmin({}, async (service, base) => {
    await service.client.scale(2);
    await service.line('worker-ready');
    const values = await scrape(base);
    assert.equal(values.get('handover_workers{role="active",state="accepting"}'), 2);
    assert.equal(values.get('handover_worker_restarts_total'), 0);
  });
});

test('a supervisor that was killed is followed by one with the same admin address, and by one without it where it is taken', async () => {
  const service = new TestService({ admin: ADMIN });
  const { socket } = service;
  let again: TestService | null = null;
  let server: Server | null = null;
  try {
    await service.started();
    const { port } = new URL(await baseOf(service));
    service.process.kill('SIGKILL');
    await service.exited();
    server = createServer((_request, response) => response.end('mine'));
    await new Promise<void>((done) => server?.listen(Number(port), '127.0.0.1', done));
    const env = { ...process.env, VERSION_FILE: join(service.folder, 'version') };
    again = await new TestService({ admin: `127.0.0.1:${port}`, socket, env, entry: LOAD_APP }).started();
    await again.line('adopted');
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/ready`)).text(), 'mine');
    await end(server);
    server = null;
    await again.line('admin');
    assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
  } finally {
    if (server) await end(server);
    await again?.end();
    await service.end();
  }
});

function end(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => void server.close(() => done()));
}
