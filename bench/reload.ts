import type { Claim } from './rig/model.ts';
import { BenchService, startPlain, withCleanup } from './rig/service.ts';
import { alternate, atMost, median, quantile, spread } from './rig/statistics.ts';

/** Of it some 60 ms are the rehearsal of a handover, without which the first one stalls the old version for half a second. */
const RELOAD_LIMIT_MS = 100;
const ROLLBACK_LIMIT_MS = 10;

/** Time to cutover beside the bare start of the same app, and the time of a rollback. */
export const reload: Claim = {
  name: 'reload',
  claim: 'time to cutover minus the bare time to listening; rollback at p50',
  limit: `<= ${RELOAD_LIMIT_MS} ms; rollback <= ${ROLLBACK_LIMIT_MS} ms`,
  run: (context) =>
    withCleanup(async (keep) => {
      const { quick, progress } = context;
      const service = keep(await BenchService.start(context, { pinned: false }));
      const bare: number[] = [];
      const cutover: number[] = [];
      const boot: number[] = [];
      const outside: number[] = [];
      const startBare = async () => {
        const plain = await startPlain(context, { pinned: false });
        bare.push(plain.listenMs);
        await plain.end();
      };
      const handOver = async () => {
        const orderedAt = performance.now();
        const { bootMs, cutoverMs } = await service.control.reload();
        outside.push(performance.now() - orderedAt);
        boot.push(bootMs);
        cutover.push(bootMs + cutoverMs);
      };
      const pairs = quick ? 9 : 25;
      for (const pair of alternate(startBare, handOver, pairs)) {
        progress(`reload ${cutover.length + 1} of ${pairs}`);
        for (const act of pair) await act();
      }

      const took: number[] = [];
      const rolledBack: number[] = [];
      const turns = quick ? 20 : 60;
      for (let turn = 1; turn <= turns; turn += 1) {
        progress(`rollback ${turn} of ${turns}`);
        const orderedAt = performance.now();
        const { tookMs } = await service.control.rollback();
        rolledBack.push(performance.now() - orderedAt);
        took.push(tookMs);
      }

      const value = median(cutover.map((ms, index) => ms - (bare[index] ?? Number.NaN)));
      const rollback = quantile(rolledBack, 0.5);
      return {
        value,
        unit: 'ms',
        ok: atMost(value, RELOAD_LIMIT_MS) && atMost(rollback, ROLLBACK_LIMIT_MS),
        details: [
          {
            name: 'middle half of the pairs',
            value: spread(
              cutover.map((ms, index) => ms - (bare[index] ?? 0)),
              1
            )
          },
          { name: 'plain node, start to listening', value: median(bare), unit: 'ms' },
          { name: 'reload, order to ready', value: median(boot), unit: 'ms' },
          { name: 'reload, order to cutover', value: median(cutover), unit: 'ms' },
          { name: 'reload, as its caller sees it', value: median(outside), unit: 'ms' },
          { name: 'rollback p50, as its caller sees it', value: rollback, unit: 'ms' },
          { name: 'rollback p99, as its caller sees it', value: quantile(rolledBack, 0.99), unit: 'ms' },
          { name: 'rollback p50, order to accepting', value: quantile(took, 0.5), unit: 'ms' }
        ]
      };
    })
};
