import { Pool } from './pool.ts';
import { flood, fresh, pace, touch } from './ways.ts';

// The load as a process of its own. It does what it is told over IPC, and leaves when its starter is gone.

/** What the load can be told to do. `name` is a pool that was opened before. */
export type Order =
  | { readonly do: 'open'; readonly name: string; readonly port: number; readonly connections: number }
  | { readonly do: 'touch' | 'close'; readonly name: string }
  | { readonly do: 'flood'; readonly name: string; readonly ms: number }
  | { readonly do: 'pace'; readonly name: string; readonly rate: number; readonly ms: number }
  | { readonly do: 'fresh'; readonly port: number; readonly ms: number; readonly together: number };

const pools = new Map<string, Pool>();

function poolCalled(name: string): Pool {
  const pool = pools.get(name);
  if (!pool) throw new Error(`no pool is called ${name}`);
  return pool;
}

function obey(order: Order): unknown {
  switch (order.do) {
    case 'open': {
      const pool = new Pool(order.port, order.connections);
      pools.set(order.name, pool);
      return touch(pool);
    }
    case 'close':
      poolCalled(order.name).close();
      return pools.delete(order.name);
    case 'touch':
      return touch(poolCalled(order.name));
    case 'flood':
      return flood(poolCalled(order.name), order.ms);
    case 'pace':
      return pace(poolCalled(order.name), order.rate, order.ms);
    case 'fresh':
      return fresh(order.port, order.ms, order.together);
  }
}

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  try {
    process.send?.({ id, result: await obey(order) });
  } catch (error) {
    process.send?.({ id, failure: String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.('ready');
