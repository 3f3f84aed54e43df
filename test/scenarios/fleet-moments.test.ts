import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Load } from '../../bench/client/index.ts';
import { agentStatus } from '../../bench/fleet/proxy.ts';
import { type Goal, readGoal } from '../../src/fleet/rules/goal.ts';
import { createRandom } from '../support/random.ts';
import { until } from '../support/wait.ts';
import {
  allServe,
  CLIENTS,
  prepareFleet,
  type Stage,
  skipWithoutEngines as skip,
  underLoad
} from './fleet-machines.ts';

// Kill -9 at any moment of a fleet's deploy: it comes to an end that is one, and goes on from there.

const ENTRY = ['--entry', 'releases/{label}/app.mjs'];
/** As many moments as this are tried; each takes some seconds. */
const MOMENTS = Number(process.env.HANDOVER_FLEET_MOMENTS ?? 3);
/** About what a deploy of three machines takes. */
const WITHIN_MS = 4_000;
/** Of so many moments one is counted from when the order is given; all others from when it is written down. */
const AS_ORDERED = 6;
const AGAIN_MS = [0, 300, 2_000];
const VICTIMS = ['supervisor', 'worker', 'etcd'] as const;
type Victim = (typeof VICTIMS)[number];
/** What a worker was answering fails with it: no more than what all clients ask at once. */
const IN_FLIGHT = Object.values(CLIENTS).reduce((sum, count) => sum + count, 0);

test('killed at any moment of a deploy, whoever it is, the fleet comes to an end, and nothing fails but what a killed worker was answering', {
  skip
}, async (t) => {
  const stage = await prepareFleet(t);
  const { fleet } = stage;
  await fleet.start();
  await underLoad(t, fleet, async (load) => {
    await t.test('HAProxy cannot ask one machine, and a worker of another is killed: the deploy goes on', () =>
      troubled(stage, load)
    );
    const random = createRandom(29);
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const victim = VICTIMS[moment % VICTIMS.length] ?? 'etcd';
      const name = `m${1 + Math.floor(random() * 3)}`;
      const afterMs = Math.round(random() * WITHIN_MS);
      const againMs = AGAIN_MS[Math.floor(random() * AGAIN_MS.length)] ?? 0;
      const where = victim === 'etcd' ? '' : ` of ${name}`;
      await t.test(
        `moment ${moment}: ${victim}${where} killed after ${afterMs} ms, again there after ${againMs}`,
        (t) =>
          oneMoment(t, stage, load, {
            ...{ victim, name, afterMs, againMs },
            ...{ label: `${moment + 3}`, asOrdered: moment % AS_ORDERED === AS_ORDERED - 1 }
          })
      );
    }
  });
});

async function troubled({ fleet }: Stage, load: Load): Promise<void> {
  const [m2, m3] = [fleet.machine('m2'), fleet.machine('m3')];
  fleet.releases.add('2');
  const letGo = fleet.releases.hold('m2', '2');
  const command = fleet.begin('deploy', '2', ...ENTRY);
  await m2.child.line('"event":"starting","generation":2');
  m3.child.signal('SIGSTOP');
  const status = () => agentStatus(fleet.folder, 'm3');
  await until(async () => /TOUT/.test(await status()), 'HAProxy to miss the answers of m3');
  m3.child.signal('SIGCONT');
  await until(async () => /OK/.test(await status()), 'HAProxy to hear of m3 again');
  assert.equal(load.counts().failed, 0);

  const [killed] = (await m2.status()).active?.workers ?? [];
  process.kill(killed?.pid ?? assert.fail('m2 has no worker'), 'SIGKILL');
  await until(async () => {
    const [worker] = (await m2.status()).active?.workers ?? [];
    return worker?.state === 'accepting' && worker.pid !== killed?.pid;
  }, 'another worker of m2');
  letGo();
  assert.equal(await command.exit(), 0, command.lines.join('\n'));
  await allServe(fleet, '2');
  assert.ok(load.counts().failed <= IN_FLIGHT);
}

interface Moment {
  readonly victim: Victim;
  readonly name: string;
  readonly afterMs: number;
  readonly againMs: number;
  readonly label: string;
  readonly asOrdered: boolean;
}

async function oneMoment(t: TestContext, stage: Stage, load: Load, moment: Moment): Promise<void> {
  const { fleet, etcd } = stage;
  const { victim, name, afterMs, label, asOrdered } = moment;
  const failedBefore = load.counts().failed;
  const said = fleet.machines.map(({ child }) => child.lines.length);
  fleet.releases.add(label);
  const command = fleet.begin('deploy', label);
  try {
    if (!asOrdered)
      await until(async () => (await readCurrent(stage))?.release.label === label, 'the order to be written');
    await delay(afterMs);
    await kill(stage, moment);
    const code = await command.exit();
    const goal = await atEnd(stage);
    const isIts = goal.release.label === label;
    // An etcd that is killed before the order is written down is one that cannot be ordered anything.
    if (!isIts) assert.ok(victim === 'etcd' && code !== 0, `exit code ${code}`);
    else if (victim !== 'worker') assert.equal(goal.state, 'done');
    // Whoever gave the order may not have heard that it was written down.
    if (isIts && victim !== 'etcd') assert.equal(code, goal.state === 'done' ? 0 : 1);
    const expected = goal.state === 'done' ? goal.release.label : (goal.previous?.label ?? '');
    await allServe(fleet, expected);
    for (const prefix of ['permits', 'queue'])
      await until(
        async () => (await etcd.range(`/handover/shop/${prefix}/`)).count === 0,
        `nothing to be left under ${prefix}/`
      );
    const failed = load.counts().failed - failedBefore;
    assert.ok(failed <= (victim === 'worker' ? IN_FLIGHT : 0), `${failed} failed`);
    t.diagnostic(`${goal.release.label} ${goal.state}, exit code ${code}, ${failed} failed`);
  } catch (error) {
    const logs = fleet.machines.map(
      ({ name, child }, at) => `--- ${name}\n${child.lines.slice(child.isOver ? 0 : said[at]).join('\n')}`
    );
    throw new Error(
      `${name}: ${(error as Error).message}\n--- deploy\n${command.lines.join('\n')}\n${logs.join('\n')}`
    );
  }
}

async function kill({ fleet, server }: Stage, { victim, name, againMs }: Moment): Promise<void> {
  const machine = fleet.machine(name);
  if (victim === 'worker') {
    const { active, candidate } = await machine.status();
    // The one that is newest: of the candidate, where there is one.
    const [worker] = (candidate ?? active)?.workers ?? [];
    if (worker?.pid) process.kill(worker.pid, 'SIGKILL');
    return;
  }
  if (victim === 'etcd') await server.kill();
  else await machine.child.end('SIGKILL');
  await delay(againMs);
  await (victim === 'etcd' ? server : machine).start();
}

/** Waits until the deploy is over. */
async function atEnd(stage: Stage): Promise<Goal> {
  let goal: Goal | null = null;
  await until(
    async () => {
      goal = await readCurrent(stage);
      return goal !== null && (goal.state === 'done' || goal.state === 'rolled-back');
    },
    () => `the deploy to end; it is ${JSON.stringify(goal)}`
  );
  return goal ?? assert.fail('there is no goal');
}

async function readCurrent({ etcd }: Stage): Promise<Goal | null> {
  const found = await etcd.get('/handover/shop/goal');
  return found && readGoal(found.value);
}
