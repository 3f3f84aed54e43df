import { setTimeout as delay } from 'node:timers/promises';
import { Etcd } from '../../src/fleet/etcd/etcd.ts';
import { CLOCK, type FleetPorts, type Seen } from '../../src/fleet/fleet-ports.ts';
import { Member } from '../../src/fleet/member.ts';

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

function createPorts(id: string, { fromMs, toMs }: Wanted, onJoined: () => void): FleetPorts {
  let seen: Seen = {
    ...{ label: '1', generation: 1, standby: null, ready: true, busy: false },
    ...{ verdict: null, drained: null, state: 'steady', addresses: [`${id}:443`] }
  };
  const listeners = new Set<() => void>();
  const set = (changes: Partial<Seen>) => {
    seen = { ...seen, ...changes };
    for (const listener of listeners) listener();
  };
  return {
    ...{ folder: '/srv/shop', host: id, socket: '/run/shop.sock' },
    look: () => seen,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reload: async ({ label = null }) => {
      const { generation: from, label: standby } = seen;
      set({ busy: true, state: 'starting' });
      await delay(fromMs + Math.random() * (toMs - fromMs));
      const to = (from ?? 0) + 1;
      set({ busy: false, state: 'steady', label, generation: to, standby: { label: standby }, verdict: 'kept' });
      return { to } as never; // nobody asks for the rest of it here
    },
    rollback: async () => {},
    abort: async () => {},
    fetch: async () => ({ ok: true }),
    announce: ({ event }) => {
      if (event === 'fleet-joined') onJoined();
      if (event === 'fleet-lost') lost += 1;
    }
  };
}

async function join(wanted: Wanted): Promise<void> {
  const { endpoint, machines } = wanted;
  const store = { endpoints: [endpoint], user: null, password: null, ca: null, cert: null, key: null };
  let next = 1;
  const joinOne = () =>
    new Promise<void>((joined) => {
      const id = `m${String(next).padStart(5, '0')}`;
      next += 1;
      const etcd = new Etcd(store);
      stores.push(etcd);
      new Member({ service: 'shop', machine: id, zone: null }, createPorts(id, wanted, joined), etcd, CLOCK).begin();
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
