import { keysOf } from '../../src/fleet/keys.ts';
import { Member } from '../../src/fleet/member.ts';
import { readGoal, writeGoal } from '../../src/fleet/rules/goal.ts';
import { startDeploy } from '../../src/fleet/rules/goal-changes.ts';
import { sum } from '../rig/statistics.ts';
import { CountingStore } from './counting-store.ts';
import { AT_ONCE, DEPLOY_MS, SIZES } from './fleet.ts';
import type { Part, Row } from './part.ts';
import { createPorts, nameMachine } from './simulated-supervisor.ts';
import { Time } from './simulated-time.ts';

const JOIN_EVERY_MS = 10;
const IDLE_MS = 30_000;

/** What a fleet asks, second by second, where nothing lets it wait: the same figures on a machine of any speed. */
export const fleetCounted: Part = {
  name: 'fleet-counted',
  about: 'the same machines in simulated time, without an etcd: what each second would bring to it',
  async run({ quick, progress }) {
    const rows: Row[] = [];
    for (const size of quick ? SIZES.slice(0, 3) : SIZES) {
      progress(`${size} machines, counted`);
      rows.push(await measure(size));
    }
    return {
      rows,
      notes: ['All is at hand after 4 ms. Deploys, permits and columns are those of the table before.']
    };
  }
};

async function measure(machines: number): Promise<Row> {
  const time = new Time();
  const counting = new CountingStore(time);
  let joined = 0;
  const members: Member[] = [];
  const all = Array.from({ length: machines }, (_, at) => ({ id: nameMachine(at + 1), zone: null, label: '1' }));
  all.forEach(({ id }, at) => {
    time.after(at * JOIN_EVERY_MS, () => {
      const onJoined = () => {
        joined += 1;
      };
      const wanted = { fromMs: DEPLOY_MS.from, toMs: DEPLOY_MS.to, clock: time.clock, onJoined, onLost: () => {} };
      const place = { service: 'shop', machine: id, zone: null };
      const member = new Member(place, createPorts(id, wanted), counting.store, time.clock);
      members.push(member);
      member.begin();
    });
  });
  await time.until(() => joined === machines);
  await time.pass(1_000 - (time.now % 1_000));
  const idleFrom = Math.round(time.now / 1_000);
  await time.pass(IDLE_MS);
  const from = Math.round(time.now / 1_000);
  const told = counting.messages;
  const { goal } = keysOf('shop');
  const atOnce = Math.max(1, Math.floor(machines / AT_ONCE));
  const by = { user: 'bench', host: 'bench', command: 'handover fleet deploy 2' };
  const order = { id: 'bench', label: '2', entry: 'releases/{label}/server.js', by };
  const doc = startDeploy({ ...order, maxUnavailable: { machines: atOnce } }, null, all);
  counting.change({ success: [{ put: goal, value: writeGoal(doc) }] });
  await time.until(() => readGoal(counting.read(goal)?.value ?? '').state === 'done');
  const seconds = time.now / 1_000 - from;
  const between = (first: number, end = counting.perSecond.length) =>
    Array.from({ length: end - first }, (_, at) => counting.perSecond[first + at] ?? 0);
  const during = between(from);
  const requests = sum(during);
  void Promise.all(members.map((member) => member.close()));
  return {
    machines,
    'at once': atOnce,
    'deploy s': seconds,
    'rounds s': (Math.ceil(machines / atOnce) * (DEPLOY_MS.from + DEPLOY_MS.to)) / 2_000,
    'idle: requests/s': sum(between(idleFrom, from)) / (IDLE_MS / 1_000),
    'deploy: requests/s': requests / seconds,
    'most in 1 s': Math.max(...during),
    'requests each': requests / machines,
    'watch messages each': (counting.messages - told) / machines
  };
}
