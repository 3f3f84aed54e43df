import { setTimeout as sleep } from 'node:timers/promises';
import { LoadGenerator } from '../load/generator.ts';
import { BenchService, withCleanup } from '../rig/service.ts';
import { median, sum } from '../rig/statistics.ts';
import { memoryOf } from '../rig/usage.ts';
import { childrenOf, openFiles } from './files.ts';
import type { Part, Row } from './part.ts';

const RELOADS = 100;
const CONNECTIONS = 50;
/** Memory goes up and down with the garbage collector, which is not ours to call: the middle of some readings. */
const READINGS = 7;
const READING_MS = 150;

/** What is left behind in the supervisor by many reloads. */
export const reloads: Part = {
  name: 'reloads',
  about: `reloads in a row, with ${CONNECTIONS} kept-alive connections handed over in each: what the supervisor holds`,
  run: ({ quick, progress, ...context }) =>
    withCleanup(async (keep) => {
      const load = keep(await LoadGenerator.start({ ...context, quick, progress }));
      const service = keep(await BenchService.start({ ...context, quick, progress }, { pinned: true }));
      await load.open('idle', service.port, CONNECTIONS);
      const count = quick ? RELOADS / 5 : RELOADS;
      const rows: Row[] = [];
      const took: number[] = [];
      const moved: number[] = [];
      let [lost, reconnects] = [0, 0];
      for (let turn = 1; turn <= count; turn += 1) {
        progress(`reload ${turn} of ${count}`);
        const touched = await load.touch('idle'); // plain Node closes a connection that was idle for 5 s
        lost += touched.lost;
        reconnects += touched.reconnects;
        const { bootMs, cutoverMs, handedOver } = await service.control.reload();
        took.push(bootMs + cutoverMs);
        moved.push(handedOver);
        // The first one brings the standby that is there ever after.
        if (turn === 1 || turn % (count / 4) === 0) {
          const ms = median(took.splice(0));
          rows.push({ reloads: turn, ...(await look(service)), 'reload ms': ms, moved: sum(moved), lost, reconnects });
        }
      }
      return {
        rows,
        notes: [
          'Memory is resident, the middle of some readings; time is the median since the line before; lost and reconnects are sums.'
        ]
      };
    })
};

/** From outside: to be asked for its status would have the supervisor measure its workers once more. */
async function look({ supervisorPid: pid }: BenchService): Promise<Row> {
  const readings: number[] = [];
  for (let reading = 0; reading < READINGS; reading += 1) {
    await sleep(READING_MS);
    const memory = memoryOf(pid);
    if (memory) readings.push(memory.rssBytes / 1e6);
  }
  return {
    'supervisor MB': median(readings),
    'open files': openFiles(pid),
    children: childrenOf(pid)
  };
}
