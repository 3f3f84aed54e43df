import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured } from './link/measure.ts';
import type { Claim } from './rig/model.ts';
import { endProcess, firstMessage, startProcess } from './rig/processes.ts';
import { APP, withCleanup } from './rig/service.ts';
import { median, spread } from './rig/statistics.ts';

const MEASURE = fileURLToPath(new URL('./link/measure.ts', import.meta.url));
const PAIRS = 20;

/** What a worker's own link to its supervisor does, beside the channel that `fork` makes. */
export const link: Claim = {
  name: 'link',
  claim: 'connections sent to a worker and back, per second, over its link / over the channel of fork',
  limit: null,
  run: ({ build, quick, progress }) =>
    withCleanup(async (keep) => {
      progress('the link and fork by turns');
      const pairs = quick ? 5 : PAIRS;
      const child = startProcess({
        args: ['--import', 'tsx', MEASURE, resolve(build, 'preload.cjs'), APP, String(pairs)]
      });
      keep({ end: () => endProcess(child) });
      const measured = await firstMessage<Measured>(child, 'the comparison');
      const moves = ratios(measured.link, measured.fork);
      const starts = ratios(measured.linkStartMs, measured.forkStartMs);
      return {
        value: median(moves),
        unit: 'x',
        ok: null,
        details: [
          { name: 'middle half of the pairs', value: spread(moves) },
          { name: 'link: there and back', value: median(measured.link), unit: '/s' },
          { name: 'fork: there and back', value: median(measured.fork), unit: '/s' },
          { name: 'start to ready, a worker / a plain fork', value: median(starts), unit: 'x' },
          { name: 'start to ready, middle half of the pairs', value: spread(starts) },
          { name: 'worker: start to ready', value: median(measured.linkStartMs), unit: 'ms' },
          { name: 'plain fork: start to ready', value: median(measured.forkStartMs), unit: 'ms' }
        ]
      };
    })
};

const ratios = (ours: readonly number[], others: readonly number[]) =>
  ours.map((value, index) => value / (others[index] ?? Number.NaN));
