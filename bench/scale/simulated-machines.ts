import { Etcd } from '../../src/fleet/etcd/etcd.ts';
import { CLOCK } from '../../src/fleet/fleet-ports.ts';
import { Member } from '../../src/fleet/member.ts';
import { createPorts, nameMachine } from './simulated-supervisor.ts';

// Many machines in a process of its own: the fleet's own code over a real etcd. Only the supervisor is made up: it has deployed after a
// time that is drawn. It leaves when its starter is gone.

/** So many register at once, so that etcd is not measured by its start. */
const JOINING_TOGETHER = 20;

export interface Wanted {
  readonly endpoint: string;
  readonly machines: number;
  /** What a deploy of one machine takes. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What all machines have asked and heard so far. */
export interface Sums {
  readonly requests: number;
  readonly watches: number;
  readonly messages: number;
  readonly bytes: number;
  readonly rssBytes: number;
  /** How many were registered, and are no more. */
  readonly lost: number;
  /** What the process was busy for, in microseconds. */
  readonly cpuMicros: number;
}

const stores: Etcd[] = [];
let lost = 0;

const onLost = () => {
  lost += 1;
};

async function join(wanted: Wanted): Promise<void> {
  const { endpoint, machines, fromMs, toMs } = wanted;
  const store = { endpoints: [endpoint], user: null, password: null, ca: null, cert: null, key: null };
  let next = 1;
  const joinOne = () =>
    new Promise<void>((joined) => {
      const id = nameMachine(next);
      next += 1;
      const etcd = new Etcd(store);
      stores.push(etcd);
      new Member(
        { service: 'shop', machine: id, zone: null },
        createPorts(id, { fromMs, toMs, clock: CLOCK, onJoined: joined, onLost }),
        etcd,
        CLOCK
      ).begin();
    });
  const keepJoining = async () => {
    while (next <= machines) await joinOne();
  };
  await Promise.all(Array.from({ length: JOINING_TOGETHER }, keepJoining));
}

function sum(): Sums {
  const { user, system } = process.cpuUsage();
  const all = { requests: 0, watches: 0, messages: 0, bytes: 0 };
  for (const { counts } of stores) {
    all.requests += counts.requests;
    all.watches += counts.watches;
    all.messages += counts.messages;
    all.bytes += counts.bytes;
  }
  return { ...all, lost, rssBytes: process.memoryUsage.rss(), cpuMicros: user + system };
}

process.on('message', async (order: Wanted | 'sum') => {
  if (order === 'sum') return process.send?.(sum());
  await join(order);
  process.send?.('joined');
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.('ready');
