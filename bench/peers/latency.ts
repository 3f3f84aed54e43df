import { setTimeout as delay } from 'node:timers/promises';
import { waits } from '../idle.ts';
import { LoadGenerator } from '../load/generator.ts';
import { clock } from '../load/patterns.ts';
import { withCleanup } from '../rig/service.ts';
import { quantile } from '../rig/statistics.ts';
import type { SystemResult } from './result.ts';
import type { PeersContext, Session } from './session.ts';
import { within } from './statistics.ts';

const NAME = 'latency';
const CONNECTIONS = 64;
const WARM_MS = 500;
const STEADY_MS = 1_200;
/** The second of the deploy: half of it before the switch, which takes in the end of the boot. */
const AROUND_MS = 1_000;
const SHARES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];
/** The picture of a deploy: p99 of each of these, from half a second before the switch to a second after it. */
const SLICE_MS = 50;
const SLICES_FROM_MS = -500;
const SLICES = 30;
/** How long requests are sent: longer than the slowest deploy and its second. */
const PACED_MS = 6_000;

/** What requests wait at a fixed rate, steadily and in the second of a deploy. Requests that failed have no latency. */
export function measureLatency(
  session: Session,
  context: PeersContext
): Promise<Pick<SystemResult, 'p99' | 'latency' | 'slices'>> {
  const { quick, settings, progress } = context;
  return withCleanup(async (keep) => {
    const load = keep(await LoadGenerator.start(context));
    await load.open(NAME, session.port, CONNECTIONS);
    await load.flood(NAME, WARM_MS);
    const steady: number[] = [];
    const around: number[] = [];
    const waited: number[][] = Array.from({ length: SLICES }, () => []);
    for (let turn = 1; turn <= (quick ? 1 : 2); turn += 1) {
      progress(`latency around deploy ${turn}`);
      const startedAt = clock();
      const pacing = load.pace(NAME, settings.latencyRate, PACED_MS);
      await delay(WARM_MS + STEADY_MS);
      const { at, orderedAt } = await session.deploy();
      const paced = await within(30_000, 'the load', pacing);
      steady.push(...waits(paced, startedAt + WARM_MS, orderedAt));
      if (at === null) continue;
      around.push(...waits(paced, at - AROUND_MS / 2, at + AROUND_MS / 2));
      waited.forEach((slice, index) => {
        const from = at + SLICES_FROM_MS + index * SLICE_MS;
        slice.push(...waits(paced, from, from + SLICE_MS));
      });
    }
    const latency = SHARES.flatMap((share) => {
      const aroundMs = quantile(around, share);
      const steadyMs = quantile(steady, share);
      return aroundMs === null || steadyMs === null ? [] : [{ share, aroundMs, steadyMs }];
    });
    const slices = waited.map((slice, index) => ({
      fromMs: SLICES_FROM_MS + index * SLICE_MS,
      p99Ms: quantile(slice, 0.99)
    }));
    const found = latency.find(({ share }) => share === 0.99);
    if (!found) return { p99: null, latency, slices };
    const { aroundMs, steadyMs } = found;
    return { p99: { aroundMs, steadyMs, ratio: aroundMs / steadyMs }, latency, slices };
  });
}
