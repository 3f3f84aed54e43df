import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '../load/ways.ts';
import { ask } from './ask.ts';

/** Between two questions: short, since a rollback may take a few milliseconds. */
const PAUSE_MS = 2;

/** One question: when it was answered or given up, and by which version, if any. Times on the shared clock. */
export interface Sighting {
  readonly at: number;
  readonly version: string | null;
}

/** How long a system that has called it done may go on answering with the other version before that counts against it. */
const LATE_MS = 500;

/**
 * Asks again and again, one fresh connection after the other, from before an order until after its end.
 *
 * @param wanted the version that is to answer in the end; the last sightings wait for it a little
 */
export async function watch(port: number, order: () => Promise<void>, wanted: string | null = null): Promise<Watched> {
  const sightings: Sighting[] = [];
  let over = false;
  const watching = (async () => {
    while (!over) {
      sightings.push(await look(port));
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
  sightings.push(await look(port));
  while (wanted !== null && sightings.at(-1)?.version !== wanted && clock() < doneAt + LATE_MS) {
    await delay(PAUSE_MS);
    sightings.push(await look(port));
  }
  return { orderedAt, doneAt, sightings };
}

export interface Watched {
  readonly orderedAt: number;
  /** When the system called it done. */
  readonly doneAt: number;
  readonly sightings: readonly Sighting[];
}

async function look(port: number): Promise<Sighting> {
  const version = await ask(port);
  return { at: clock(), version };
}

/** From when on every fresh connection was answered by this version; null when even the last one was not. */
export function switchedAt(sightings: readonly Sighting[], version: string): number | null {
  let at: number | null = null;
  for (const sighting of sightings) {
    if (sighting.version !== version) at = null;
    else at ??= sighting.at;
  }
  return at;
}

/** The longest time between two answers to fresh connections; null when the last of them was not answered. */
export function longestGap(sightings: readonly Sighting[]): number | null {
  if (sightings.at(-1)?.version == null) return null;
  const answered = sightings.filter(({ version }) => version !== null).map(({ at }) => at);
  return Math.max(0, ...answered.map((at, index) => at - (answered[index - 1] ?? at)));
}
