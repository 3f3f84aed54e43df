import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadGenerator } from './load/generator.ts';
import type { Claim } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { pairs, rate, run, type Side } from './rig/sides.ts';
import { atLeast, median, ratio, spread, sum } from './rig/statistics.ts';
import { cpuUs, memoryOf } from './rig/usage.ts';

/** What is scraped once a second may cost half a percent. */
const LIMIT = 0.995;
const CONNECTIONS = 64;
/** As often as it is scraped: each slice has exactly one. */
const SLICE_MS = 1_000;
const PAIRS = 40;

/** What the admin address costs: a service that is scraped once a second, beside one without it. */
export const admin: Claim = {
  name: 'admin',
  claim: 'kept-alive throughput of a service with --admin, scraped once a second / of one without it',
  limit: `>= ${LIMIT}`,
  run: (context) =>
    withCleanup(async (keep) => {
      const folder = mkdtempSync(join(tmpdir(), 'handover-bench-admin-'));
      keep({ end: async () => rmSync(folder, { recursive: true, force: true }) });
      const path = join(folder, 'admin.sock');
      const load = keep(await LoadGenerator.start(context));
      const without = keep(await BenchService.start(context, { pinned: true }));
      const scraped = keep(await BenchService.start(context, { pinned: true }, { admin: `unix:${path}` }));
      const sides: [Side, Side] = [await sideOf('without', without), await sideOf('with', scraped)];
      for (const side of sides) {
        await load.open(side.name, side.port, CONNECTIONS);
        await load.flood(side.name, 2 * SLICE_MS);
      }
      const scrapes: Scrape[] = [];
      await run(context, sides, context.quick ? 6 : PAIRS, 'throughput', async (side) => {
        const flood = load.flood(side.name, SLICE_MS);
        if (side.name === 'with') scrapes.push(await scrape(path, scraped.supervisorPid));
        return flood;
      });
      return describe(sides, scrapes, [without, scraped]);
    })
};

interface Scrape {
  readonly bytes: number;
  readonly cpuMs: number;
}

async function sideOf(name: string, service: BenchService): Promise<Side> {
  return { name, port: service.port, pid: await service.workerPid(), end: async () => {}, slices: [] };
}

async function scrape(socketPath: string, supervisor: number): Promise<Scrape> {
  await delay(SLICE_MS / 4);
  const before = cpuUs(supervisor) ?? 0;
  const asked = request({ socketPath, path: '/metrics', agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
  let bytes = 0;
  for await (const part of answer) bytes += part.length;
  return { bytes, cpuMs: ((cpuUs(supervisor) ?? 0) - before) / 1_000 };
}

function describe(sides: [Side, Side], scrapes: readonly Scrape[], services: readonly BenchService[]) {
  const all = pairs(sides);
  const value = median(all);
  const [before, after] = services.map(({ supervisorPid }) => memoryOf(supervisorPid)?.rssBytes ?? null);
  const inMb = (bytes: number | null | undefined) => (bytes ? Math.round(bytes / 100_000) / 10 : null);
  return {
    value,
    unit: 'x',
    ok: atLeast(value, LIMIT),
    details: [
      { name: 'middle half of the pairs', value: spread(all, 3) },
      { name: 'without: requests', value: rate(sides[0]), unit: '/s' },
      { name: 'with: requests', value: rate(sides[1]), unit: '/s' },
      {
        name: 'CPU of the supervisor for a scrape',
        value: ratio(sum(scrapes.map(({ cpuMs }) => cpuMs)), scrapes.length),
        unit: 'ms'
      },
      { name: 'a scrape', value: median(scrapes.map(({ bytes }) => bytes)), unit: 'bytes' },
      { name: 'supervisor without', value: inMb(before), unit: 'MB' },
      { name: 'supervisor with', value: inMb(after), unit: 'MB' },
      { name: 'requests lost', value: sum(sides.flatMap(({ slices }) => slices.map(({ lost }) => lost))) }
    ]
  };
}
