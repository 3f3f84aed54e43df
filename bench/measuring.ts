import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LoadGenerator } from './load/generator.ts';
import type { Claim, Context } from './rig/model.ts';
import { endProcess, firstMessage, startProcess } from './rig/processes.ts';
import { APP, type RunningServer, withCleanup } from './rig/service.ts';
import { cpuPerRequest, pairs, rate, run, type Side } from './rig/sides.ts';
import { atLeast, median, ratio, spread, sum } from './rig/statistics.ts';

const LIMIT = 0.98;
const CONNECTIONS = 64;
const SLICE_MS = 250;
/** Two processes of one program are never equally fast: each round has processes of its own. */
const ROUNDS = 6;
const PAIRS = 16;
const MEASURED_WORKER = fileURLToPath(new URL('./rig/measured-worker.ts', import.meta.url));

/** What it costs a worker to count and to be asked for it each second, beside one that does neither. */
export const measuring: Claim = {
  name: 'measuring',
  claim: 'kept-alive throughput of a worker that is measured / of one that is not',
  limit: `>= ${LIMIT}`,
  async run(context) {
    const rounds: (readonly [Side, Side])[] = [];
    for (let round = 1; round <= (context.quick ? 2 : ROUNDS); round += 1) {
      rounds.push(await runRound(context, `round ${round}`));
    }
    const all = rounds.flatMap(pairs);
    const [plain, measured] = ([0, 1] as const).map((which) => join(rounds.map((sides) => sides[which])));
    const value = median(all);
    return {
      value,
      unit: 'x',
      ok: atLeast(value, LIMIT),
      details: [
        { name: 'middle half of the pairs', value: spread(all, 3) },
        { name: 'each round', value: rounds.map((sides) => (median(pairs(sides)) ?? Number.NaN).toFixed(3)).join(' ') },
        { name: 'not measured: requests', value: plain ? rate(plain) : null, unit: '/s' },
        { name: 'measured: requests', value: measured ? rate(measured) : null, unit: '/s' },
        {
          name: 'CPU per request, not measured / measured',
          value: plain && measured ? ratio(cpuPerRequest(plain), cpuPerRequest(measured)) : null,
          unit: 'x'
        },
        { name: 'requests lost', value: sum(rounds.flat().flatMap(({ slices }) => slices.map(({ lost }) => lost))) }
      ]
    };
  }
};

function runRound(context: Context, name: string): Promise<readonly [Side, Side]> {
  return withCleanup(async (keep) => {
    const load = keep(await LoadGenerator.start(context));
    const sides: [Side, Side] = [
      { name: 'plain', ...keep(await startWorker(context, false)), slices: [] },
      { name: 'measured', ...keep(await startWorker(context, true)), slices: [] }
    ];
    for (const side of sides) {
      await load.open(side.name, side.port, CONNECTIONS);
      await load.flood(side.name, 2 * SLICE_MS); // what is compiled is what is compared
    }
    await run(context, sides, PAIRS, name, (side) => load.flood(side.name, SLICE_MS));
    return sides;
  });
}

async function startWorker({ build, machine }: Context, measured: boolean): Promise<RunningServer> {
  const preload = resolve(build, 'preload.cjs');
  const child = startProcess({
    args: ['--import', 'tsx', MEASURED_WORKER, preload, APP, measured ? 'measured' : 'plain'],
    core: machine.pins?.server ?? null
  });
  const { port, pid } = await firstMessage<{ port: number; pid: number }>(child, 'a worker and who measures it');
  return { port, pid, end: () => endProcess(child) };
}

/** One side over all its rounds. */
function join(rounds: readonly Side[]): Side | undefined {
  const [first] = rounds;
  return first && { ...first, slices: rounds.flatMap(({ slices }) => slices) };
}
