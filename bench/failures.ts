import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EVERY_KIND, type Load, type Report, startLoad } from './client/index.ts';
import { describeReport, describeVersions, failedIn } from './failures/report.ts';
import { replaceSupervisor } from './failures/supervisor.ts';
import type { AutocannonReport } from './load/autocannon.ts';
import type { Claim, Context, Detail } from './rig/model.ts';
import { endProcess, firstMessage, startProcess } from './rig/processes.ts';
import { BenchService, withCleanup } from './rig/service.ts';

const AUTOCANNON = fileURLToPath(new URL('./load/autocannon.ts', import.meta.url));
const CONNECTIONS = 16;
/** autocannon's own bound; it is told to run out long before. */
const AUTOCANNON_SECONDS = 120;
const RELOADS = 10;

/**
 * Ten reloads and two rollbacks under the familiar tool and under the strict client, each by itself; and the supervisor
 * killed and replaced.
 */
export const failures: Claim = {
  name: 'failures',
  claim:
    'requests that failed during ten reloads and two rollbacks, by autocannon and by the strict client, and while the supervisor crashed and was upgraded',
  limit: '0',
  run: async (context) => {
    const autocannon = await underAutocannon(context);
    const report = await underStrictClient(context);
    const lost = autocannon.sent - autocannon.answered;
    const replaced = await replaceSupervisor(context);
    const failed = failedIn(report) + replaced.failed;
    const value = autocannon.errors + autocannon.timeouts + autocannon.non2xx + lost + failed;
    return {
      value,
      unit: 'failures',
      ok: value === 0,
      details: [
        ...describeAutocannon(autocannon),
        ...describeReport('strict client', report),
        ...describeVersions('strict client', report),
        ...replaced.details
      ]
    };
  }
};

/** Ten deploys; after the fifth and the last, back and so to the version before. */
async function deploy(context: Context, service: BenchService, pauseMs: number, load?: Load): Promise<void> {
  let active = '1';
  const versions = ['1'];
  const act = async (version: string, run: () => Promise<unknown>) => {
    load?.expectAnyVersion();
    await run();
    load?.expectVersion(version);
    active = version;
    await delay(pauseMs);
  };
  for (let turn = 1; turn <= RELOADS; turn += 1) {
    const version = String(turn + 1);
    context.progress(`${load ? 'strict client' : 'autocannon'}: reload ${turn} of ${RELOADS}`);
    const before = active;
    service.version = version;
    await act(version, () => service.control.reload());
    versions.push(version);
    if (turn === RELOADS / 2 || turn === RELOADS) await act(before, () => service.control.rollback());
  }
}

function underAutocannon(context: Context): Promise<AutocannonReport> {
  return withCleanup(async (keep) => {
    const service = keep(await BenchService.start(context, { pinned: true }));
    const args = ['--import', 'tsx', AUTOCANNON, String(service.port), String(CONNECTIONS), String(AUTOCANNON_SECONDS)];
    const autocannon = startProcess({ args, core: context.machine.pins?.load ?? null });
    keep({ end: () => endProcess(autocannon) });
    await firstMessage(autocannon, 'autocannon');
    await delay(500);
    await deploy(context, service, context.quick ? 100 : 700);
    const answer = once(autocannon, 'message', { signal: AbortSignal.timeout(15_000) });
    autocannon.send('run out');
    const [report] = (await answer) as [AutocannonReport];
    return report;
  });
}

function underStrictClient(context: Context): Promise<Report> {
  return withCleanup(async (keep) => {
    const service = keep(await BenchService.start(context, { pinned: true }));
    const target = { host: '127.0.0.1', port: service.port };
    const load = startLoad({ target, clients: EVERY_KIND, busyPauseMs: 2, idleEveryMs: 700 });
    try {
      await load.warm();
      load.expectVersion('1');
      await deploy(context, service, context.quick ? 100 : 700, load);
    } finally {
      await load.stop();
    }
    return load.stop();
  });
}

function describeAutocannon({
  version,
  connections,
  sent,
  answered,
  errors,
  timeouts,
  non2xx,
  p99
}: AutocannonReport): Detail[] {
  return [
    { name: `autocannon ${version}: connections`, value: connections },
    { name: 'autocannon: sent', value: sent },
    { name: 'autocannon: sent - total', value: sent - answered },
    { name: 'autocannon: errors', value: errors },
    { name: 'autocannon: timeouts', value: timeouts },
    { name: 'autocannon: non-2xx', value: non2xx },
    { name: 'autocannon: p99', value: p99, unit: 'ms' }
  ];
}
