import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '../load/patterns.ts';
import { ask } from './ask.ts';

/** Between two questions: short, since a rollback may take a few milliseconds. */
const PAUSE_MS = 2;

/** One question: when it was answered or given up, and by which version, if any. Times on the shared clock. */
export interface Observation {
  readonly at: number;
  readonly version: string | null;
}

/** How long a system that has called it done may go on answering with the other version before that counts against it. */
const LATE_MS = 500;

/**
 * Asks again and again, one fresh connection after the other, from before an order until after its end.
 *
 * @param wanted the version that is to answer in the end; the last observations wait for it a little
 */
export async function watch(port: number, order: () => Promise<void>, wanted: string | null = null): Promise<Watched> {
  const observations: Observation[] = [];
  let over = false;
  const watching = (async () => {
    while (!over) {
      observations.push(await look(port));
      await delay(PAUSE_MS);
    }
  })();
  const orderedAt = clock();
  try {
    await order();
  } finally {
    over = true;
    await watching;
  }
  const doneAt = clock();
  // The system has called it done: what it answers now is the proof.
  observations.push(await look(port));
  while (wanted !== null && observations.at(-1)?.version !== wanted && clock() < doneAt + LATE_MS) {
    await delay(PAUSE_MS);
    observations.push(await look(port));
  }
  return { orderedAt, doneAt, observations };
}

export interface Watched {
  readonly orderedAt: number;
  /** When the system called it done. */
  readonly doneAt: number;
  readonly observations: readonly Observation[];
}

async function look(port: number): Promise<Observation> {
  const version = await ask(port);
  return { at: clock(), version };
}

/** From when on every fresh connection was answered by this version; null when even the last one was not. */
export function switchedAt(observations: readonly Observation[], version: string): number | null {
  let at: number | null = null;
  for (const observation of observations) {
    if (observation.version !== version) at = null;
    else at ??= observation.at;
  }
  return at;
}

/** The longest time between two answers to fresh connections; null when the last of them was not answered. */
export function longestGap(observations: readonly Observation[]): number | null {
  if (observations.at(-1)?.version == null) return null;
  const answered = observations.filter(({ version }) => version !== null).map(({ at }) => at);
  return Math.max(0, ...answered.map((at, index) => at - (answered[index - 1] ?? at)));
}
