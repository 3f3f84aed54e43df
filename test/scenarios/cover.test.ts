import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatReport, startLoad } from '../../bench/client/index.ts';
import { Talk } from './raw.ts';
import { waitFor, withService } from './service.ts';

test('the only worker is killed: the standby answers at once, and only what was in progress in the killed process is lost', async () => {
  await withService({ name: 'cover', keepWarm: 'forever' }, async (service) => {
    service.version = '2';
    await service.client.reload();
    const [victim] = await service.workers();
    assert.ok(victim);
    // Fresh connections only: each fails or succeeds by itself, and a killed process takes its own with it.
    const clients = { fresh: 6 };
    const load = startLoad({ target: { host: '127.0.0.1', port: service.port }, clients, freshPauseMs: 2 });
    await load.warm();
    const inProgress = clients.fresh;
    process.kill(victim.pid, 'SIGKILL');
    await service.line('covering');
    await service.line('cover-over');
    const report = await load.stop();
    const { reset, closedWithoutAnswer, cutShort, refused } = report.failures;
    assert.equal(refused, 0, formatReport(report));
    assert.equal(report.failed, reset + closedWithoutAnswer + cutShort, formatReport(report));
    assert.ok(report.failed <= inProgress, formatReport(report));
    assert.ok((report.perVersion['1'] ?? 0) > 0, 'the standby answered meanwhile');
    const { active, standby } = await service.client.status();
    assert.deepEqual([active?.generation, standby?.generation], [2, 1], 'nothing was rolled back');
    await waitFor(
      async () => (await service.client.status()).standby?.workers[0]?.state === 'paused',
      'the standby has paused'
    );
  });
});

test('connections that the standby took while it covered move to the replacement', async () => {
  await withService({ name: 'cover', keepWarm: 'forever' }, async (service) => {
    service.version = '2';
    await service.client.reload();
    const [victim] = await service.workers();
    assert.ok(victim);
    process.kill(victim.pid, 'SIGKILL');
    await service.line('covering');
    const talk = await Talk.open(service.port);
    talk.get('/answer');
    await talk.answer();
    await service.line('cover-over');
    await waitFor(
      async () => (await service.client.status()).standby?.workers[0]?.connections === 0,
      'the connection has moved'
    );
    talk.get('/answer');
    assert.equal((await talk.answer()).version, '2');
    talk.close();
  });
});
