import { IDEAL, PROXIES } from './canary/proxies.ts';
import { countDecisions, describeSide, ratesOf, ratioTo, type Side } from './canary/sides.ts';
import { LoadGenerator } from './load/generator.ts';
import { endAllSandboxes } from './peers/sandbox.ts';
import { withSystemFolders } from './peers/systems/path.ts';
import type { Claim, Context, Detail } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import type { Slice } from './rig/sides.ts';
import { atLeast, median, sum } from './rig/statistics.ts';
import { cpuUs } from './rig/usage.ts';

const LIMIT = 0.93;
const PERCENTS = [0, 5, 25, 50];
/** The share that the limit is about, and that proxies are measured at. */
const PERCENT = 5;
const CONNECTIONS = 32;
const USERS = 1_000;
/** Short, and many: what disturbs the machine for a second falls on one round only. */
const SLICE_MS = 400;
const PACED_MS = 1_500;
/** The first seconds are the compiler's: a canary of which only a few requests come in a second needs longer than others. */
const WARM_MS = 5_000;
/** Longer than a round: no idle connection is closed. */
const ENV = { KEEP_ALIVE_MS: '600000' };

/** Throughput while a canary answers its users, on connections that all users share, beside the same without one. */
export const canary: Claim = {
  name: 'canary',
  claim: `throughput while a canary answers ${PERCENT} % by user / without a canary, on connections that users share`,
  limit: `>= ${LIMIT}, and ahead of the proxies that are installed`,
  run: (context) =>
    withCleanup(async (keep) => {
      process.env.PATH = withSystemFolders(process.env.PATH ?? '');
      keep({ end: endAllSandboxes });
      const load = keep(await LoadGenerator.start(context));
      const without = keep(await BenchService.start(context, { pinned: true, env: ENV }));
      const sides: Side[] = [makeSide('no canary', without.port, await pidsOf(without))];
      for (const percent of PERCENTS) {
        const service = keep(await startCanary(context, percent));
        sides.push(makeSide(`${percent} %`, service.port, await pidsOf(service)));
      }
      const skipped: Detail[] = [];
      for (const proxy of [IDEAL, ...PROXIES]) {
        const why = proxy.missing();
        if (why) skipped.push({ name: proxy.name, value: `not measured: ${why}` });
        else {
          const { port, beside, pids } = keep(await proxy.start(context, PERCENT, ENV));
          sides.push({ ...makeSide(proxy.name, port, pids), isProxy: true, beside });
        }
      }
      for (const { name, port, beside } of sides) await load.open(name, port, CONNECTIONS, USERS, beside);
      await loadInTurns(context, load, sides);

      const [base] = sides as [Side];
      const value = ratioTo(base, sides.find(({ name }) => name === `${PERCENT} %`) ?? base);
      const proxies = sides.filter(({ isProxy, beside }) => isProxy && !beside);
      const best = Math.max(...proxies.map((side) => ratioTo(base, side) ?? 0), 0);
      return {
        value,
        unit: 'x',
        ok: atLeast(value, LIMIT) && atLeast(value, best),
        details: [
          ...sides.flatMap((side) => describeSide(base, side)),
          ...skipped,
          { name: 'decisions by a cookie, one core', value: countDecisions(), unit: '/s' }
        ]
      };
    })
};

const makeSide = (name: string, port: number, pids: readonly number[]): Side => ({
  ...{ name, port, pids, isProxy: false, beside: null },
  slices: [],
  paced: []
});

async function startCanary(context: Context, percent: number): Promise<BenchService> {
  // Taken back it would be no canary any more, whatever else the machine does.
  const service = await BenchService.start(context, { pinned: true, env: ENV }, { rollback: 'manual' });
  service.version = '2';
  try {
    // None of the users has the header: their requests are decided, and stay.
    await service.control.reload({ canary: percent === 0 ? 'header:x-beta=1' : `${percent}%`, by: 'cookie:session' });
  } catch (error) {
    await service.end();
    throw error;
  }
  return service;
}

/** The supervisor, and whoever answers. */
async function pidsOf({ control, supervisorPid }: BenchService): Promise<number[]> {
  const { active, candidate } = await control.status();
  const workers = [...(active?.workers ?? []), ...(candidate?.workers ?? [])];
  return [supervisorPid, ...workers.flatMap(({ pid }) => pid ?? [])];
}

async function floodOnce(load: LoadGenerator, { name, pids }: Side): Promise<Slice> {
  const spent = () => sum(pids.map((pid) => cpuUs(pid) ?? Number.NaN));
  const before = spent();
  const result = await load.flood(name, SLICE_MS);
  return { ...result, cpuUs: spent() - before };
}

/** Loads all of them one after the other, again and again, there and back: first as hard as they can, then at a rate. */
async function loadInTurns({ quick, progress }: Context, load: LoadGenerator, sides: readonly Side[]): Promise<void> {
  for (const { name } of sides) await load.flood(name, WARM_MS);
  const rounds = quick ? 6 : 30;
  for (let round = 1; round <= rounds; round += 1) {
    progress(`round ${round} of ${rounds}`);
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) side.slices.push(await floodOnce(load, side));
  }
  const [base] = sides as readonly [Side];
  const rate = Math.round((median(ratesOf(base)) ?? 0) / 4);
  const turns = quick ? 2 : 6;
  for (let turn = 1; turn <= turns; turn += 1) {
    progress(`a quarter of that, ${rate} requests/s: ${turn} of ${turns}`);
    for (const side of turn % 2 === 0 ? sides : sides.toReversed())
      side.paced.push(await load.pace(side.name, rate, PACED_MS));
  }
}
