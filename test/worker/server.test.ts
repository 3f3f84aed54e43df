import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { atEnd } from '../support/end.ts';
import { ask, Raw } from '../support/http.ts';
import { answers, freePort, startPlain, startService } from '../support/service.ts';
import { until } from '../support/wait.ts';

test('wrong arguments and taken ports give the errors of plain node', async (t) => {
  const env = { PORT: String(await freePort()), TAKEN: await takePort(t) };
  const plain = await startPlain(t, 'listen-errors.cjs', env);
  const expected = JSON.parse((await ask(plain.target)).body);
  await plain.stop();

  const { client, release, service } = await startService(t, 'listen-errors.cjs', { listen: [], env });
  const visitor = client();
  const facts = JSON.parse((await visitor.get()).body);
  assert.deepEqual(essence(facts), essence(expected));
  release('2');
  await service.reload();
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
});

test('a taken port gives an error that is in every field that of plain node', async (t) => {
  const env = { PORT: String(await freePort()), TAKEN: await takePort(t) };
  const plain = await startPlain(t, 'listen-errors.cjs', env);
  const expected = JSON.parse((await ask(plain.target)).body);
  await plain.stop();

  const { client } = await startService(t, 'listen-errors.cjs', { listen: [], env });
  assert.deepEqual(JSON.parse((await client().get()).body), expected);
});

test('what plain node refuses is refused', async (t) => {
  const env = { PORT: String(await freePort()), TAKEN: await takePort(t), STRICT: 'yes' };
  const plain = await startPlain(t, 'listen-errors.cjs', env);
  const expected = JSON.parse((await ask(plain.target)).body);
  await plain.stop();

  const { client } = await startService(t, 'listen-errors.cjs', { listen: [], env });
  const facts = JSON.parse((await client(plain.target).get()).body);
  for (const what of ['port as text out of range', 'signal of the wrong type']) {
    assert.deepEqual(facts[what], expected[what]);
  }
});

test('a server that is closed and listens again serves again, with the events of plain node', async (t) => {
  const PORT = String(await freePort());
  const plain = await startPlain(t, 'closes-server.mjs', { PORT });
  const expected = await closeAndOpen(plain.target);
  await plain.stop();

  const { service, target, release, client } = await startService(t, 'closes-server.mjs', {
    listen: [],
    env: { PORT }
  });
  assert.deepEqual(await closeAndOpen(target()), expected);
  const visitor = client();
  await visitor.get();
  release('2');
  await service.reload();
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['2', 1]);
  await service.rollback();
  assert.deepEqual([(await visitor.get()).version, visitor.sockets], ['1', 1]);
});

test('a server that is closed and listens again gets its named address again', async (t) => {
  const { target, service, release } = await startService(t, 'closes-server.mjs');
  const journal = await closeAndOpen(target());
  assert.ok(journal.includes('again true true'), journal.join('\n'));
  release('2');
  await service.reload();
  assert.equal((await ask(target())).version, '2');
});

test('an AbortSignal closes the server', async (t) => {
  const [PORT, CONTROL_PORT] = [String(await freePort()), String(await freePort())];
  const env = { PORT, CONTROL_PORT };
  const plain = await startPlain(t, 'aborts-listen.mjs', env, { host: '127.0.0.1', port: Number(CONTROL_PORT) });
  const expected = await abort(Number(CONTROL_PORT));
  await plain.stop();

  await startService(t, 'aborts-listen.mjs', { listen: [], env });
  await answers({ host: '127.0.0.1', port: Number(CONTROL_PORT) });
  assert.deepEqual(await abort(Number(CONTROL_PORT)), expected);
});

test('an AbortSignal means nothing to a server that was closed and listens again without it', async (t) => {
  const [PORT, CONTROL_PORT] = [String(await freePort()), String(await freePort())];
  const env = { PORT, CONTROL_PORT };
  const control = { host: '127.0.0.1', port: Number(CONTROL_PORT) };
  const again = async () => {
    await ask(control, '/again');
    await until(async () => {
      const { journal } = JSON.parse((await ask(control)).body) as { journal: string[] };
      return journal.join() === 'listening,close,listening';
    }, 'the server to listen again');
    await ask(control, '/abort');
    return JSON.parse((await ask(control)).body);
  };
  const plain = await startPlain(t, 'aborts-listen.mjs', env, control);
  const expected = await again();
  await plain.stop();

  await startService(t, 'aborts-listen.mjs', { listen: [], env });
  await answers(control);
  assert.deepEqual(await again(), expected);
});

test('port 0 and exclusive ports stay private to the worker, before and after a reload', async (t) => {
  const EXCLUSIVE_PORT = String(await freePort());
  const { service, client, pids, release } = await startService(t, 'private-servers.mjs', { env: { EXCLUSIVE_PORT } });
  assert.equal(service.addresses.length, 1);
  const visitor = client();
  const first = await visitor.get();
  const own = JSON.parse(first.body) as Record<'zero' | 'exclusive', { port: number }>;
  assert.equal(own.exclusive.port, Number(EXCLUSIVE_PORT));
  for (const name of ['zero', 'exclusive'] as const) {
    const answer = await ask({ host: '127.0.0.1', port: own[name].port });
    assert.deepEqual([answer.body, answer.pid], [name, first.pid]);
  }

  // The next version cannot have the exclusive port as well: as under plain node, that is its own affair.
  release('2');
  await assert.rejects(service.reload(), { code: 'HANDOVER_ERR_CANDIDATE_EXITED', message: /EADDRINUSE/ });
  assert.deepEqual([(await visitor.get()).version, visitor.sockets, await pids()], ['1', 1, [first.pid]]);
});

test('a private server of the standby goes on answering', async (t) => {
  const { service, client, release } = await startService(t, 'private-servers.mjs');
  const visitor = client();
  const first = await visitor.get();
  release('2');
  await service.reload();
  const second = await visitor.get();
  const ports = [first, second].map(({ body }) => (JSON.parse(body) as { zero: { port: number } }).zero.port);
  const answers = await Promise.all(ports.map((port) => ask({ host: '127.0.0.1', port })));
  assert.deepEqual(
    answers.map(({ pid }) => pid),
    [first.pid, second.pid]
  );
});

test('maxConnections turns away what is too many, and says so, as under plain node', async (t) => {
  const plain = await startPlain(t, 'max-connections.mjs');
  const { target } = await startService(t, 'max-connections.mjs');
  for (const where of [plain.target, target()]) {
    const guest = await until(async () => {
      const raw = new Raw(where);
      atEnd(t, () => raw.socket.destroy());
      // Another connection, the one that saw the port open, may still be counted.
      return raw.get('/').then(
        () => raw,
        () => null
      );
    }, 'to be the one connection');
    const drops = () => guest.get('/').then((answer) => Number(/"drops":(\d+)/.exec(answer)?.[1]));
    const before = await drops();
    const second = new Raw(where);
    await second.ended('the end of the connection that was one too many');
    assert.equal(second.text, '');
    assert.equal(await drops(), before + 1);
  }
});

/** A port that another program has. */
async function takePort(t: TestContext): Promise<string> {
  const port = await freePort();
  const server = net.createServer().listen(port);
  await once(server, 'listening');
  atEnd(t, () => server.close());
  return String(port);
}

/** What plain node and we agree on; where a message names the address is told in the test that compares all. */
function essence(facts: Record<string, Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([what, { name, code, syscall, port, listening, now }]) => [
      what,
      { name, code, syscall, port, listening, now }
    ])
  );
}

async function closeAndOpen(where: Parameters<typeof ask>[0]): Promise<string[]> {
  assert.equal((await ask(where, '/again')).body, 'closing');
  return until(async () => {
    const answer = await ask(where).catch(() => null); // refused while it is closed: that is plain node's way
    const journal = answer && (JSON.parse(answer.body) as string[]);
    return journal?.some((line) => line.startsWith('again')) && journal;
  }, 'the server to listen again');
}

async function abort(port: number): Promise<object> {
  const control = { host: '127.0.0.1', port };
  await ask(control, '/abort');
  return until(async () => {
    const facts = JSON.parse((await ask(control)).body) as { journal: string[] };
    return facts.journal.includes('close') && facts;
  }, 'the end of the server whose signal was aborted');
}
