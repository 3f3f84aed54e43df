import { LoadGenerator } from './load/generator.ts';
import type { Claim } from './rig/model.ts';
import { BenchService, startPlain, withCleanup } from './rig/service.ts';
import { besidePlain, cpuPerRequest, pairs, rate, run, type Side } from './rig/sides.ts';
import { atLeast, median, ratio, spread, sum } from './rig/statistics.ts';
import { cpuUs } from './rig/usage.ts';

const LIMIT = 0.97;
const CONNECTIONS = 64;
const FRESH_TOGETHER = 16;
/** Short, and many: what disturbs the machine for a second falls on both sides of a few pairs only. */
const SLICE_MS = 400;

/** Kept-alive throughput, and that of fresh connections, beside the same app under plain node: one worker each. */
export const throughput: Claim = {
  name: 'throughput',
  claim: 'kept-alive throughput under handover / under plain node, one worker each',
  limit: `>= ${LIMIT}`,
  run: (context) =>
    withCleanup(async (keep) => {
      const load = keep(await LoadGenerator.start(context));
      const plain = keep(await startPlain(context, { pinned: true }));
      const service = keep(await BenchService.start(context, { pinned: true }));
      const pid = await service.workerPid();
      const kept = besidePlain(plain, service, pid);
      const supervisorBefore = cpuUs(service.supervisorPid) ?? 0;
      for (const { name, port } of kept) await load.open(name, port, CONNECTIONS);
      await run(context, kept, context.quick ? 8 : 40, 'kept alive', (side) => load.flood(side.name, SLICE_MS));
      const fresh = besidePlain(plain, service, pid);
      await run(context, fresh, context.quick ? 4 : 14, 'fresh', (side) =>
        load.fresh(side.port, SLICE_MS, FRESH_TOGETHER)
      );
      const supervisorUs = (cpuUs(service.supervisorPid) ?? 0) - supervisorBefore;

      const value = median(pairs(kept));
      return {
        value,
        unit: 'x',
        ok: atLeast(value, LIMIT),
        details: [
          { name: 'middle half of the pairs', value: spread(pairs(kept), 3) },
          { name: 'plain: requests', value: rate(kept[0]), unit: '/s' },
          { name: 'handover: requests', value: rate(kept[1]), unit: '/s' },
          { name: 'plain: CPU per request', value: cpuPerRequest(kept[0]), unit: 'us' },
          { name: 'handover: CPU per request', value: cpuPerRequest(kept[1]), unit: 'us' },
          {
            name: 'CPU per request, plain / handover',
            value: ratio(cpuPerRequest(kept[0]), cpuPerRequest(kept[1])),
            unit: 'x'
          },
          { name: 'share of a core the servers used', value: `${share(kept[0])} plain, ${share(kept[1])} handover` },
          { name: 'supervisor CPU meanwhile', value: supervisorUs / 1000, unit: 'ms' },
          { name: 'fresh connections, handover / plain', value: median(pairs(fresh)), unit: 'x' },
          { name: 'middle half of the pairs', value: spread(pairs(fresh), 3) },
          { name: 'fresh: plain', value: rate(fresh[0]), unit: '/s' },
          { name: 'fresh: handover', value: rate(fresh[1]), unit: '/s' },
          {
            name: 'fresh: CPU per request, plain / handover',
            value: ratio(cpuPerRequest(fresh[0]), cpuPerRequest(fresh[1])),
            unit: 'x'
          },
          {
            name: 'requests lost',
            value: sum([...kept, ...fresh].flatMap(({ slices }) => slices.map(({ lost }) => lost)))
          }
        ]
      };
    })
};

function share({ slices }: Side): string {
  const used = ratio(sum(slices.map((slice) => slice.cpuUs)), sum(slices.map(({ tookMs }) => tookMs * 1000)));
  return used === null ? '-' : used.toFixed(2);
}
