import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { app } from '../support/service.ts';
import { isAlive } from '../support/wait.ts';
import { Ahead } from './ahead.ts';
import { Talk } from './raw.ts';
import { type TestService, waitFor, withService } from './service.ts';

async function openMany(service: TestService, count: number): Promise<Talk[]> {
  const talks: Talk[] = [];
  for (let left = count; left > 0; left -= 50) {
    const some = await Promise.all(Array.from({ length: Math.min(50, left) }, () => Talk.open(service.port)));
    for (const talk of some) talk.get('/answer');
    await Promise.all(some.map((talk) => talk.answer()));
    talks.push(...some);
  }
  return talks;
}

test('a request whose bytes leave the client in the very moment of the move is answered on its connection', async () => {
  await withService({ name: 'sweep' }, async (service) => {
    const talks = await openMany(service, 84);
    // Each round hands all over; connection i writes i/4 ms after the order, 0 to 21 ms: before, during and after.
    for (let round = 0; round < 6; round += 1) {
      const order = round % 2 === 0 ? service.client.reload() : service.client.rollback();
      if (round % 2 === 0) await service.line('cutover', ({ to }) => to === round / 2 + 2 || to === 2 + round / 2);
      const asked = talks.map(async (talk, index) => {
        await wait(index / 4);
        talk.get('/answer', `m${round}-${index}`);
        return talk.answer();
      });
      const answers = await Promise.all(asked);
      await order;
      answers.forEach((answer, index) => {
        assert.equal(answer.status, 200);
        assert.equal(answer.id, `m${round}-${index}`);
      });
    }
    assert.ok(talks.every((talk) => !talk.isOver));
    for (const talk of talks) talk.close();
  });
});

test('half a request head before the move and the rest after it: the generation that read the first byte answers', async () => {
  await withService({ name: 'half' }, async (service) => {
    const talk = await Talk.open(service.port);
    talk.send('GET /answer HTTP/1.1\r\nhost: a\r\nx-');
    await service.client.reload().then(() => (service.version = '2'));
    talk.send('id: late\r\n\r\n');
    const answer = await talk.answer();
    assert.equal(answer.id, 'late');
    assert.equal(answer.version, '1');
    talk.get('/answer', 'next');
    assert.equal((await talk.answer()).id, 'next');
    talk.close();
  });
});

test('the first byte of a head, and nothing more, keeps a connection where it is', async () => {
  await withService({ name: 'byte' }, async (service) => {
    const [talk] = await openMany(service, 1);
    assert.ok(talk);
    talk.send('G');
    service.version = '2';
    // The byte has to have been read: the worker counts it as no request, but its connection is not idle.
    await wait(50);
    await service.client.reload();
    talk.send('ET /answer HTTP/1.1\r\nhost: a\r\nx-id: g\r\n\r\n');
    assert.equal((await talk.answer()).version, '1');
    talk.close();
  });
});

test('an upload in progress ends where it began, and its connection moves then', async () => {
  await withService({ name: 'upload' }, async (service) => {
    const talk = await Talk.open(service.port);
    const body = 'b'.repeat(300_000);
    talk.send(
      `POST /upload HTTP/1.1\r\nhost: a\r\nx-id: up\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 1000)}`
    );
    await waitFor(
      async () => (await service.client.status()).active?.workers[0]?.inFlight === 1,
      'the upload is in flight'
    );
    service.version = '2';
    await service.client.reload();
    const status = await service.client.status();
    assert.deepEqual(
      status.standby?.workers[0]?.holding?.map(({ method, url }) => `${method} ${url}`),
      ['POST /upload']
    );
    talk.send(body.slice(1000));
    const answer = await talk.answer();
    assert.equal(answer.version, '1');
    assert.match(answer.body, /"bytes":300000/);
    await waitFor(
      async () => (await service.client.status()).standby?.workers[0]?.connections === 0,
      'the connection has moved'
    );
    talk.get('/answer', 'after');
    const after = await talk.answer();
    assert.equal(after.version, '2');
    assert.equal(after.id, 'after');
    talk.close();
  });
});

test('a response larger than the socket buffers, with a slow reader, arrives whole over two reloads', async () => {
  await withService({ name: 'reader' }, async (service) => {
    const talk = await Talk.open(service.port);
    const bytes = 24_000_000;
    talk.get(`/download?bytes=${bytes}`, 'big');
    talk.socket.pause();
    await waitFor(
      async () => (await service.client.status()).active?.workers[0]?.inFlight === 1,
      'the download is in flight'
    );
    await service.client.reload();
    const status = await service.client.status();
    assert.equal(status.standby?.workers[0]?.inFlight, 1, 'it is still in flight in the generation where it began');
    await service.client.reload();
    talk.socket.resume();
    const answer = await talk.answer();
    assert.equal(answer.body.length, bytes);
    talk.close();
  });
});

test('a connection that has never sent a byte moves, and its first request is answered by the new version', async () => {
  await withService({ name: 'fresh' }, async (service) => {
    const talks = await Promise.all(Array.from({ length: 10 }, () => Talk.open(service.port)));
    await waitFor(
      async () => (await service.client.status()).active?.workers[0]?.connections === 10,
      'all are accepted'
    );
    service.version = '2';
    const { handedOver } = await service.client.reload();
    assert.equal(handedOver, 10);
    for (const talk of talks) {
      talk.get('/answer');
      assert.equal((await talk.answer()).version, '2');
      talk.close();
    }
  });
});

for (const strategy of ['blue-green', 'in-place'] as const) {
  test(`${strategy}, one worker: a client that sends ahead without a pause moves, and holds nobody up until the drain timeout`, async () => {
    const options = { name: 'ahead', entry: app('hold.mjs'), workers: 1, strategy, handoverBudget: 200 };
    await withService({ ...options, drainTimeout: '60s' }, async (service) => {
      const ahead = new Ahead(await Talk.open(service.port));
      const other = await Talk.open(service.port);
      await waitFor(async () => ahead.versions.length > 50, 'some answers');
      for (const version of ['2', '3']) {
        service.version = version;
        await service.client.reload();
        other.get('/answer');
        assert.equal((await other.answer()).version, version);
        await waitFor(async () => ahead.versions.at(-1) === version, `version ${version} answers`);
      }
      const versions = await ahead.end();
      const turns = versions.filter((version, index) => version !== versions[index - 1]);
      assert.deepEqual(turns, ['1', '2', '3']);
      assert.ok(!service.lines.some(({ event }) => event === 'drain-overdue'));
      ahead.close();
      other.close();
    });
  });
}

/** Its connections, and a handful of sockets of its own. */
function countSockets(pid: number): number {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // it is closed already
    }
  });
  return descriptors.filter((target) => target.startsWith('socket:')).length;
}

test('a receiver killed in the middle of 500 moving connections costs no connection', async () => {
  await withService({ name: 'killed', workers: 2 }, async (service) => {
    const talks = await openMany(service, 500);
    const order = service.client.reload();
    await service.line('cutover');
    // On a busy machine most may have moved by now: the one that has the fewest has half of them at the most.
    const { active: moving } = await service.client.status();
    const [victim] = (moving?.workers ?? []).toSorted(
      (one, other) => (one.connections ?? 0) - (other.connections ?? 0)
    );
    assert.ok(victim?.pid && isAlive(victim.pid));
    process.kill(victim.pid, 'SIGSTOP'); // it adopts no more
    const had = countSockets(victim.pid);
    process.kill(victim.pid, 'SIGKILL');
    await order;
    await service.line('worker-exited', ({ worker }) => worker === victim.id);
    await service.line('worker-replaced');
    // What the killed process had adopted died with it, as its requests in progress would: every other one lives.
    const asked = await Promise.allSettled(
      talks.map(async (talk) => {
        talk.get('/answer');
        return talk.answer();
      })
    );
    const reasons = asked.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    const lost = reasons.length;
    assert.ok(
      lost <= had,
      `${lost} of 500 are gone, ${had} were in the killed process; ${[...new Set(reasons)].slice(0, 5)}`
    );
    assert.ok(lost <= 250, `${lost} of 500 were in the killed process`);
    let there = 0;
    // On a busy machine some are still on their way when the order is answered.
    await waitFor(
      async () => {
        const { active } = await service.client.status();
        there = active?.workers.reduce((sum, { connections }) => sum + (connections ?? 0), 0) ?? 0;
        return there === 500 - lost;
      },
      () => `the new version has all that live; it has ${there} of ${500 - lost}`
    );
    for (const talk of talks) talk.close();
  });
});
