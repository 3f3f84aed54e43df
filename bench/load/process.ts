import type { Beside } from './connection.ts';
import { flood, fresh, pace, touch } from './patterns.ts';
import { Pool } from './pool.ts';

// The load as a process of its own. It does what it is told over IPC, and leaves when its starter is gone.

/** What the load can be told to do. `name` is a pool that was opened before. */
export type LoadCommand =
  | {
      readonly do: 'open';
      readonly name: string;
      readonly port: number;
      readonly connections: number;
      readonly users: number;
      readonly beside: Beside | null;
    }
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

function execute(command: LoadCommand): unknown {
  switch (command.do) {
    case 'open': {
      const pool = new Pool(command.port, command.connections, command.users, command.beside);
      pools.set(command.name, pool);
      return touch(pool);
    }
    case 'close':
      poolCalled(command.name).close();
      return pools.delete(command.name);
    case 'touch':
      return touch(poolCalled(command.name));
    case 'flood':
      return flood(poolCalled(command.name), command.ms);
    case 'pace':
      return pace(poolCalled(command.name), command.rate, command.ms);
    case 'fresh':
      return fresh(command.port, command.ms, command.together);
  }
}

process.on('message', async ({ id, command }: { id: number; command: LoadCommand }) => {
  try {
    process.send?.({ id, result: await execute(command) });
  } catch (error) {
    process.send?.({ id, failure: String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.('ready');
