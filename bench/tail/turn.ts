import { setTimeout as delay } from 'node:timers/promises';
import { waits } from '../idle.ts';
import type { LoadGenerator } from '../load/generator.ts';
import { clock } from '../load/patterns.ts';
import { quantile, ratio } from '../rig/statistics.ts';

/** What the deploy before has left behind is over: its ramp, the code that is compiled, the version that is retired. */
const SETTLE_MS = 1_500;
const STEADY_MS = 2_000;
/** Half before the cutover, which takes in the boot of the candidate, and half after. */
const AROUND_MS = 2_000;
/** A boot on a core that serves may take so long. */
const BOOT_MS = 2_500;
/** The new version has all connections then, and may still be compiling what it runs. */
const AFTER_MS = 2_000;
const SLICE_MS = 50;

/** One deploy under load. Waits in milliseconds. */
export interface Turn {
  readonly steady: number | null;
  readonly around: number | null;
  readonly ratio: number | null;
  /** The slowest hundredth of what follows, until 3 s after the cutover. */
  readonly after: number | null;
  readonly longest: number | null;
  readonly lost: number;
  readonly reconnects: number;
  /** p50 and p99 of each slice, from half a second before the cutover to the end of the second after it. */
  readonly slices: readonly (readonly [fromMs: number, p50: number | null, p99: number | null])[];
}

/** Deploys once under a steady load. @param deploy gives the moment of the cutover, on the shared clock */
export async function takeTurn(
  load: LoadGenerator,
  name: string,
  rate: number,
  deploy: () => Promise<number>
): Promise<Turn> {
  const startedAt = clock();
  const pacing = load.pace(name, rate, SETTLE_MS + STEADY_MS + BOOT_MS + AROUND_MS / 2 + AFTER_MS);
  await delay(SETTLE_MS + STEADY_MS);
  const cutoverAt = await deploy();
  const paced = await pacing;
  const within = (from: number, to: number) => waits(paced, cutoverAt + from, cutoverAt + to);
  const steady = waits(paced, startedAt + SETTLE_MS, startedAt + SETTLE_MS + STEADY_MS);
  const around = within(-AROUND_MS / 2, AROUND_MS / 2);
  const [steadyMs, aroundMs] = [quantile(steady, 0.99), quantile(around, 0.99)];
  const starts = Array.from({ length: (AROUND_MS * 0.75) / SLICE_MS }, (_, index) => index * SLICE_MS - AROUND_MS / 4);
  return {
    steady: steadyMs,
    around: aroundMs,
    ratio: ratio(aroundMs, steadyMs),
    after: quantile(within(AROUND_MS / 2, AROUND_MS / 2 + AFTER_MS), 0.99),
    longest: quantile(around, 1),
    lost: paced.lost,
    reconnects: paced.reconnects,
    slices: starts.map((from) => {
      const slice = within(from, from + SLICE_MS);
      return [from, quantile(slice, 0.5), quantile(slice, 0.99)];
    })
  };
}

/** Writes the slices of a deploy in one line: `0:1.2/5` is p50 and p99 of the 50 ms from the cutover on. */
export function showTimeline({ slices }: Turn): string {
  const show = (ms: number | null) => (ms === null ? '-' : ms.toFixed(1));
  return slices.map(([from, p50, p99]) => `${from}:${show(p50)}/${show(p99)}`).join(' ');
}
