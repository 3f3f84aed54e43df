import { waits } from './idle.ts';
import { LoadGenerator } from './load/generator.ts';
import { clock } from './load/patterns.ts';
import type { Claim } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { atMost, median, quantile, ratio, spread, sum } from './rig/statistics.ts';

const LIMIT = 3;
const CONNECTIONS = 64;
const CAPACITY_MS = 1_500;
/** Before this, the new generation's code is still being compiled, and the one before is being retired. */
const SETTLE_MS = 500;
const STEADY_MS = 2_000;
/** Half before the cutover, which takes in the boot of the candidate, and half after. */
const AROUND_MS = 2_000;

/** The slowest hundredth around a reload beside the steady state, at half of what the service can do. */
export const tail: Claim = {
  name: 'tail',
  claim: 'p99 latency in the two seconds around a reload / in the steady state, at half capacity',
  limit: `<= ${LIMIT}`,
  run: (context) =>
    withCleanup(async (keep) => {
      const { quick, progress } = context;
      const load = keep(await LoadGenerator.start(context));
      const service = keep(await BenchService.start(context, { pinned: true }));
      await load.open('tail', service.port, CONNECTIONS);
      progress('measuring the capacity');
      await load.flood('tail', CAPACITY_MS); // the first second is the compiler's
      const { answered, tookMs } = await load.flood('tail', CAPACITY_MS);
      const capacity = (answered / tookMs) * 1000;
      const rate = Math.round(capacity / 2);
      const rounds: {
        steady: number | null;
        around: number | null;
        longest: number | null;
        lost: number;
        reconnects: number;
      }[] = [];
      const count = quick ? 2 : 7;
      for (let turn = 1; turn <= count; turn += 1) {
        progress(`reload ${turn} of ${count}, at ${rate} requests/s`);
        const startedAt = clock();
        const pacing = load.pace('tail', rate, SETTLE_MS + STEADY_MS + AROUND_MS);
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS + STEADY_MS + AROUND_MS / 2));
        const orderedAt = clock();
        const { bootMs, cutoverMs } = await service.control.reload();
        const paced = await pacing;
        const cutoverAt = orderedAt + bootMs + cutoverMs;
        const steady = waits(paced, startedAt + SETTLE_MS, startedAt + SETTLE_MS + STEADY_MS);
        const around = waits(paced, cutoverAt - AROUND_MS / 2, cutoverAt + AROUND_MS / 2);
        rounds.push({
          steady: quantile(steady, 0.99),
          around: quantile(around, 0.99),
          longest: quantile(around, 1),
          lost: paced.lost,
          reconnects: paced.reconnects
        });
      }
      const of = (name: 'steady' | 'around' | 'longest') => rounds.map((round) => round[name] ?? Number.NaN);
      const ratios = rounds.map(({ steady, around }) => ratio(around, steady) ?? Number.NaN);
      const value = median(ratios);
      return {
        value,
        unit: 'x',
        ok: atMost(value, LIMIT),
        details: [
          { name: 'middle half of the reloads', value: spread(ratios) },
          { name: 'capacity', value: capacity, unit: 'requests/s' },
          { name: 'sent', value: rate, unit: 'requests/s' },
          { name: 'steady p99', value: median(of('steady')), unit: 'ms' },
          { name: 'middle half', value: spread(of('steady')) },
          { name: 'p99 around a reload', value: median(of('around')), unit: 'ms' },
          { name: 'middle half', value: spread(of('around')) },
          { name: 'longest wait around a reload', value: median(of('longest')), unit: 'ms' },
          { name: 'requests lost', value: sum(rounds.map(({ lost }) => lost)) },
          { name: 'connections opened again', value: sum(rounds.map(({ reconnects }) => reconnects)) }
        ]
      };
    })
};
