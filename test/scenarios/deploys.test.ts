import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERY_KIND, formatReport, type Load, type Report, startLoad } from '../../bench/client/index.ts';
import { HandoverError } from '../../src/errors.ts';
import { type TestService, withService } from './service.ts';

/** Loads a service with every kind of client, and shows that none of them noticed anything. */
async function underLoad(service: TestService, run: (load: Load) => Promise<void>): Promise<Report> {
  const load = startLoad({
    target: { host: '127.0.0.1', port: service.port },
    clients: EVERY_KIND,
    busyPauseMs: 2,
    idleEveryMs: 700
  });
  let report: Report | undefined;
  try {
    await load.warm();
    await run(load);
  } finally {
    report = await load.stop();
  }
  assert.equal(report.failed, 0, formatReport(report));
  assert.deepEqual(report.reconnects.idle, { asked: 0, closed: 0, reset: 0 }, formatReport(report));
  assert.ok(report.answered > 100, 'the load was really there');
  return report;
}

async function deploy(service: TestService, load: Load, version: string): Promise<void> {
  service.version = version;
  load.expectAnyVersion();
  const { from, to } = await service.client.reload();
  assert.ok(to > from);
  load.expectVersion(version);
}

for (const workers of [1, 2]) {
  test(`twenty reloads in a row with ${workers} worker(s): no request fails, no idle client reconnects`, async () => {
    await withService({ workers, name: 'twenty' }, async (service) => {
      const report = await underLoad(service, async (load) => {
        for (let version = 2; version <= 21; version += 1) await deploy(service, load, String(version));
      });
      assert.equal(Object.keys(report.perVersion).length, 21);
    });
  });

  test(`rollbacks and reloads in turn with ${workers} worker(s): the right version answers, nothing fails`, async () => {
    await withService({ workers, name: 'turns' }, async (service) => {
      await underLoad(service, async (load) => {
        for (let round = 1; round <= 4; round += 1) {
          const versions = { old: String(round), new: String(round + 1) };
          await deploy(service, load, versions.new);
          for (const version of [versions.old, versions.new]) {
            load.expectAnyVersion();
            await service.client.rollback();
            load.expectVersion(version);
          }
        }
        assert.equal(service.lines.filter(({ event }) => event === 'starting').length, 5, 'a rollback starts nothing');
      });
    });
  });
}

test('a storm of reloads: one runs, each other gets one clear refusal, nothing fails', async () => {
  await withService({ name: 'storm' }, async (service) => {
    await underLoad(service, async () => {
      for (let round = 0; round < 4; round += 1) {
        const asked = Array.from({ length: 5 }, () => service.client.reload());
        const outcomes = await Promise.allSettled([...asked, service.client.rollback()]);
        const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
        assert.equal(outcomes.length - refused.length, 1);
        for (const reason of refused) {
          assert.ok(HandoverError.is(reason));
          assert.equal(reason.code, 'HANDOVER_ERR_REFUSED_BUSY');
          assert.notEqual(reason.active, null);
        }
      }
    });
  });
});
