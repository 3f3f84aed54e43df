import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ReloadOrder } from '../src/control/routes.ts';
import { MIB } from '../src/core/verdict/signals.ts';
import type { SuperviseOptions } from '../src/supervise.ts';
import type { Claim, Context, Detail } from './rig/model.ts';
import { endProcess, firstMessage, startProcess } from './rig/processes.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { median } from './rig/statistics.ts';
import { type Fault, Habit, type Manner } from './verdict/habits.ts';
import { shop, simulate } from './verdict/simulate.ts';

const SHOP = fileURLToPath(new URL('./verdict/app.mjs', import.meta.url));
const VISITORS = fileURLToPath(new URL('./verdict/visitors.ts', import.meta.url));
const GOOD = 1_000;
const MOST_WRONG = 2;
/** Of the real deploys of a good version beside a busy neighbour, and of the canaries. */
const MOST_WRONG_REAL = 1;

/** What an operator would take back, and within which time at 500 requests a second. */
const TARGETS: Readonly<Record<string, number>> = {
  'fails sometimes': 3_000,
  'fails seldom': 20_000,
  'is ten times as slow': 3_000,
  leaks: 5_000
};

const FAULTS: Readonly<Record<string, Fault>> = {
  '5xx 100 %': { failedShare: 1 },
  '5xx 10 %': { failedShare: 0.1 },
  '5xx 2 %': { failedShare: 0.02 },
  '5xx 0.5 %': { failedShare: 0.005 },
  'one route of ten': { brokenOf: 10 },
  'p50 2x': { slower: 2 },
  'p50 5x': { slower: 5 },
  'p50 10x': { slower: 10 },
  'p50 640x': { slower: 640 },
  'p99 only': { slower: 100, slowOneIn: 40 },
  'CPU 3x': { cpuRatio: 3 },
  'leak 50 MB/s': { leakPerSecondBytes: 50 * MIB },
  'leak 5 MB/s': { leakPerSecondBytes: 5 * MIB },
  'leak 0.5 MB/s': { leakPerSecondBytes: MIB / 2 }
};

/** Bad versions are taken back soon, good ones are kept. */
export const verdict: Claim = {
  name: 'verdict',
  claim: 'good versions that the default verdict rolls back, of 1,000 in simulation; and how soon bad ones are',
  limit: `<= ${MOST_WRONG}`,
  async run(context) {
    const count = context.quick ? GOOD / 10 : GOOD;
    const wrong = countWrong(context, count);
    const table = simulateFaults(context);
    const real = await runFaults(context);
    const good = await runGood(context, DEPLOY, context.quick ? 6 : 200);
    const canaries = await runGood(context, CANARY, context.quick ? 6 : 100);
    const isRight = [good, canaries].every(({ wrong }) => wrong.length <= MOST_WRONG_REAL);
    const late = real.filter(
      ({ fault, afterMs }) => afterMs === null || afterMs > (TARGETS[fault] ?? Number.POSITIVE_INFINITY)
    );
    return {
      value: wrong,
      unit: `of ${count}`,
      ok: wrong <= MOST_WRONG && late.length === 0 && isRight,
      details: [
        ...table,
        ...real.map(({ fault, afterMs, bad, reason }): Detail => {
          const when =
            afterMs === null ? 'kept' : `${(afterMs / 1_000).toFixed(1)} s after the cutover, ${bad} bad answers`;
          return { name: `real, 500/s: ${fault}`, value: `${when}: ${reason}` };
        }),
        {
          name: `real good deploys beside each other and a busy neighbour, rolled back of ${good.count}`,
          value: good.wrong.length
        },
        {
          name: `real good canaries beside each other and it, rolled back of ${canaries.count}`,
          value: canaries.wrong.length
        },
        ...[...good.wrong, ...canaries.wrong].map((reason): Detail => ({ name: 'wrongly', value: reason }))
      ]
    };
  }
};

function countWrong({ progress }: Context, count: number): number {
  let wrong = 0;
  for (let seed = 1; seed <= count; seed += 1) {
    if (seed % 50 === 0) progress(`good version ${seed} of ${count}, in simulation`);
    if (simulate(new Habit(seed), {})) wrong += 1;
  }
  return wrong;
}

/** Every fault by every traffic: the median time of some services until the rollback. */
function simulateFaults({ progress, quick }: Context): Detail[] {
  return Object.entries(FAULTS).map(([name, fault]) => {
    progress(`${name}, in simulation`);
    const cells = (quick ? [50, 500] : [5, 50, 500, 5_000]).map((rate) => {
      const traffics = quick ? (['poisson'] as const) : (['steady', 'poisson', 'bursty'] as const);
      const found = traffics.flatMap((traffic) =>
        Array.from({ length: rate > 1_000 ? 1 : 5 }, (_, seed) =>
          simulate(new Habit(seed + 1, { ...shop, rate, traffic, cpuMs: Math.min(0.4, 200 / rate) }), fault)
        )
      );
      const times = found.map((one) => one?.afterMs ?? Number.POSITIVE_INFINITY);
      const afterMs = median(times) ?? Number.POSITIVE_INFINITY;
      const bad = median(found.map((one) => one?.bad ?? 0)) ?? 0;
      return `${rate}/s ${Number.isFinite(afterMs) ? `${afterMs / 1_000} s, ${bad} bad` : 'kept'}`;
    });
    return { name: `simulated: ${name}`, value: cells.join('; ') };
  });
}

interface Found {
  readonly fault: string;
  readonly afterMs: number | null;
  readonly bad: number;
  readonly reason: string;
  /** What became of the generation, as the history has it. */
  readonly outcome: string | undefined;
}

/** Deploys of real versions, one fault after the other, under 500 requests a second. */
function runFaults(context: Context): Promise<Found[]> {
  const names = ['fails', 'fails sometimes', 'fails seldom', 'one route fails', 'is ten times as slow', 'is slow'];
  const more = ['is slow at times', 'burns', 'leaks', 'throws', 'hangs'];
  return withCleanup(async (keep) => {
    const service = keep(await BenchService.start(context, { pinned: false }, { entry: SHOP, hangTimeout: '3s' }));
    keep(await startVisitors(context, service.port, 500, 'poisson'));
    await delay(10_000);
    const found: Found[] = [];
    for (const fault of context.quick ? names.slice(0, 5) : [...names, ...more]) {
      context.progress(`a version that ${fault}`);
      found.push(await deploy(service, fault));
      await delay(8_000);
    }
    return found;
  });
}

async function deploy(service: BenchService, fault: string, order: ReloadOrder = {}): Promise<Found> {
  await service.control.reload({ ...order, env: { FAULT: fault }, wait: true }).catch(() => {}); // a rollback is an answer, too
  const { history } = await service.control.history();
  const last = history.at(-1);
  const { after = null, decision = 'keep', reason = 'not judged' } = last?.verdict ?? {};
  const afterMs = decision === 'roll back' ? (after?.spanMs ?? null) : null;
  return { fault, afterMs, bad: (after?.failed ?? 0) + (after?.cut ?? 0), reason, outcome: last?.outcome };
}

/** What is deployed again and again, though nothing is wrong with it. */
interface Good {
  readonly what: string;
  /** So many services side by side, with so many requests a second each. */
  readonly services: number;
  readonly rate: number;
  readonly options: SuperviseOptions;
  readonly order: ReloadOrder;
  /** Why it was not kept; null where it was. */
  wrongOf(found: Found): string | null;
}

const DEPLOY: Good = {
  ...{ what: 'version', services: 2, rate: 300 },
  options: { bake: '8s', keepWarm: '1m' },
  order: {},
  wrongOf: ({ afterMs, reason }) => (afterMs === null ? null : reason)
};
const CANARY: Good = {
  ...{ what: 'canary', services: 3, rate: 200 },
  options: { bake: 0 },
  order: { canary: '25%', hold: '4s' },
  wrongOf: ({ outcome, reason }) => (outcome === 'active' ? null : `${outcome}: ${reason}`)
};

/** On services side by side on the same cores, while another process takes the CPU for some seconds now and then. */
function runGood(context: Context, good: Good, count: number): Promise<{ count: number; wrong: string[] }> {
  return withCleanup(async (keep) => {
    keep(startNeighbour());
    const wrong: string[] = [];
    let begun = 0;
    const run = async (): Promise<void> => {
      const service = keep(await BenchService.start(context, { pinned: false }, { entry: SHOP, ...good.options }));
      keep(await startVisitors(context, service.port, good.rate, 'bursty'));
      await delay(10_000);
      while (begun < count) {
        begun += 1;
        context.progress(`good ${good.what} ${begun} of ${count}, beside others and a busy neighbour`);
        const why = good.wrongOf(await deploy(service, '', good.order));
        if (why !== null) wrong.push(why);
      }
    };
    await Promise.all(Array.from({ length: good.services }, run));
    return { count, wrong };
  });
}

async function startVisitors(context: Context, port: number, rate: number, traffic: Manner['traffic']) {
  const args = ['--import', 'tsx', VISITORS, String(port), String(rate), traffic];
  const child = startProcess({ args, core: context.machine.pins?.load ?? null });
  await firstMessage(child, 'the visitors');
  return { end: () => endProcess(child) };
}

/** Takes all of one core for 3 s of every 7, as a build or a backup would; it ends with the bench. */
function startNeighbour(): { end(): Promise<void> } {
  const burn =
    'process.stdin.resume().on("end", () => process.exit()); setInterval(() => { const until = Date.now() + 100; if (Date.now() % 7000 < 3000) while (Date.now() < until); }, 0)';
  const child: ChildProcess = spawn(process.execPath, ['-e', burn], { stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = once(child, 'exit');
  return {
    end: async () => {
      child.kill();
      await gone;
    }
  };
}
