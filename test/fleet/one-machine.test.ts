import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showMachine } from '../../src/cli/fleet/follow-deploy.ts';
import { Deeds } from '../../src/fleet/deeds.ts';
import { startDeploy } from '../../src/fleet/rules/goal-changes.ts';
import { createMember, type MemberState } from '../../src/fleet/rules/member-state.ts';
import { step } from '../../src/fleet/rules/member-step.ts';
import type { MachineRecord } from '../../src/fleet/rules/records.ts';
import { phaseOf } from '../../src/fleet/rules/target.ts';
import { Home } from '../cli/run.ts';
import { skipWithoutEtcd, startEtcd } from '../support/etcd.ts';
import { until } from '../support/wait.ts';

const by = { user: 'op', host: 'desk', command: 'handover fleet deploy 43' };
const order = { id: 'd1', label: '43', entry: '{label}.js', by };
const goal = { ...startDeploy(order, null, [{ id: 'web-1', zone: null, label: '42' }]), state: 'done' } as const;
const running = { label: '43', generation: 2, standby: null, ready: true, busy: false };

/** Lets a machine learn something, and whatever it writes then be written. */
function settled(state: MemberState, event: Parameters<typeof step>[1]): MemberState {
  let { state: next } = step(state, event);
  while (next.asking?.ask === 'settle')
    ({ state: next } = step(next, { type: 'answered', answer: { to: 'settle', done: true } }));
  return next;
}

test('a machine that runs something else by hand says so, and is deployed again once it is back by hand', () => {
  const member = { ...createMember({ id: 'web-1', zone: null }), running };
  const joins = { goal: { doc: goal, revision: 7 }, outcome: null, slot: null, queued: null, machines: 3 };
  const there = settled(member, { type: 'joined', ...joins });
  assert.equal(phaseOf(there).phase, 'deployed');

  const away = settled(there, { type: 'running', running: { ...running, label: '44', generation: 3 } });
  assert.deepEqual(phaseOf(away), {
    phase: 'by-hand',
    why: 'it runs 44 by an order on this machine, and the fleet leaves it so: hand over to 43 there, or deploy to the fleet, to bring it back'
  });
  assert.deepEqual([away.deed, away.slot], [null, null]);

  const back = settled(away, { type: 'running', running: { ...running, generation: 4 } });
  assert.deepEqual(phaseOf(back), { phase: 'deployed', why: null });
});

test('a machine that hears of a new goal only when it comes back is not taken for one that was handed over by hand', () => {
  const member = { ...createMember({ id: 'web-1', zone: null }), running };
  const joins = { goal: { doc: goal, revision: 7 }, outcome: null, slot: null, queued: null, machines: 3 };
  const away = settled(settled(member, { type: 'joined', ...joins }), { type: 'lease-lost' });
  const next = startDeploy({ ...order, id: 'd2', label: '44' }, goal, [{ id: 'web-1', zone: null, label: '43' }]);

  const back = settled(away, { type: 'joined', ...joins, goal: { doc: next, revision: 9 } });

  assert.equal(back.asking?.ask, 'enqueue');
  assert.equal(back.outcome, null);
});

test('a machine that was deployed and is being stopped is not said to run anything', () => {
  const record = { machine: 'web-1', phase: 'deployed', label: '43', state: 'steady', why: null } as MachineRecord;

  assert.equal(showMachine(record), 'web-1  deployed (43)');
  assert.equal(showMachine({ ...record, label: null, state: 'stopping' }), 'web-1  stopping');
});

test('a machine that is stopped before there was a verdict has failed, whatever its reload was answered', async () => {
  const ports = {
    folder: '/srv',
    reload: async () => ({ verdict: { decision: 'keep', reason: 'the supervisor was asked to stop' } }),
    look: () => ({ ...running, generation: null, label: null })
  };
  const deed = { do: 'deploy', deploy: 'd1', attempt: 1, way: 'forth', from: 1, to: null } as const;
  const result = await new Deeds(ports as never).perform(deed, goal);

  assert.deepEqual(
    [result.ok, !result.ok && result.why],
    [false, 'the machine was stopped before there was a verdict']
  );
});

test('what an operator is told of one machine: that it runs the label already, is drained, runs another by hand, was stopped', {
  skip: skipWithoutEtcd
}, async (t) => {
  const home = new Home(t);
  const { endpoint } = await startEtcd(t);
  const where = ['--etcd', endpoint, '--service', 'shop'];
  const fleet = (...args: string[]) => home.handover('fleet', ...args, ...where);
  const status = async () => {
    const { answer } = await home.json('fleet', 'status', ...where);
    return (answer.machines as MachineRecord[])[0];
  };
  await home.run('server.js', '--label', '1', '--bake', '1m', '--machine', 'm1', ...where);
  await until(async () => (await status()) !== undefined, 'a machine that has joined');

  const again = await fleet('deploy', '1');
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^Release 1 runs on every machine already: nothing is handed over\. A new build needs/m);

  await home.handover('drain', '--for', '10m');
  await until(async () => (await status())?.drained != null, 'a line that says that it is drained');
  assert.match(
    (await fleet('status')).stdout,
    /^m1 .* drained +it was drained by \S+ until \S+Z, and comes back with/m
  );

  await home.handover('reload', '--label', 'mine');
  await until(async () => (await status())?.phase === 'by-hand', 'a line that says what it runs by hand');
  assert.match((await fleet('status')).stdout, /^m1 .* by-hand +mine .* it runs mine by an order on this machine/m);

  const deploys = home.start(['fleet', 'deploy', '2', '--on-failure', 'pause', ...where]);
  await until(async () => (await home.status()).bake?.generation === 3, 'the bake of release 2');
  await home.handover('stop');
  const { code, stdout, stderr } = await deploys.ended();
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /null/);
  assert.match(stderr, /m1 failed: the machine was stopped before there was a verdict/);

  for (const order of [
    ['rollback', '--no-wait'],
    ['deploy', '3']
  ]) {
    const refused = await fleet(...order);
    assert.deepEqual([refused.code, /no machine of this service is registered/.test(refused.stderr)], [3, true]);
  }
});
