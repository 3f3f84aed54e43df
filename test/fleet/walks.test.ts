import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Goal } from '../../src/fleet/rules/goal.ts';
import { abort, pause, resume, rollBack, startDeploy } from '../../src/fleet/rules/goal-changes.ts';
import { createRandom, pick, type Random } from '../support/random.ts';
import { SimulatedFleet, settled } from './simulated-fleet.ts';

const WALKS = 120;
const STEPS = 120;
const by = { user: 'op', host: 'desk', command: 'handover fleet deploy 2' };

test('whatever happens in whatever order, nobody deploys without a permit, no more are missing than may be, and there is an end', async () => {
  for (let seed = 1; seed <= WALKS; seed += 1) {
    const trace: string[] = [];
    try {
      await walk(createRandom(seed), trace);
    } catch (error) {
      throw new Error(`walk ${seed}: ${(error as Error).message}\n${trace.slice(-60).join('\n')}`, { cause: error });
    }
  }
});

async function walk(random: Random, trace: string[]): Promise<void> {
  const fleet = new SimulatedFleet(random);
  const count = 2 + Math.floor(random() * 4);
  for (let at = 0; at < count; at += 1) fleet.add(`web-${at}`);
  await calm(fleet, () => fleet.machines.every(({ member }) => member.state.joined), 'everybody to join', trace);
  const badShare = pick(random, [0, 0, 0.15, 0.5]) ?? 0;
  deploy(fleet, random);
  for (let step = 0; step < STEPS; step += 1) {
    act(fleet, random, badShare, trace);
    await settled();
    fleet.check();
  }
  // From here on everything is well.
  for (const machine of fleet.machines) if (!machine.isThere) machine.restart();
  if (fleet.goal?.state === 'paused') fleet.order((goal) => resume(goal as Goal, by));
  await calm(fleet, () => hasEnded(fleet), 'an end', trace);
}

/** Whether the deploy has come to an end, and every machine to what follows from it. */
function hasEnded(fleet: SimulatedFleet): boolean {
  const { goal, machines } = fleet;
  if (!goal || machines.some(({ handover }) => handover)) return false;
  if (goal.state === 'stopped' || goal.state === 'aborted') return true;
  if (goal.state !== 'done' && goal.state !== 'rolled-back') return false;
  return machines.every(({ label, member }) => {
    const wanted = goal.state === 'done' ? label === goal.release.label : label !== goal.release.label;
    return wanted || member.state.outcome?.phase === 'failed';
  });
}

function deploy(fleet: SimulatedFleet, random: Random): void {
  const machines = fleet.machines.map(({ id, label }) => ({ id, zone: null, label }));
  fleet.order((before) =>
    startDeploy(
      {
        ...{ id: `d${fleet.etcd.revision}`, label: pick(random, ['2', '3']) ?? '2', entry: '{label}.js', by },
        maxUnavailable: { machines: 1 + Math.floor(random() * 2) },
        canary: Math.floor(random() * 2.5),
        bakeMs: 5_000,
        failures: 1 + Math.floor(random() * 2),
        onFailure: pick(random, ['rollback', 'pause']) ?? 'pause'
      },
      before,
      machines
    )
  );
}

function act(fleet: SimulatedFleet, random: Random, badShare: number, trace: string[]): void {
  const { etcd, time, machines } = fleet;
  const say = (what: string) => trace.push(`${Math.round(time.now)} ${what}`);
  const drawn = random();
  if (drawn < 0.42) return arrive(fleet, random);
  if (drawn < 0.62) return void deliver(fleet, random);
  if (drawn < 0.78) return void time.pass();
  const machine = pick(random, machines);
  if (!machine) return;
  if (drawn < 0.9) {
    const isGood = random() >= badShare;
    if (machine.handover) say(`${machine.id} ${isGood ? 'is at' : 'rejects'} ${machine.handover.to}`);
    return machine.handover?.end(isGood);
  }
  if (drawn < 0.94) {
    const lost = pick(random, etcd.pending);
    if (!lost) return;
    etcd.pending = etcd.pending.filter((one) => one !== lost);
    const after = random() < 0.5;
    say(`${lost.client} loses ${after ? 'an answer' : 'a request'}`);
    return lost.fail(after);
  }
  if (drawn < 0.97) {
    say(`${machine.id} ${machine.isThere ? 'dies' : 'is back'}`);
    return machine.isThere ? machine.crash() : machine.restart();
  }
  const order = pick(random, [pause, resume, abort, rollBack, null]);
  try {
    if (order) fleet.order((goal) => order(goal as Goal, by));
    else deploy(fleet, random);
    say(`an order: ${order?.name ?? 'deploy'}, now ${fleet.goal?.state}`);
  } catch {
    // Refused as it stands.
  }
}

function arrive(fleet: SimulatedFleet, random: Random): void {
  const { etcd } = fleet;
  const next = pick(random, etcd.pending);
  if (!next) return void fleet.time.pass();
  etcd.pending = etcd.pending.filter((one) => one !== next);
  etcd.expire();
  next.arrive();
}

function deliver({ etcd }: SimulatedFleet, random: Random): boolean {
  const watching = pick(
    random,
    [...etcd.watches].filter(({ queue }) => queue.length > 0)
  );
  if (!watching) return false;
  const changes = watching.queue.splice(0);
  watching.onChanges(changes, changes.at(-1)?.modRevision ?? 0);
  return true;
}

/** Lets all that is on its way arrive, and time pass, until something holds. */
async function calm(fleet: SimulatedFleet, holds: () => boolean, what: string, trace: string[]): Promise<void> {
  const always = () => 0.5;
  for (let step = 0; step < 20_000; step += 1) {
    if (holds()) return;
    const { etcd, machines, time } = fleet;
    if (etcd.pending.length > 0) arrive(fleet, always);
    else if (!deliver(fleet, always)) {
      const busy = machines.find(({ handover }) => handover);
      if (busy) busy.handover?.end(true);
      else time.pass();
    }
    await settled();
    fleet.check();
  }
  const shown = fleet.machines.map(({ id, label, member: { state } }) => {
    const { joined, queued, slot, inQueue, outcome, asking, deed, troubled, found, left } = state;
    return `${id} ${label} ${JSON.stringify({ joined, queued, slot, inQueue, outcome, asking, deed, troubled, found, left })}`;
  });
  assert.fail(
    `${what} never came: ${JSON.stringify(fleet.goal)}\n${shown.join('\n')}\n${[...fleet.etcd.kvs.keys()].join('\n')}\n${trace.length}`
  );
}
