import type { Clock, FleetPorts, Seen } from '../../src/fleet/fleet-ports.ts';

/** What a made-up supervisor is to do. */
export interface SupervisorWanted {
  /** What a deploy takes: a time that is drawn from these. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly clock: Clock;
  onJoined(): void;
  onLost(): void;
}

/** A machine as its fleet sees it, whose supervisor is made up: it has deployed after a time that is drawn. */
export function createPorts(id: string, { fromMs, toMs, clock, onJoined, onLost }: SupervisorWanted): FleetPorts {
  let seen: Seen = {
    ...{ label: '1', generation: 1, standby: null, ready: true, busy: false },
    ...{ verdict: null, state: 'steady', addresses: [`${id}:443`], drained: null }
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
      await new Promise<void>((done) => {
        clock.after(fromMs + clock.draw() * (toMs - fromMs), done);
      });
      const to = (from ?? 0) + 1;
      set({ busy: false, state: 'steady', label, generation: to, standby: { label: standby }, verdict: 'kept' });
      return { to } as never; // nobody asks for the rest of it here
    },
    rollback: async () => {},
    abort: async () => {},
    fetch: async () => ({ ok: true }),
    announce: ({ event }) => {
      if (event === 'fleet-joined') onJoined();
      if (event === 'fleet-lost') onLost();
    }
  };
}

/** As machines are called here. */
export const nameMachine = (at: number) => `m${String(at).padStart(5, '0')}`;
