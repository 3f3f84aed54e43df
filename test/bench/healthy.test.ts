import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatReport, type Load, startLoad } from '../../bench/client/index.ts';
import { CLIENT_KINDS, type ClientKind, RECONNECT_CAUSES, recordOf } from '../../bench/client/model.ts';
import { startApp } from './app.ts';
import { until } from './waiting.ts';

const everyKind = {
  clients: recordOf(CLIENT_KINDS, () => 2),
  idleEveryMs: 200,
  busyPauseMs: 1,
  halfHeadMaxMs: 100
};
const none = recordOf(CLIENT_KINDS, () => recordOf(RECONNECT_CAUSES, () => 0));

/** Waits until each kind has been answered so often that what it does every other time was done too. */
async function eachKindAnswered(load: Load, times: number): Promise<void> {
  const answered = (kind: ClientKind) => load.counts().perClient[kind].answered;
  await until(() => CLIENT_KINDS.every((kind) => answered(kind) >= times), `${times} answers for every kind of client`);
}

test('a healthy server loses nothing, and nobody reconnects', async (t) => {
  const app = await startApp();
  t.after(app.kill);
  const load = startLoad({ target: app.target, ...everyKind });
  t.after(() => load.stop());
  await load.warm();
  load.expectVersion('1', { graceMs: 0 });
  const fromMs = load.mark('warm');
  await eachKindAnswered(load, 4);
  const toMs = load.mark('enough');
  const report = await load.stop();

  assert.deepEqual(report.examples, []);
  assert.equal(report.failed, 0);
  assert.equal(report.sent, report.answered);
  assert.deepEqual(report.perVersion, { 1: report.answered });
  assert.deepEqual(report.reconnects, none);
  for (const kind of CLIENT_KINDS) {
    const { clients, connections, sent } = report.perClient[kind];
    assert.equal(connections, kind === 'fresh' ? sent : clients, `connections of ${kind}`);
  }
  assert.equal(report.latency.count, report.answered);
  const between = report.latencyBetween(fromMs, toMs, ['slow']);
  assert.ok(between.count >= 4 && between.count <= report.perClient.slow.answered);
  const { buckets, marks } = report.timeline;
  assert.equal(
    buckets.reduce((sum, { answered }) => sum + answered, 0),
    report.answered
  );
  assert.deepEqual(marks, [
    { name: 'warm', atMs: fromMs },
    { name: 'enough', atMs: toMs }
  ]);
  assert.match(formatReport(report), /^\d+ sent = \d+ answered \+ 0 failed/);
});

test('a service on a unix socket, whose version is in a file, is loaded the same way', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'load-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'app.sock');
  await writeFile(join(folder, 'version'), 'blue\n');
  const app = await startApp({ PORT: path, VERSION_FILE: join(folder, 'version') });
  t.after(app.kill);
  const load = startLoad({ target: { path }, ...everyKind });
  t.after(() => load.stop());
  await load.warm();
  const report = await load.stop();

  assert.equal(app.output, path);
  assert.deepEqual(report.examples, []);
  assert.deepEqual(report.perVersion, { blue: report.sent });
  assert.deepEqual(report.reconnects, none);
});

test('a server that dies under load is found out, and the books still balance', async (t) => {
  const app = await startApp();
  t.after(app.kill);
  const load = startLoad({ target: app.target, ...everyKind });
  t.after(() => load.stop());
  await load.warm();
  await app.kill();
  await until(() => load.counts().failures.refused > 0, 'a refused connection');
  const report = await load.stop();

  // Slow answers and half-sent heads were under way for sure: they are lost, besides those refused later.
  assert.ok(report.failures.reset + report.failures.closedWithoutAnswer + report.failures.cutShort > 0);
  assert.equal(report.sent, report.answered + report.failed);
  assert.equal(report.examples.length, Math.min(20, report.failed));
});
