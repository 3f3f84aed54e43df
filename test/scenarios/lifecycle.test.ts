import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isAlive, until } from '../support/wait.ts';
import { Talk } from './raw.ts';
import { type TestService, waitFor, withService } from './service.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-apps-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes an app whose body is added to a plain server that answers its pid. */
function app(name: string, body: string): string {
  const file = join(folder, name);
  const server = `import http from 'node:http';
import { appendFileSync } from 'node:fs';
const server = http.createServer((request, response) => {
  const slow = /^\\/slow\\?ms=(\\d+)/.exec(request.url);
  setTimeout(() => response.end(String(process.pid)), slow ? Number(slow[1]) : 0);
});
${body}
server.listen(3000);
`;
  writeFileSync(file, server);
  return file;
}

const inFlight = async (service: TestService) =>
  waitFor(async () => (await service.client.status()).active?.workers[0]?.inFlight === 1, 'the request is in flight');

const isRefused = async (port: number): Promise<boolean> => {
  const socket = net.connect(port, '127.0.0.1');
  const [error] = (await Promise.race([once(socket, 'error'), once(socket, 'connect')])) as [NodeJS.ErrnoException?];
  socket.destroy();
  return error?.code === 'ECONNREFUSED';
};

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends gracefully: what is in flight is answered, then nothing is left and the exit code is 0`, async () => {
    await withService({ name: 'term', workers: 2 }, async (service) => {
      const pids = (await service.workers()).map(({ pid }) => pid);
      const talk = await Talk.open(service.port);
      talk.get('/slow?ms=400');
      await waitFor(async () => {
        const { active } = await service.client.status();
        return active?.workers.some((worker) => worker.inFlight === 1) ?? false;
      }, 'the request is in flight');
      service.process.kill(signal);
      const answer = await talk.answer();
      assert.equal(answer.status, 200);
      assert.equal(answer.close, true, 'the client is told that this was the last answer');
      const exit = await service.exited();
      assert.deepEqual([exit.code, exit.signal], [0, null]);
      assert.ok(pids.every((pid) => !isAlive(pid)));
      assert.ok(!existsSync(service.socket));
      assert.ok(await isRefused(service.port));
      talk.close();
    });
  });
}

test('a second signal hurries: a request that would hold the drain does not', async () => {
  await withService({ name: 'hurry', drainTimeout: '10m' }, async (service) => {
    const talk = await Talk.open(service.port);
    talk.get('/slow?ms=600000');
    await inFlight(service);
    service.process.kill('SIGTERM');
    await service.line('retiring');
    service.process.kill('SIGTERM');
    assert.equal((await service.exited()).code, 0);
    talk.close();
  });
});

test('SIGHUP reloads', async () => {
  await withService({ name: 'hup' }, async (service) => {
    service.process.kill('SIGHUP');
    const cutover = await service.line('cutover');
    assert.deepEqual([cutover.from, cutover.to], [1, 2]);
  });
});

test('the app hears SIGTERM at retirement only, and not as standby', async () => {
  const journal = join(folder, 'term-journal');
  const entry = app(
    'journal.mjs',
    `process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(journal)}, process.pid + '\\n'); process.exit(0); });`
  );
  await withService({ name: 'sigterm', entry, keepWarm: 'forever' }, async (service) => {
    const [first] = await service.workers();
    await service.client.reload();
    await service.client.rollback();
    await service.client.rollback();
    assert.ok(!existsSync(journal), 'nobody was told to end by a cutover');
    await service.client.reload();
    await service.line('retired', ({ generation }) => generation === 1);
    assert.equal(readFileSync(journal, 'utf8'), `${first?.pid}\n`);
  });
});

test('a standby is retired when it was kept warm long enough, and then there is nothing to roll back to', async () => {
  await withService({ name: 'warm', keepWarm: 150 }, async (service) => {
    await service.client.reload();
    await service.line('retired', ({ generation }) => generation === 1);
    await assert.rejects(service.client.rollback(), {
      code: 'HANDOVER_ERR_REFUSED_NO_STANDBY',
      message:
        'Cannot roll back: no earlier generation is kept warm. Start an earlier one again with `handover rollback --to <generation>` (see `handover history`); generation 2 is still active.',
      active: 2
    });
    const talk = await Talk.open(service.port);
    talk.get('/answer');
    assert.equal((await talk.answer()).status, 200);
    talk.close();
  });
});

test('with keepWarm 0 the old generation is drained and retired at once, and its connections still move', async () => {
  await withService({ name: 'cold', keepWarm: 0 }, async (service) => {
    const talk = await Talk.open(service.port);
    talk.get('/answer');
    await talk.answer();
    service.version = '2';
    assert.equal((await service.client.reload()).handedOver, 1);
    await service.line('retired', ({ generation }) => generation === 1);
    talk.get('/answer');
    assert.equal((await talk.answer()).version, '2');
    talk.close();
  });
});

test('a drain that is held says by whom, without the query, and ends at its timeout', async () => {
  await withService({ name: 'held', keepWarm: 0, drainTimeout: 1200 }, async (service) => {
    const talk = await Talk.open(service.port);
    talk.get('/slow?ms=600000&token=secret');
    await inFlight(service);
    await service.client.reload();
    await waitFor(async () => {
      const { retiring } = await service.client.status();
      return retiring[0]?.workers[0]?.holding?.[0]?.url === '/slow';
    }, 'the status names the request');
    const line = await service.line('drain-overdue');
    assert.equal(line.worker, '1.1');
    assert.equal(line.inFlight, 1);
    assert.match(JSON.stringify(line.holding), /"method":"GET","url":"\/slow"/);
    assert.ok(!JSON.stringify(service.lines).includes('secret'));
    await service.line('retired', ({ generation }) => generation === 1);
    talk.close();
  });
});

test('an app that ignores SIGTERM is killed', async () => {
  const entry = app('ignores-term.mjs', `process.on('SIGTERM', () => {});`);
  await withService({ name: 'ignores', entry, keepWarm: 0 }, async (service) => {
    const [first] = await service.workers();
    await service.client.reload();
    await service.line('retired', ({ generation }) => generation === 1);
    assert.ok(first && !isAlive(first.pid));
  });
});

test('a crashed worker is replaced by one of the same generation, and connections wait in the queue meanwhile', async () => {
  await withService({ name: 'crash' }, async (service) => {
    const [victim] = await service.workers();
    assert.ok(victim);
    process.kill(victim.pid, 'SIGKILL');
    await service.line('worker-exited');
    const talk = await Talk.open(service.port); // nobody accepts right now: it waits, it is not refused
    talk.get('/answer');
    assert.equal((await talk.answer()).status, 200);
    assert.deepEqual(
      (await service.workers()).map(({ id }) => id),
      ['1.2']
    );
    talk.close();
  });
});

test('a worker that crashes again and again is replaced more and more slowly, and the supervisor says so', async () => {
  const flag = join(folder, 'crash-now');
  const entry = app(
    'crashes.mjs',
    `import { existsSync } from 'node:fs';
setInterval(() => { if (existsSync(${JSON.stringify(flag)})) process.exit(9); }, 5);`
  );
  await withService({ name: 'again', entry }, async (service) => {
    writeFileSync(flag, '');
    const limit = await service.line('restart-limit');
    assert.match(String(limit.reason), /^5 replacements within 60 s were not enough; trying every 15 s from now on$/);
    rmSync(flag);
    // A deploy is the way out, and works while the active generation is down.
    const { to } = await service.client.reload();
    const talk = await Talk.open(service.port);
    talk.get('/');
    assert.equal((await talk.answer()).status, 200);
    assert.equal(to, 2);
    talk.close();
  });
});

test('workers of a killed supervisor serve for the orphan timeout, say so, finish and leave the port', async () => {
  await withService({ name: 'orphan', orphanTimeout: 700, workers: 2, keepWarm: 'forever' }, async (service) => {
    await service.client.reload();
    const { active, standby } = await service.client.status();
    const pids = [...(active?.workers ?? []), ...(standby?.workers ?? [])].map(({ pid }) => pid ?? 0);
    assert.equal(pids.length, 4);
    const kept = await Talk.open(service.port);
    kept.get('/answer');
    await kept.answer();
    service.process.kill('SIGKILL');
    await service.exited();
    kept.get('/slow?ms=50');
    assert.equal((await kept.answer()).status, 200, 'a kept-alive client does not notice');
    const fresh = await Talk.open(service.port);
    fresh.get('/answer');
    assert.equal((await fresh.answer()).status, 200, 'a new client is served');
    fresh.get('/slow?ms=1500');
    const last = await fresh.answer();
    assert.equal(last.status, 200, 'a request in progress at the end is answered');
    await waitFor(async () => pids.every((pid) => !isAlive(pid)), 'every worker is gone');
    assert.ok(await isRefused(service.port));
    const said = service.lines.filter(({ event }) => event === 'orphaned').map(({ worker }) => worker);
    assert.deepEqual(said.sort(), ['1.1', '1.2', '2.1', '2.2']);
    kept.close();
    fresh.close();
    rmSync(service.socket, { force: true });
  });
});

test('a supervisor that starts after a killed one replaces the dead socket, and goes on with its history', async () => {
  await withService({ name: 'again', orphanTimeout: 0 }, async (first) => {
    await until(() => existsSync(first.socket.replace('.sock', '.state.json')), 'the history');
    first.process.kill('SIGKILL');
    await first.exited();
    assert.ok(existsSync(first.socket), 'the killed one could not clean up');
    await withService({ name: 'again', socket: first.socket }, async (second) => {
      assert.equal((await second.line('started')).generation, 2);
      const [earlier] = (await second.client.history()).history;
      assert.deepEqual(
        [earlier?.generation, earlier?.outcome, earlier?.reason],
        [1, 'retired', 'its supervisor ended without stopping it']
      );
    });
  });
});

for (const damage of ['{broken', '', '{"format":"handover-state","version":1,"history":"x"}']) {
  test(`a damaged history (${JSON.stringify(damage)}) is moved aside with a warning, and the service starts`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'handover-damaged-'));
    try {
      const stateFile = join(folder, 'state.json');
      writeFileSync(stateFile, damage, { mode: 0o600 });
      await withService({ name: 'damaged', stateFile }, async (service) => {
        assert.equal((await service.line('history-lost')).level, 'warn');
        assert.equal((await service.line('started')).generation, 1);
      });
      assert.ok(readdirSync(folder).some((file) => file.includes('.damaged-')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
