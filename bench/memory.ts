import { LoadGenerator } from './load/generator.ts';
import type { Claim, Detail } from './rig/model.ts';
import { BenchService, startPlain, withCleanup } from './rig/service.ts';
import { type Memory, memoryOf } from './rig/usage.ts';

const CONNECTIONS = 64;
const LOAD_MS = 1_000;
const RELOADS = 5;

/** What the supervisor and a warm standby hold, beside the same app under plain node after the same load. */
export const memory: Claim = {
  name: 'memory',
  claim: 'resident memory of the supervisor, and of a warm standby',
  limit: null,
  run: (context) =>
    withCleanup(async (keep) => {
      const load = keep(await LoadGenerator.start(context));
      const plain = keep(await startPlain(context, { pinned: true }));
      const service = keep(await BenchService.start(context, { pinned: true }));
      const fresh = memoryOf(service.supervisorPid);
      await load.open('plain', plain.port, CONNECTIONS);
      await load.open('handover', service.port, CONNECTIONS);
      context.progress('the same load on both');
      await load.flood('plain', LOAD_MS);
      await load.flood('handover', LOAD_MS);
      const bare = memoryOf(plain.pid);
      const worker = memoryOf(await service.workerPid());
      for (let turn = 1; turn <= RELOADS; turn += 1) {
        context.progress(`reload ${turn} of ${RELOADS}`);
        await service.control.reload();
        await load.flood('handover', LOAD_MS / 2);
      }
      const supervisor = memoryOf(service.supervisorPid);
      const standby = memoryOf(await service.standbyPid());
      return {
        value: supervisor === null ? null : inMegabytes(supervisor.rssBytes),
        unit: 'MB',
        ok: null,
        details: [
          describe('supervisor, just started', fresh),
          describe(`supervisor, after ${RELOADS} reloads`, supervisor),
          describe('warm standby, after load', standby),
          describe('active worker, after load', worker),
          describe('plain node, same app and load', bare)
        ]
      };
    })
};

const inMegabytes = (bytes: number) => Math.round(bytes / 100_000) / 10;

function describe(name: string, memory: Memory | null): Detail {
  if (!memory) return { name, value: null };
  const { rssBytes, pssBytes, privateBytes } = memory;
  return {
    name,
    value: `${inMegabytes(rssBytes)} MB resident, ${inMegabytes(pssBytes)} MB its share, ${inMegabytes(privateBytes)} MB its own`
  };
}
