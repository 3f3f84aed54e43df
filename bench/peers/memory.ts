import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '../load/patterns.ts';
import { median, sum } from '../rig/statistics.ts';
import { withDescendants } from './process-tree.ts';
import type { SystemResult } from './result.ts';
import type { PeersContext, Session } from './session.ts';

const EVERY_MS = 50;
const REST_MS = 400;
/** After the deploy, for what the old version leaves behind. */
const AFTER_MS = 1_500;

/** What all processes of a system hold together, at rest and while it deploys; null where /proc does not tell. */
export async function measureMemory(session: Session, { progress }: PeersContext): Promise<SystemResult['memory']> {
  progress('memory over a deploy');
  const samples: { at: number; bytes: number }[] = [];
  let over = false;
  const sampling = (async () => {
    while (!over) {
      const bytes = bytesOf([...session.sandbox.pids, ...(session.running.daemons?.() ?? [])]);
      if (bytes !== null) samples.push({ at: clock(), bytes });
      await delay(EVERY_MS);
    }
  })();
  let orderedAt = 0;
  try {
    await delay(REST_MS);
    ({ orderedAt } = await session.deploy());
    await delay(AFTER_MS);
  } finally {
    over = true;
    await sampling;
  }
  const restBytes = median(samples.filter(({ at }) => at < orderedAt).map(({ bytes }) => bytes));
  if (restBytes === null) return null;
  return {
    restBytes,
    peakBytes: Math.max(...samples.map(({ bytes }) => bytes)),
    series: samples.map(({ at, bytes }) => ({ atMs: Math.round(at - orderedAt), bytes }))
  };
}

/** The memory of some processes and their descendants; null when none can be read. */
function bytesOf(roots: readonly number[]): number | null {
  const shares = [...new Set(roots.flatMap(withDescendants))].flatMap((pid) => ownBytes(pid) ?? []);
  return shares.length === 0 ? null : sum(shares);
}

/**
 * What is a process's own, and its share of what it has in common with its parent since the fork.
 *
 * Pages of files, like Node's own code, are left out: all processes of the machine have them together, those of the
 * bench as well, so that a share of them would tell how many others there are.
 */
function ownBytes(pid: number): number | null {
  try {
    return parseOwnBytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  } catch {
    return null; // it is gone, or this is no Linux
  }
}

export function parseOwnBytes(text: string): number | null {
  const kilobytes = ['Pss_Anon', 'Pss_Shmem'].map((name) => new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return kilobytes.some((value) => value === undefined) ? null : sum(kilobytes.map(Number)) * 1024;
}
