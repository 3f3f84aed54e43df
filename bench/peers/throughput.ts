import { LoadGenerator } from '../load/generator.ts';
import type { LoadResult } from '../load/patterns.ts';
import { withCleanup } from '../rig/service.ts';
import { alternate } from '../rig/statistics.ts';
import type { System } from './model.ts';
import type { SystemResult } from './result.ts';
import { freePort, Sandbox } from './sandbox.ts';
import { type PeersContext, Session } from './session.ts';
import { spreadOf } from './statistics.ts';

/** Short, and many: what disturbs the machine for a second falls on both sides of a few pairs only. */
const SLICE_MS = 150;
const PAIRS = { quick: 8, full: 12 };
/** Before the first slice, since cold code and cold pools are not what is compared. */
const WARM_MS = 800;

/** The throughput of a system beside that of the same app under the same bare Node, in pairs of slices. */
export function measureThroughput(
  system: System,
  context: PeersContext
): Promise<Pick<SystemResult, 'keptAliveShare' | 'freshShare'>> {
  const { machine, quick, settings, progress } = context;
  const pairs = quick ? PAIRS.quick : PAIRS.full;
  const { keptConnections, freshTogether, drainMs } = settings;
  return withCleanup(async (keep) => {
    const load = keep(await LoadGenerator.start(context));
    const bare = keep(await Sandbox.create({ drainMs, core: machine.pins?.server ?? null, node: system.node }));
    const bareApp = await freePort();
    await bare.startApp(bareApp);
    const session = keep(await Session.start(system, context));
    const compare = async (run: (name: Side) => Promise<LoadResult>) => {
      const rates: Record<Side, number[]> = { bare: [], system: [] };
      for (const pair of alternate<Side>('bare', 'system', pairs)) {
        for (const side of pair) {
          const { answered, tookMs } = await run(side);
          rates[side].push(answered / tookMs);
        }
      }
      return spreadOf(rates.system.map((rate, at) => rate / (rates.bare[at] ?? Number.NaN)));
    };
    const port = { bare: bareApp, system: session.port };
    progress('kept-alive throughput');
    for (const side of ['bare', 'system'] as const) {
      await load.open(side, port[side], keptConnections);
      await load.flood(side, WARM_MS);
    }
    const keptAliveShare = await compare((side) => load.flood(side, SLICE_MS));
    for (const side of ['bare', 'system'] as const) await load.close(side);
    progress('fresh throughput');
    for (const side of ['bare', 'system'] as const) await load.fresh(port[side], WARM_MS, freshTogether);
    const freshShare = await compare((side) => load.fresh(port[side], SLICE_MS, freshTogether));
    return { keptAliveShare, freshShare };
  });
}

type Side = 'bare' | 'system';
