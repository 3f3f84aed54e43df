import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { carryFor } from './carry.ts';
import type { Channel } from './channel.ts';
import { setWorkerGlobal } from './globals.ts';
import type { Affinity } from './routing/affinity.ts';
import type { WhileActiveTasks } from './while-active.ts';

interface Kept {
  /** What the app wants to run when the last of its requests is answered. */
  readonly lastRuns: Set<() => void | Promise<void>>;
  readonly whileActive: WhileActiveTasks;
  readonly affinity: Affinity | null;
}

/** Gives the app what it gets from `handover/worker`. */
export function openToApp(
  { worker, generation }: WorkerSettings,
  channel: Channel,
  { lastRuns, whileActive, affinity }: Kept
): void {
  setWorkerGlobal({
    worker,
    generation,
    ready: () => channel.send({ type: 'signal' }),
    onDrain: (run) => lastRuns.add(run) && (() => lastRuns.delete(run)),
    whileActive: (start) => whileActive.add(start),
    claim: (value) => affinity?.claim(value),
    carry: carryFor(() => channel.send({ type: 'carries' }))
  });
}
