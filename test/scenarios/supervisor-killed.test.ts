import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Status } from '../../src/core/status.ts';
import type { StrategyName } from '../../src/options/strategies.ts';
import { createRandom } from '../support/random.ts';
import { isAlive } from '../support/wait.ts';
import { TestService, waitFor } from './service.ts';
import { describe } from './stage.ts';
import { Traffic } from './traffic.ts';

// Kill -9 of the supervisor at any moment, and another start: no client notices, and the service goes on.

// However slow the machine is, an idle connection is not ended by the app.
process.env.KEEP_ALIVE_MS = '120000';

/** As many moments as this are tried; each takes a few seconds. */
const MOMENTS = Number(process.env.HANDOVER_SWEEP ?? 11);
/** Longer than any start takes, shorter than what a test waits for. */
const ORPHAN = '20s';
const AGAIN_MS = [0, 100, 2_000];

/** `bake` is a reload that has ended, and is being watched. */
type Order = 'reload' | 'rollback' | 'scale' | 'stop' | 'bake' | 'nothing';
const PLAYS: readonly [strategy: StrategyName, workers: number, order: Order, withinMs: number][] = [
  ['blue-green', 2, 'reload', 900],
  ['blue-green', 1, 'reload', 700],
  ['rolling', 2, 'reload', 1_500],
  ['exclusive', 2, 'reload', 900],
  ['blue-green', 2, 'rollback', 30],
  ['exclusive', 1, 'rollback', 60],
  ['blue-green', 1, 'scale', 600],
  ['in-place', 2, 'reload', 1_500],
  ['blue-green', 2, 'bake', 1_900],
  ['blue-green', 2, 'stop', 300],
  ['blue-green', 2, 'nothing', 50]
];

const random = createRandom(13);

for (let moment = 0; moment < MOMENTS; moment += 1) {
  const [strategy, workers, order, withinMs] = PLAYS[moment % PLAYS.length] ?? ['blue-green', 1, 'nothing', 0];
  const afterMs = Math.round(random() * withinMs);
  const againMs = AGAIN_MS[moment % AGAIN_MS.length] ?? 0;
  const what = `${order} under ${strategy}, ${workers} worker(s), killed after ${afterMs} ms, started again after ${againMs}`;
  test(`moment ${moment}: ${what}`, async (t) => {
    const service = new TestService({ strategy, workers, bake: '2s', keepWarm: 'forever', orphanTimeout: ORPHAN });
    const { socket } = service;
    const pids = new Set<number>();
    let again: TestService | null = null;
    try {
      await service.started();
      service.version = '2';
      if (order === 'rollback' || order === 'bake') await service.client.reload();
      remember(await service.client.status(), pids);
      // Who is there while it stops is refused, whoever is killed.
      const traffic = order === 'stop' ? null : await new Traffic(service.port).begin(4, 2, 6);
      const given = give(service, order, workers);
      await delay(afterMs);
      remember(await service.client.status().catch(() => null), pids);
      service.process.kill('SIGKILL');
      await Promise.all([given, service.exited()]);
      await delay(againMs);
      again = new TestService({
        ...{ strategy, workers, bake: '2s', keepWarm: 'forever', orphanTimeout: ORPHAN, socket },
        env: { ...process.env, VERSION_FILE: `${service.folder}/version` }
      });
      await again.started();
      const status = await atRest(again);
      remember(status, pids);
      await delay(100);
      await traffic?.end();
      assert.deepEqual(traffic?.failures ?? [], [], `of ${traffic?.answers} answers; after it ${describe(status)}`);
      assert.ok(!traffic || traffic.answers > 20);
      const adopted = again.lines.filter(({ event }) => event === 'adopted').length;
      if (traffic) assert.equal(adopted, 1);
      // It goes on: another version, and back.
      const active = status.active?.generation ?? 0;
      const done = await again.client.reload();
      assert.ok(done.to > active);
      const { to } = await again.client.rollback();
      // In place nothing is kept: the version before is started again.
      assert.ok(strategy === 'in-place' ? to > done.to : to === active);
      remember(await again.client.status(), pids);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${describeLog(service, again)}`);
    } finally {
      await again?.end();
      await service.end();
    }
    // A worker that no supervisor knows ends by itself when the orphan timeout is over.
    const left = () => [...pids].filter(isAlive);
    await delay(2_000);
    for (const pid of left()) t.diagnostic(`still there after 2 s: ${tell(pid)}; ${describeLog(service, again)}`);
    await waitFor(
      async () => left().length === 0,
      () => `no process is left; ${left().map(tell)}`
    );
  });
}

async function give({ client }: TestService, order: Order, workers: number): Promise<void> {
  const give: Record<Order, () => Promise<unknown> | null> = {
    reload: () => client.reload(),
    rollback: () => client.rollback(),
    scale: () => client.scale(workers + 1),
    stop: () => client.stop(),
    bake: () => null,
    nothing: () => null
  };
  await give[order]()?.catch(() => {}); // the supervisor may be gone before it answers
}

/** Waits until nothing is in progress and every worker is where it belongs. */
async function atRest(service: TestService): Promise<Status> {
  let status = await service.client.status();
  await waitFor(
    async () => {
      status = await service.client.status();
      const { active, retiring, phase } = status;
      const accepts = active?.workers.every(({ state }) => state === 'accepting') === true;
      return phase === 'steady' && accepts && retiring.length === 0;
    },
    () => `the service is at rest; it is ${describe(status)}`
  );
  return status;
}

function describeLog(service: TestService, again: TestService | null): string {
  const lines = [...service.lines, { event: '---' }, ...(again?.lines ?? [])].map((line) => JSON.stringify(line));
  const noise = [...service.noise, ...(again?.noise ?? [])].slice(-20);
  return [...lines, ...noise].join('\n');
}

/** What a process is that should be gone. */
function tell(pid: number): string {
  try {
    const state = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').slice(0, 7).join(' ');
    return `${state}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
  } catch (error) {
    return `${pid}: ${(error as Error).message}`; // it has gone just now
  }
}

function remember(status: Status | null, pids: Set<number>): void {
  const all = status ? [status.active, status.standby, status.candidate, ...status.retiring] : [];
  for (const { pid } of all.flatMap((one) => one?.workers ?? [])) if (pid !== null) pids.add(pid);
}

function delay(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
