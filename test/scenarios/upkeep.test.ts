import assert from 'node:assert/strict';
import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatReport, startLoad } from '../../bench/client/index.ts';
import type { StrategyName } from '../../src/options/strategies.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { makeFolder } from '../support/folder.ts';
import { isAlive } from '../support/wait.ts';
import { type TestService, waitFor, withService } from './service.ts';
import { Stage } from './stage.ts';
import { get, Witness } from './witness.ts';

// Workers that hang, grow or crash, and who serves meanwhile.

/** Runs a test on a service with an active version 2 and a standby of version 1, where one is kept. */
async function withStage(
  strategy: StrategyName,
  options: Partial<SuperviseOptions>,
  run: (stage: Stage) => Promise<void>
): Promise<void> {
  const stage = new Stage(strategy, 1, options);
  const { service } = stage;
  try {
    await service.started();
    service.version = '2';
    await service.client.reload();
    await stage.atRest(2);
    await run(stage);
  } catch (error) {
    const log = service.lines.map((line) => JSON.stringify(line)).join('\n');
    throw new Error(`${(error as Error).message}\n${log}`);
  } finally {
    stage.openAll();
    stage.letGo();
    await service.end();
  }
}

async function pidOf(service: TestService): Promise<number> {
  const [worker] = await service.workers();
  assert.ok(worker);
  return worker.pid;
}

/** Kills the active worker, and lets no replacement come before the gates are open. */
async function killActive(stage: Stage, generation: number): Promise<void> {
  const { service } = stage;
  stage.shut(`boot-${generation}`);
  process.kill(await pidOf(service), 'SIGKILL');
  await service.line('worker-exited', (line) => line.generation === generation && line.level === 'warn');
}

/** A connection that comes now has to wait, and is answered as soon as there is a replacement. */
async function waitsFor(stage: Stage, version: string): Promise<void> {
  const witness = await Witness.open(stage.service.port);
  witness.send(get('/answer'));
  await waitFor(async () => {
    const { active } = await stage.status();
    return active?.workers.length === 1 && active.workers[0]?.state === 'starting';
  }, 'a replacement is starting');
  assert.ok(!stage.service.lines.some(({ event }) => event === 'covering'), 'nobody covers');
  stage.openAll();
  assert.ok(await witness.answer());
  assert.equal(witness.version, version);
  witness.close();
}

for (const [how, stop] of [
  ['whose event loop is blocked', async (stage: Stage) => stage.stall(2)],
  ['that is stopped', async ({ service }: Stage) => void process.kill(await pidOf(service), 'SIGSTOP')]
] as const) {
  test(`a worker ${how} is replaced after hangTimeout; the status says how long it has been silent, and the standby covers`, async () => {
    await withStage('blue-green', { hangTimeout: '4s' }, async (stage) => {
      const { service } = stage;
      const hung = await pidOf(service);
      await stop(stage);
      await waitFor(async () => {
        const [worker] = (await stage.status()).active?.workers ?? [];
        return (worker?.silentMs ?? 0) >= 2_000;
      }, 'the status says that it is silent');
      stage.shut('boot-2'); // its replacement
      const witness = await Witness.open(service.port);
      witness.send(get('/answer')); // in the queue: nobody accepts
      const line = await service.line('worker-hung');
      assert.deepEqual([line.generation, line.worker], [2, '2.1']);
      assert.match(String(line.reason), /^its event loop did not answer for \d+ s, and it was ended$/);
      await service.line('covering');
      assert.ok(await witness.answer());
      assert.equal(witness.version, '1');
      witness.close();
      stage.openAll();
      await stage.atRest(2);
      assert.notEqual(await pidOf(service), hung);
    });
  });
}

test('a worker above maxMemory is relieved by its successor without a failed request, and a standby that the machine has no memory for is retired early', async () => {
  await withStage('blue-green', { maxMemory: '300MB', standbyMemory: '100%' }, async (stage) => {
    const { service } = stage;
    const heavy = await pidOf(service);
    const clients = { idle: 6, thinking: 6, busy: 1, fresh: 2, slow: 2, uploading: 1 };
    const load = startLoad({ target: { host: '127.0.0.1', port: service.port }, clients, busyPauseMs: 5 });
    try {
      await load.warm();
      const eater = await Witness.open(service.port);
      assert.ok(await eater.ask(get('/eat')));
      const heavier = service.line('worker-heavy');
      let isHeavy = false;
      while (!isHeavy) {
        isHeavy = await Promise.race([heavier.then(() => true), delay(500, false)]);
        // Used now and then, so that the app does not close it for being idle.
        if (!isHeavy) assert.ok(await eater.ask());
      }
      const line = await heavier;
      assert.match(String(line.reason), /more than maxMemory \(\d+ MiB\); its successor starts first$/);
      await waitFor(async () => (await pidOf(service)) !== heavy && !isAlive(heavy), 'the heavy one is gone');
      assert.ok(await eater.ask(), 'its idle connection was handed over');
      assert.equal(eater.pid, await pidOf(service));
      eater.close();
    } finally {
      await load.stop();
    }
    const report = await load.stop();
    assert.equal(report.failed, 0, formatReport(report));
    assert.deepEqual(report.reconnects.idle, { asked: 0, closed: 0, reset: 0 }, formatReport(report));
    await service.line('memory-low');
    const retiring = await service.line('retiring', ({ generation }) => generation === 1);
    assert.match(String(retiring.reason), /^the machine has only \d+ % of its memory left$/);
    const { standby, history } = await stage.atRest(2);
    assert.equal(standby, null);
    assert.equal(history.find(({ generation }) => generation === 1)?.reason, retiring.reason);
  });
});

test('the restart limit is what the option says', async () => {
  await withService({ name: 'limit', restarts: '1/10m' }, async (service) => {
    process.kill(await pidOf(service), 'SIGKILL');
    await service.line('worker-replaced');
    await waitFor(async () => (await service.workers())[0]?.id === '1.2', 'the replacement is there');
    process.kill(await pidOf(service), 'SIGKILL');
    const { reason } = await service.line('restart-limit');
    assert.match(String(reason), /^1 replacements within 600 s were not enough; trying every 15 s from now on$/);
  });
});

test('a lost worker is replaced from the same real files, although "current" points elsewhere by now', async (t) => {
  const folder = makeFolder(t);
  const write = (version: string) => {
    const text = `import http from 'node:http';
http.createServer((request, response) =>
  response.setHeader('x-version', '${version}').setHeader('x-pid', process.pid).end('release ${version}')
).listen(3000);`;
    writeFileSync(join(folder, `${version}.mjs`), text);
  };
  const point = (version: string) => {
    symlinkSync(join(folder, `${version}.mjs`), join(folder, 'next.mjs'));
    renameSync(join(folder, 'next.mjs'), join(folder, 'current.mjs'));
  };
  for (const version of ['1', '2']) write(version);
  point('1');
  await withService({ name: 'files', entry: join(folder, 'current.mjs') }, async (service) => {
    point('2');
    process.kill(await pidOf(service), 'SIGKILL');
    await service.line('worker-replaced');
    const witness = await Witness.open(service.port);
    assert.ok(await witness.ask(get('/')));
    assert.equal(witness.version, '1');
    witness.close();
  });
});

test('under exclusive the standby never steps in: connections wait for the replacement', async () => {
  await withStage('exclusive', {}, async (stage) => {
    await killActive(stage, 2);
    await waitsFor(stage, '2');
    await stage.atRest(2);
  });
});

test('a standby that was rejected never covers: connections wait for the replacement', async () => {
  await withStage('blue-green', { bake: '5m' }, async (stage) => {
    await stage.service.client.abort();
    stage.service.version = '1'; // what a worker started from here on calls itself
    const { standby } = await stage.atRest(1);
    assert.equal(standby?.generation, 2);
    assert.match(standby.rejected ?? '', /aborted by the operator/);
    await killActive(stage, 1);
    await waitsFor(stage, '1');
    await stage.atRest(1);
  });
});
