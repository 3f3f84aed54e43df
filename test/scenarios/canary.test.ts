import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { chooseGeneration } from '../../src/core/routing/choose.ts';
import { isMissing, nginx } from '../apps/proxies.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';
import { answers, app, freePort } from '../support/service.ts';
import { TestService, waitFor, withService } from './service.ts';
import { Users } from './users.ts';

// Two versions answer at the same time: users who share their connections, and every way in which that can end.

const USERS = 300;
const CONNECTIONS = 24;
const REQUESTS = 3_000;
const withoutNginx = isMissing('nginx', '-v', 'apt-get install nginx');
const MIRROR = app('mirror.mjs');

/** The users that a canary is to answer. */
function chosen(share: number, active: number, canary: number): Set<number> {
  const by = { kind: 'cookie', name: 'session' } as const;
  const routing = { active, canary, share, by, always: [], never: [], salt: String(canary) };
  const of = (user: number) => ({
    ...{ headers: { cookie: `session=u${user}` }, url: '/', address: undefined, lot: 0, chance: 0 }
  });
  return new Set(
    Array.from({ length: USERS }, (_, user) => user).filter((user) => chooseGeneration(routing, of(user)) === canary)
  );
}

/** Starts a service with a canary of version 2, and users. */
async function withCanary(
  options: { workers?: number; bake?: string | number },
  order: { canary: string; hold?: string; env?: Record<string, string> },
  run: (service: TestService, users: Users) => Promise<void>
): Promise<void> {
  await withService({ entry: MIRROR, workers: 2, bake: 0, ...options }, async (service) => {
    const users = new Users(service.port, USERS, CONNECTIONS);
    try {
      const before = await users.ask(500);
      assert.deepEqual([before.failures, [...before.answers.keys()]], [[], ['1']]);
      service.version = '2';
      const done = await service.client.reload({ by: 'cookie:session', ...order });
      assert.equal(done.canary?.step, 1);
      await run(service, users);
    } finally {
      users.close();
    }
  });
}

test('each user is answered by one side, exactly the share of the hash, over connections that all share; nobody reconnects', async () => {
  await withCanary({}, { canary: '5%' }, async (service, users) => {
    for (const share of [0.05, 0.25, 0.5]) {
      if (share > 0.05) await service.client.canary(share);
      const seen = await users.ask(REQUESTS);
      assert.deepEqual(seen.failures, []);
      const wanted = chosen(share, 1, 2);
      for (const [user, versions] of seen.versions)
        assert.deepEqual([...versions], [wanted.has(user) ? '2' : '1'], `user ${user} at ${share}`);
      const { canary } = await service.client.status();
      assert.equal(canary?.share, share);
    }
    await service.client.promote();
    const after = await users.ask(500);
    assert.deepEqual([after.failures, [...after.answers.keys()]], [[], ['2']]);
    assert.deepEqual([users.opened, users.closed], [CONNECTIONS, []]);
    const { standby, active, canary } = await service.client.status();
    assert.deepEqual([active?.generation, standby?.generation, canary], [2, 1, null]);
    assert.deepEqual(
      (active?.workers ?? []).map(({ unrouted }) => unrouted ?? {}),
      [{}, {}]
    );
  });
});

test('behind nginx, whose connections to the service all users share, each user stays on one side', {
  skip: withoutNginx ?? false
}, async (t) => {
  const [port, folder] = [await freePort(), makeFolder(t)];
  await withCanary({}, { canary: '5%' }, async (service) => {
    const [program = '', ...args] = nginx({ folder, port: service.port, secondPort: port });
    const proxy = spawn(program, args, { stdio: 'ignore' });
    const exited = once(proxy, 'exit');
    const users = new Users(port, USERS, CONNECTIONS);
    try {
      await answers({ host: '127.0.0.1', port });
      for (const share of [0.05, 0.5]) {
        if (share > 0.05) await service.client.canary(share);
        const { failures, versions } = await users.ask(REQUESTS);
        const wanted = chosen(share, 1, 2);
        const wrong = [...versions].filter(([user, of]) => [...of].join() !== (wanted.has(user) ? '2' : '1'));
        assert.deepEqual([failures, wrong, users.closed], [[], [], []]);
      }
    } finally {
      users.close();
      proxy.kill();
      await exited;
    }
  });
});

const ENDS: readonly (readonly [string, (service: TestService) => Promise<unknown>, readonly string[]])[] = [
  ['promote', (service) => service.client.promote(), ['2']],
  ['abort', (service) => service.client.abort(), ['1']],
  ['rollback', (service) => service.client.rollback(), ['1']],
  ['a reload that supersedes it', (service) => service.client.reload({ supersede: true, canary: 'off' }), ['2']],
  ['another share', (service) => service.client.canary('99%'), ['1', '2']]
];

for (const [what, order, versions] of ENDS) {
  test(`${what} under load: no request fails, nobody reconnects, and nobody goes back`, async () => {
    await withCanary({}, { canary: '30%' }, async (service, users) => {
      let isOver = false;
      const asking = users.ask(1_000_000, () => !isOver);
      await waitFor(async () => ((await service.client.status()).canary?.measuredShare ?? 0) > 0, 'the canary answers');
      await order(service);
      const after = await new Promise((done) => setTimeout(done, 300));
      isOver = true;
      const { failures } = await asking;
      assert.deepEqual([after, failures], [undefined, []]);
      const now = await users.ask(USERS);
      assert.deepEqual([now.failures, [...now.answers.keys()].sort()], [[], [...versions].sort()]);
      assert.deepEqual([users.opened, users.closed], [CONNECTIONS, []]);
    });
  });
}

test('a stop under load answers everything that it has read', async () => {
  await withCanary({}, { canary: '30%' }, async (service, users) => {
    const asking = users.ask(1_000_000, () => service.process.exitCode === null);
    await waitFor(async () => ((await service.client.status()).canary?.measuredShare ?? 0) > 0, 'the canary answers');
    await service.client.stop();
    await service.exited();
    const { failures } = await asking;
    // Whoever comes when nobody listens any more is refused, or was not accepted yet when the address was closed.
    assert.deepEqual(
      failures.filter((one) => !/connect ECONN(REFUSED|RESET)|on a new connection: /.test(one)),
      []
    );
  });
});

test('a canary whose worker is killed: the active version answers its share, and only what was in it is lost', async () => {
  await withCanary({ workers: 1 }, { canary: '50%' }, async (service, users) => {
    let isOver = false;
    const asking = users.ask(1_000_000, () => !isOver);
    for (let kill = 0; kill < 5; kill += 1) {
      await waitFor(async () => {
        const { candidate } = await service.client.status();
        return candidate?.workers.some(({ state }) => state === 'ready') ?? true;
      }, 'the canary is there');
      const { candidate } = await service.client.status();
      const pid = candidate?.workers[0]?.pid;
      if (!pid) break; // by now, that was too much
      await new Promise((done) => setTimeout(done, 20 * kill));
      process.kill(pid, 'SIGKILL');
    }
    isOver = true;
    const { failures } = await asking;
    assert.ok(failures.length <= 5 * CONNECTIONS, `${failures.length} failed`);
    assert.deepEqual(
      failures.filter((one) => !/ECONNRESET|EPIPE|socket hang up/.test(one)),
      []
    );
    const now = await users.ask(500);
    assert.deepEqual(now.failures, []);
  });
});

test('the supervisor is killed while a canary answers: the next one goes on with it', async (t) => {
  const first = await new TestService({ entry: MIRROR, workers: 2, bake: 0, orphanTimeout: '3m' }).started();
  const users = new Users(first.port, USERS, CONNECTIONS);
  let second: TestService | null = null;
  atEnd(t, async () => {
    users.close();
    await second?.end();
    await first.end();
  });
  first.version = '2';
  await first.client.reload({ canary: '30%', by: 'cookie:session' });
  await users.ask(500);
  let isOver = false;
  const asking = users.ask(1_000_000, () => !isOver);
  first.process.kill('SIGKILL');
  await first.exited();
  const listen = `127.0.0.1:${first.port}`;
  second = new TestService({ entry: MIRROR, workers: 2, bake: 0, socket: first.socket, listen });
  await second.line('adopted');
  await waitFor(async () => (await second?.client.status())?.phase === 'canary', 'the canary goes on');
  await new Promise((done) => setTimeout(done, 300));
  isOver = true;
  const { failures } = await asking;
  assert.deepEqual(failures, []);
  const now = await users.ask(USERS * 2);
  const wanted = chosen(0.3, 1, 2);
  for (const [user, versions] of now.versions)
    assert.deepEqual([...versions], [wanted.has(user) ? '2' : '1'], `user ${user}`);
  await second.client.promote();
  const after = await users.ask(500);
  assert.deepEqual([after.failures, [...after.answers.keys()]], [[], ['2']]);
});

test('a bad canary is found while it answers few, and taken back; who waited is told why', async () => {
  await withService({ entry: MIRROR, workers: 1, bake: 0 }, async (service) => {
    const users = new Users(service.port, USERS, 8);
    let isOver = false;
    const asking = users.ask(1_000_000, () => !isOver);
    service.version = '2';
    const order = { canary: '20%,50%', hold: '60s', by: 'cookie:session', wait: true, env: { FAILS: '0.2' } };
    await assert.rejects(service.client.reload(order), (error: { code?: string; why?: string }) => {
      assert.equal(error.code, 'HANDOVER_ERR_CANDIDATE_REJECTED');
      assert.match(error.why ?? '', /were 5xx/);
      return true;
    });
    isOver = true;
    const { answers, failures } = await asking;
    const found = answers.get('2') ?? 0;
    const all = found + (answers.get('1') ?? 0);
    assert.deepEqual(failures, []);
    assert.ok(found < all, `${found} of ${all}`);
    const { active, history, canary } = await service.client.status();
    assert.deepEqual([active?.generation, canary, history.at(-1)?.outcome], [1, null, 'rejected']);
    users.close();
  });
});

test('steps that nothing speaks against end with the whole, by themselves', async () => {
  await withService({ entry: MIRROR, workers: 1, bake: 0 }, async (service) => {
    const users = new Users(service.port, USERS, 8);
    let isOver = false;
    const asking = users.ask(1_000_000, () => !isOver);
    service.version = '2';
    const done = await service.client.reload({ canary: '20%,50%', hold: '1s', by: 'cookie:session', wait: true });
    isOver = true;
    const { failures } = await asking;
    users.close();
    assert.deepEqual([failures, done.from, done.to], [[], 1, 2]);
    const shares = service.lines.filter(({ event }) => event === 'canary').map(({ share }) => share);
    assert.deepEqual(shares, [0.2, 0.5]);
  });
});
