import { fitLine, MINUTE_MS, type Reading } from './slope.ts';

/** A worker that grows steadily. */
export interface Growth {
  readonly worker: string;
  readonly perMinuteBytes: number;
  readonly rssBytes: number;
  /** When nothing will be left, in the same milliseconds as the readings. */
  readonly fullAt: number;
}

interface Kept {
  /** The lowest reading of each minute: what is left when the garbage collector has run. */
  minutes: Reading[];
  open: Reading | null;
  toldAt: number;
}

const DAY_MS = 24 * 60 * MINUTE_MS;
/** From so many minutes on there is a trend; older ones are let go of. */
const FEWEST = 10;
const MOST = 60;
/** A slope must be so many times its standard error, and have come to so much: heaps go up and down. */
const SURE = 6;
const LEAST_BYTES = 8 * 2 ** 20;
/** What will be full in a month is not worth a word today. */
const SOON_MS = 30 * DAY_MS;

/** Watches the memory of workers for as long as they run, for growth that is too slow for a bake to see. */
export class MemoryTrend {
  readonly #kept = new Map<string, Kept>();

  /**
   * Takes a reading.
   *
   * @param readRoom how many more bytes there are; null where nobody knows
   * @returns that the worker grows steadily: once a day at the most; else null
   */
  add(worker: string, at: number, rssBytes: number, readRoom: () => number | null): Growth | null {
    const kept = this.#kept.get(worker) ?? { minutes: [], open: null, toldAt: Number.NEGATIVE_INFINITY };
    this.#kept.set(worker, kept);
    const { open } = kept;
    if (open && at - open.at < MINUTE_MS) {
      kept.open = { at: open.at, bytes: Math.min(open.bytes, rssBytes) };
      return null;
    }
    kept.open = { at, bytes: rssBytes };
    if (!open) return null;
    kept.minutes = [...kept.minutes, open].slice(-MOST);
    const perMinuteBytes = findSteadySlope(kept.minutes);
    if (perMinuteBytes === null || at - kept.toldAt < DAY_MS) return null;
    const roomBytes = readRoom();
    if (roomBytes === null) return null;
    const fullAt = at + (Math.max(0, roomBytes) / perMinuteBytes) * MINUTE_MS;
    if (fullAt - at > SOON_MS) return null;
    kept.toldAt = at;
    return { worker, perMinuteBytes, rssBytes, fullAt };
  }

  forget(worker: string): void {
    this.#kept.delete(worker);
  }
}

/** The slope of what grows steadily, in bytes a minute; null where it does not, or not surely. */
function findSteadySlope(minutes: readonly Reading[]): number | null {
  // The first minute is that of a process that starts.
  const [, ...points] = minutes;
  if (points.length < FEWEST) return null;
  const { slope, error } = fitLine(points);
  const came = (slope * ((points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0))) / MINUTE_MS;
  return slope > SURE * error && came >= LEAST_BYTES ? slope : null;
}
