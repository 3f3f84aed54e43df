import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { Home } from '../cli/run.ts';
import { app, makeFolder } from '../support/service.ts';
import { answers, assertUnnoticed, loaded } from './loaded.ts';
import { type TestService, waitFor, withService } from './service.ts';

const ENTRY = app('ill.mjs');

const version = (name: string) => ({ env: { VERSION: name } });

/** Awaits a refusal or a failure. */
async function failure(order: Promise<unknown>): Promise<HandoverError> {
  const error = await order.then(
    (done) => assert.fail(`it should have failed: ${JSON.stringify(done)}`),
    (reason: unknown) => reason
  );
  assert.ok(HandoverError.is(error), String(error));
  return error;
}

const generations = async ({ client }: TestService) => {
  const { active, standby } = await client.status();
  return [active?.generation, standby?.generation];
};

/** How often a generation was started. */
const starts = ({ lines }: TestService) => lines.filter(({ event }) => event === 'starting').length;

test('promote, abort, supersede, scale, retire and rollback --to: nobody notices any of them', async (t) => {
  const home = new Home(t);
  await withService({ name: 'orders', entry: ENTRY, workers: 2, bake: '5m', keepWarm: 'forever' }, async (service) => {
    const { client } = service;
    const cli = (...args: string[]) => home.json(...args, '--socket', service.socket);
    const report = await loaded(service, { busyPauseMs: 10 }, async (load) => {
      const serves = async (name: string) => {
        load.expectVersion(name);
        await answers(load, name, 50);
        load.expectAnyVersion();
      };

      // promote: who waited for the verdict is told that it is kept.
      const promoted = client.reload({ ...version('2'), wait: true });
      await service.line('baking', ({ generation }) => generation === 2);
      await service.line('paused', ({ generation }) => generation === 1);
      assert.deepEqual(await cli('promote'), {
        code: 0,
        answer: { ok: true, active: 2, standby: 1, reason: 'promoted by the operator' }
      });
      const { decision, reason } = (await promoted).verdict ?? {};
      assert.deepEqual([decision, reason], ['keep', 'promoted by the operator']);
      assert.equal((await failure(client.promote())).exitCode, 3, 'nothing bakes any more');
      await serves('2');

      // abort while it bakes: back to the version before, and who waited is told why.
      const aborted = failure(client.reload({ ...version('3'), wait: true }));
      await service.line('baking', ({ generation }) => generation === 3);
      await service.line('paused', ({ generation }) => generation === 2);
      assert.deepEqual((await cli('abort')).answer, {
        ...{ ok: true, active: 2, abandoned: 3, reason: 'aborted by the operator' }
      });
      const { code, why, exitCode } = await aborted;
      assert.deepEqual([code, why, exitCode], ['HANDOVER_ERR_CANDIDATE_REJECTED', 'aborted by the operator', 1]);
      assert.deepEqual(await generations(service), [2, 3]);
      assert.equal((await failure(client.rollback())).code, 'HANDOVER_ERR_REFUSED_REJECTED');
      await serves('2');

      // abort, and supersede, while a candidate is starting.
      const never = failure(client.reload(version('never-ready')));
      await service.line('starting', ({ generation }) => generation === 4);
      assert.equal((await cli('abort')).answer.abandoned, 4);
      assert.equal((await never).code, 'HANDOVER_ERR_CANDIDATE_ABANDONED');
      const older = failure(client.reload(version('never-ready')));
      await service.line('starting', ({ generation }) => generation === 5);
      assert.equal((await failure(client.reload(version('6')))).code, 'HANDOVER_ERR_REFUSED_BUSY');
      assert.equal((await client.reload({ ...version('6'), supersede: true })).to, 6);
      const { code: given, why: superseded } = await older;
      assert.deepEqual([given, superseded], ['HANDOVER_ERR_CANDIDATE_ABANDONED', 'it was superseded by generation 6']);
      await serves('6');

      // scale: up and down, and the next generation has as many.
      assert.deepEqual(await client.scale(4), { ok: true, active: 6, from: 2, to: 4 });
      assert.equal((await service.workers()).length, 4);
      assert.deepEqual((await cli('scale', '1')).answer, { ok: true, active: 6, from: 4, to: 1 });
      assert.equal((await service.workers()).length, 1);
      await client.reload(version('7'));
      assert.equal((await service.workers()).length, 1);
      await serves('7');

      // retire: no standby is left to roll back to.
      assert.deepEqual((await cli('retire')).answer, { ok: true, retired: 6 });
      assert.deepEqual(await generations(service), [7, undefined]);
      const refused = await cli('rollback');
      assert.deepEqual([refused.code, refused.answer.code], [3, 'HANDOVER_ERR_REFUSED_NO_STANDBY']);

      // rollback --to: from its files, then warm, then where the files are gone.
      const before = starts(service);
      const { from, to } = await client.rollback({ to: 2 });
      assert.deepEqual([from, to, starts(service)], [7, 8, before + 1]);
      await serves('2');
      assert.equal((await cli('rollback', '--to', '7')).answer.to, 7);
      assert.equal(starts(service), before + 1, 'the standby is not started again');
      await serves('7');
      const gone = join(service.folder, 'gone.mjs');
      writeFileSync(gone, `import ${JSON.stringify(ENTRY)};`);
      assert.equal((await client.reload({ entry: gone, ...version('9') })).to, 9);
      await client.reload({ entry: ENTRY, ...version('10') });
      await client.retire();
      rmSync(gone);
      const lost = await cli('rollback', '--to', '9');
      assert.deepEqual([lost.code, lost.answer.code], [3, 'HANDOVER_ERR_REFUSED_NO_GENERATION']);
      assert.match(String(lost.answer.why), /its entry .*gone\.mjs is gone/);
      await serves('10');
    });
    assertUnnoticed(report);
    const history = (await cli('history')).answer.history as { generation: number; outcome: string; reason: string }[];
    const outcomes = history.map(({ generation, outcome }) => `${generation} ${outcome}`);
    assert.deepEqual(outcomes, [
      ...['1 retired', '2 retired', '3 rejected', '4 failed', '5 failed', '6 retired', '7 retired', '8 retired'],
      ...['9 retired', '10 active']
    ]);
  });
});

test('rollback "manual" only says so: the version that fails its check while it bakes stays active until it is told', async (t) => {
  const home = new Home(t);
  const check = { path: '/answer?private', attempts: 1, whileBaking: true };
  const options = { name: 'manual', entry: ENTRY, check, rollback: 'manual', bake: '1m' } as const;
  await withService(options, async (service) => {
    const report = await loaded(service, { busyPauseMs: 10 }, async (load) => {
      const told = await home.json('reload', '--wait', '--env', 'VERSION=fades', '--socket', service.socket);
      const reason = /^its check GET \/answer\?private failed while baking: worker 2\.1 gave status 503/;
      assert.deepEqual([told.code, told.answer.code, told.answer.active], [1, 'HANDOVER_ERR_CANDIDATE_REJECTED', 2]);
      assert.match(String(told.answer.why), reason);
      assert.match(String(told.answer.fix), /generation 2 is active nevertheless/);
      await service.line('rollback-wanted');
      const { active, history } = await service.client.status();
      assert.match(active?.rejected ?? '', reason);
      assert.match(history.at(-1)?.reason ?? '', reason);
      load.expectVersion('fades');
      await answers(load, 'fades', 50);
      load.expectAnyVersion();
      await service.client.rollback();
      load.expectVersion('1');
      await answers(load, '1', 50);
      assert.equal((await service.client.status()).history.at(-1)?.outcome, 'rejected');
    });
    assertUnnoticed(report);
  });
});

for (const strategy of ['rolling', 'in-place'] as const) {
  test(`${strategy}: a version that fails half way leaves every worker of the old one serving, and nobody notices`, async () => {
    const check = '/answer?private';
    const options = { name: 'half', entry: ENTRY, workers: 3, strategy, check, readyTimeout: '4s' };
    await withService(options, async (service) => {
      const report = await loaded(service, { busyPauseMs: 10 }, async (load) => {
        const env = { VERSION: 'half', FLAG: join(service.folder, 'flag') };
        const { code, why, active } = await failure(service.client.reload({ env }));
        assert.deepEqual([code, active], ['HANDOVER_ERR_CANDIDATE_CHECK', 1]);
        assert.match(why, /^worker 2\.2 gave status 503/);
        assert.ok((load.counts().perVersion.half ?? 0) > 0, 'the first worker of it did serve');
        await waitForWorkers(service, 3);
        load.expectVersion('1');
        await answers(load, '1', 100);
      });
      assertUnnoticed(report);
      assert.equal((await service.client.status()).history.at(-1)?.outcome, 'failed');
    });
  });
}

test('in-place: a rollback to files that are gone is refused before any worker goes', async (t) => {
  const folder = makeFolder(t);
  const entry = join(folder, 'first.mjs');
  writeFileSync(entry, `import ${JSON.stringify(ENTRY)};`);
  await withService({ name: 'gone', entry, strategy: 'in-place', bake: 0 }, async (service) => {
    const next = join(folder, 'second.mjs');
    writeFileSync(next, `import ${JSON.stringify(ENTRY)};`);
    await service.client.reload({ entry: next });
    const [worker] = (await service.client.status()).active?.workers ?? [];
    rmSync(entry);
    const { code, why, fix } = await failure(service.client.rollback());
    assert.equal(code, 'HANDOVER_ERR_REFUSED_NO_GENERATION');
    assert.match(why, /^its entry .*first\.mjs is gone$/);
    assert.match(fix, /generation 2 is still active$/);
    const { active } = await service.client.status();
    assert.deepEqual([active?.generation, active?.workers.map(({ pid }) => pid)], [2, [worker?.pid]]);
  });
});

async function waitForWorkers({ client }: TestService, count: number): Promise<void> {
  const accepting = async () =>
    ((await client.status()).active?.workers ?? []).filter(({ state }) => state === 'accepting').length;
  await waitFor(async () => (await accepting()) === count, `${count} workers accept`);
}
