import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { atEnd } from '../support/end.ts';
import { moreOf, NumberedSocket, NumberedStream } from '../support/live-clients.ts';
import { until } from '../support/wait.ts';
import { type TestService, withService } from './service.ts';

// WebSockets and event streams, whose clients number what they send and what they get.

const LIVE = fileURLToPath(new URL('../fixtures/apps/live.mjs', import.meta.url));
const SPREAD_MS = 2_000;

interface Visitors {
  readonly sockets: readonly NumberedSocket[];
  readonly numbered: readonly NumberedStream[];
  readonly plain: readonly NumberedStream[];
}

interface Count {
  readonly sockets?: number;
  readonly streams?: number;
  readonly compress?: boolean;
}

async function live(
  t: TestContext,
  options: SuperviseOptions,
  { sockets = 12, streams = 6, compress = false }: Count,
  run: (service: TestService, visitors: Visitors) => Promise<void>
): Promise<void> {
  const given = { entry: LIVE, bake: 0, upgradeSpread: SPREAD_MS, ...options };
  await withService(given, async (service) => {
    const { port } = service;
    const visitors = {
      sockets: Array.from({ length: sockets }, (_, user) => new NumberedSocket(port, `u${user}`, { compress })),
      numbered: Array.from({ length: streams }, () => new NumberedStream(port, '/numbered')),
      plain: Array.from({ length: streams / 2 }, () => new NumberedStream(port, '/plain'))
    };
    const all = [...visitors.sockets, ...visitors.numbered, ...visitors.plain];
    atEnd(t, () => {
      for (const one of all) one.leave();
    });
    try {
      await moreOf(all);
      await run(service, visitors);
      await moreOf(all);
      const wrong = all.flatMap((one) => one.wrong);
      // No server can know of a message that meets its close on the way; on a busy machine that way is long.
      const met = wrong.filter((one) => one.endsWith('was not answered before 1012'));
      assert.deepEqual(
        wrong.filter((one) => !met.includes(one)),
        []
      );
      assert.ok(met.length <= sockets / 6, `${met.length} of ${sockets} had no answer: ${met}`);
    } finally {
      for (const one of all) one.leave();
    }
  });
}

function reload(service: TestService, version: string, env: Record<string, string> = {}) {
  return service.client.reload({ env: { VERSION: version, ...env } });
}

const isAt = (version: string) => (one: NumberedSocket | NumberedStream) => one.version === version;

test('WebSockets are closed with 1012, once for each reload and evenly; streams with ids move, others stay', async (t) => {
  await live(t, {}, { sockets: 24 }, async (service, { sockets, numbered, plain }) => {
    for (const version of ['2', '3', '4']) {
      const since = performance.now();
      const { connections } = await reload(service, version);
      assert.deepEqual(connections.websocket, { closed: 24 });
      assert.deepEqual(connections['event-stream'], version === '3' ? { moved: 6 } : { moved: 6, kept: 3 });
      await until(() => sockets.every(isAt(version)) && numbered.every(isAt(version)), `all at ${version}`);
      const closes = sockets.flatMap((socket) => socket.closes.filter(({ at }) => at > since));
      assert.deepEqual(
        closes.map(({ code }) => code),
        Array(24).fill(1012),
        'each once'
      );
      const at = closes.map((close) => close.at);
      const [begin, end] = [Math.min(...at), Math.max(...at)];
      const late = at.filter((one) => one > (begin + end) / 2).length;
      assert.ok(end - begin > SPREAD_MS / 4 && late >= 6 && late <= 18, `${late} of 24 in the second half`);
      if (version === '2') assert.ok(plain.every(isAt('1')), 'a stream without ids stays with the version before');
      if (version === '3') await until(() => plain.every(isAt('3')), 'those of a retired version to come back');
    }
    assert.ok(
      numbered.every(({ opened }) => opened === 1),
      'a stream with ids is never opened again'
    );
    const { lastHandover, active } = await service.client.status();
    const { until: stayUntil, ...left } = lastHandover ?? { until: null };
    assert.deepEqual(left, {
      from: 3,
      connections: { websocket: { closed: 24 }, 'event-stream': { moved: 6 } },
      remaining: { 'event-stream': 3 }
    });
    assert.match(stayUntil ?? '', /^\d{4}-.*Z$/);
    assert.deepEqual(active?.workers[0]?.kinds, { websocket: 24, 'event-stream': 6 });
  });
});

for (const strategy of ['blue-green', 'rolling', 'in-place'] as const) {
  for (const workers of [1, 2]) {
    test(`under ${strategy} with ${workers} worker(s), WebSockets are carried and come back with a rollback`, async (t) => {
      const options: SuperviseOptions = { strategy, workers, env: { ...process.env, CARRY: 'yes' } };
      await live(t, options, { sockets: 12 }, async (service, { sockets, numbered }) => {
        const all = [...sockets, ...numbered];
        for (const version of ['2', '3']) {
          const { connections } = await reload(service, version);
          assert.equal(connections.websocket?.closed, undefined, JSON.stringify(connections));
          await until(() => all.every(isAt(version)), `all at ${version}`);
        }
        await service.client.rollback();
        await until(() => all.every(isAt('2')), 'all back');
        assert.deepEqual(
          sockets.flatMap(({ closes }) => closes),
          []
        );
        assert.ok(
          sockets.every(({ heard, answers }) => heard === answers),
          'what was saved came with it'
        );
        const { lastHandover } = await service.client.status();
        assert.deepEqual(
          numbered.map(({ opened }) => opened),
          numbered.map(() => 1),
          JSON.stringify(lastHandover)
        );
      });
    });
  }
}

test('under exclusive, WebSockets are closed and streams ended before the next version serves', async (t) => {
  await live(t, { strategy: 'exclusive' }, {}, async (service, { sockets, numbered, plain }) => {
    const { connections } = await reload(service, '2');
    assert.deepEqual(connections.websocket, { closed: 12 });
    assert.deepEqual(connections['event-stream'], { ended: 9 });
    const all = [...sockets, ...numbered, ...plain];
    await until(() => all.every(isAt('2')), 'all at 2');
    assert.ok(sockets.every(({ closes }) => closes.length === 1 && closes[0]?.code === 1012));
  });
});

test('with `keep`, WebSockets and streams stay with their version until it is retired', async (t) => {
  await live(t, { websockets: 'keep', eventStreams: 'keep' }, {}, async (service, { sockets, numbered }) => {
    const first = await reload(service, '2');
    assert.deepEqual(first.connections, { websocket: { kept: 12 }, 'event-stream': { kept: 9 } });
    await moreOf([...sockets, ...numbered]);
    assert.ok([...sockets, ...numbered].every(isAt('1')));
    const { lastHandover } = await service.client.status();
    assert.deepEqual(lastHandover?.remaining, { websocket: 12, 'event-stream': 9 });
    const leftMs = Date.parse(lastHandover?.until ?? '') - Date.now();
    assert.ok(leftMs > 500_000 && leftMs <= 600_000, `${leftMs} ms left`);
    await reload(service, '3');
    await until(() => [...sockets, ...numbered].every(isAt('3')), 'all at 3');
    assert.ok(sockets.every(({ closes }) => closes.length === 1 && closes[0]?.code === 1012));
  });
});

const REASONS: readonly (readonly [
  what: string,
  first: Record<string, string>,
  then: Record<string, string>,
  why: RegExp
])[] = [
  ['a save that throws', { CARRY: 'throws' }, {}, /^save threw Error$/],
  ['a save that is too large', { CARRY: 'large' }, {}, /too large/],
  ['a version without carry', { CARRY: 'yes' }, { CARRY: '' }, /has no carry/],
  ['compression with context', { CARRY: 'yes', COMPRESS: 'context' }, {}, /compression has a context/]
];

for (const [what, first, then, why] of REASONS) {
  test(`what cannot be carried is closed with 1012, and counted by reason: ${what}`, async (t) => {
    const count = { sockets: 4, streams: 0, compress: 'COMPRESS' in first };
    await live(t, { env: { ...process.env, ...first } }, count, async (service, { sockets }) => {
      await reload(service, '2', then);
      await until(() => sockets.every(isAt('2')), 'all at 2');
      assert.deepEqual(
        sockets.flatMap(({ closes }) => closes.map(({ code }) => code)),
        [1012, 1012, 1012, 1012]
      );
      const { lastHandover } = await service.client.status();
      const { closed, reasons } = (lastHandover?.connections.websocket ?? {}) as {
        closed?: number;
        reasons?: Record<string, number>;
      };
      assert.equal(closed, 4);
      assert.deepEqual(Object.values(reasons ?? {}), [4]);
      assert.match(Object.keys(reasons ?? {}).join(), why);
    });
  });
}

test('an authentication that now says no closes with 1012; compression of each message by itself is carried', async (t) => {
  const env = { ...process.env, CARRY: 'yes', COMPRESS: 'each' };
  await live(t, { env }, { sockets: 4, streams: 0, compress: true }, async (service, { sockets }) => {
    const { connections } = await reload(service, '2');
    assert.deepEqual(connections.websocket, { carried: 4 });
    await until(() => sockets.every(isAt('2')), 'all at 2');
    const { connections: refused } = await reload(service, '3', { REFUSE: 'u1' });
    assert.deepEqual(refused.websocket, { carried: 3, closed: 1, reasons: { 'the app answered 401': 1 } });
    const [, closed] = sockets;
    await until(() => sockets.every((one) => isAt('3')(one) || one === closed), 'the others at 3');
    await until(() => closed?.closes.length, 'the close');
    closed?.wrong.splice(0); // what it sent while it was on its way was read by nobody
    assert.deepEqual(sockets.flatMap(({ closes }) => closes.map(({ code }) => code)).slice(0, 1), [1012]);
    await reload(service, '4', { REFUSE: '' });
    await until(() => sockets.every(isAt('4')), 'all at 4');
    for (const socket of sockets) assert.deepEqual(socket.wrong, []);
  });
});

test('what is being decompressed or compressed is answered before its WebSocket is carried', async (t) => {
  const env = { ...process.env, CARRY: 'yes', COMPRESS: 'each', SLOW_POOL: 'yes', UV_THREADPOOL_SIZE: '1' };
  await live(t, { env }, { sockets: 6, streams: 0, compress: true }, async (service, { sockets }) => {
    for (const version of ['2', '3']) {
      const { connections } = await reload(service, version);
      assert.deepEqual(connections.websocket, { carried: 6 });
      await until(() => sockets.every(isAt(version)), `all at ${version}`);
    }
  });
});

for (const [answer, comesBack] of [
  ['204', false],
  ['500', true]
] as const) {
  test(`a version that answers ${answer} to a stream that goes on: it ends whole, and the client hears ${answer} itself`, async () => {
    await withService({ entry: LIVE, bake: 0 }, async (service) => {
      const stream = new NumberedStream(service.port, '/numbered');
      try {
        await moreOf([stream]);
        await reload(service, '2', { SSE_ANSWER: answer });
        await until(() => stream.statuses.length > 0, 'the answer');
        assert.deepEqual([stream.statuses[0], stream.wrong], [Number(answer), []]);
        if (comesBack) await until(() => stream.statuses.length > 1, 'it to come back');
      } finally {
        stream.leave();
      }
    });
  });
}

test('a stop closes WebSockets with 1012 and ends streams whole, within the drain timeout', async (t) => {
  await withService({ entry: LIVE, bake: 0, drainTimeout: '4s' }, async (service) => {
    const sockets = Array.from({ length: 8 }, (_, user) => new NumberedSocket(service.port, `u${user}`));
    const streams = Array.from({ length: 4 }, () => new NumberedStream(service.port, '/numbered'));
    atEnd(t, () => {
      for (const one of [...sockets, ...streams]) one.leave();
    });
    await moreOf([...sockets, ...streams]);
    await service.client.stop();
    await service.exited();
    assert.deepEqual(
      sockets.map(({ closes }) => closes[0]?.code),
      Array(8).fill(1012)
    );
    for (const { wrong } of streams) assert.ok(!wrong.some((one) => one.startsWith('it was cut')), wrong.join());
    assert.ok(!service.lines.some(({ event }) => event === 'drain-overdue'));
  });
});
