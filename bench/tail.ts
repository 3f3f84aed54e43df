import { fileURLToPath } from 'node:url';
import type { SuperviseOptions } from '../src/supervise.ts';
import { LoadGenerator } from './load/generator.ts';
import { clock } from './load/patterns.ts';
import { Sandbox } from './peers/sandbox.ts';
import { cluster } from './peers/systems/cluster.ts';
import { haproxyKept } from './peers/systems/haproxy.ts';
import type { Claim, Context, Detail } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { atMost, median, spread, sum } from './rig/statistics.ts';
import { showTimeline, type Turn, takeTurn } from './tail/turn.ts';

const LIMIT = 3;
const CONNECTIONS = 64;
const CAPACITY_MS = 1_500;
/** Machines that are shared are twice as fast at times: what they can do is the middle of so many looks. */
const CAPACITY_LOOKS = 5;
const DRAIN_MS = 5_000;

/** A load, and the app that has to carry it. */
interface Setting {
  readonly name: string;
  readonly pinned: boolean;
  readonly connections: number;
  /** Of what the app can do. */
  readonly share: number;
  readonly options: SuperviseOptions;
}

const HALF: Setting = { name: 'half', pinned: true, connections: CONNECTIONS, share: 0.5, options: {} };
const OTHERS: readonly Setting[] = [
  { name: 'a quarter, on any core', pinned: false, connections: CONNECTIONS, share: 0.25, options: {} },
  {
    name: 'Express, 1 ms of CPU a request, 200 connections that are mostly idle, a quarter',
    pinned: false,
    connections: 200,
    share: 0.25,
    options: { entry: fileURLToPath(new URL('./tail/express.mjs', import.meta.url)) }
  }
];

/** The slowest hundredth around a deploy beside the steady state, at half of what the service can do. */
export const tail: Claim = {
  name: 'tail',
  claim: 'p99 latency in the two seconds around a reload, or a rollback / in the steady state, at half capacity',
  limit: `<= ${LIMIT}`,
  run: async (context) => {
    const turns = context.quick ? 2 : 7;
    const half = await measure(context, HALF, turns);
    const details: Detail[] = [
      { name: 'capacity', value: half.capacity, unit: 'requests/s' },
      { name: 'sent', value: half.rate, unit: 'requests/s' },
      ...show('reload', half.reloads, context),
      ...show('rollback', half.rollbacks, context)
    ];
    if (!context.quick) {
      for (const setting of OTHERS) {
        const { reloads, rollbacks, rate } = await measure(context, setting, 3);
        details.push({ name: `${setting.name}: sent`, value: rate, unit: 'requests/s' });
        details.push(...show(`${setting.name}: reload`, reloads, context));
        details.push(...show(`${setting.name}: rollback`, rollbacks, context));
      }
      for (const system of [cluster, haproxyKept])
        details.push(...(await measureBeside(context, system, half.rate, 3)));
    }
    const value = Math.max(middle(half.reloads), middle(half.rollbacks));
    return { value, unit: 'x', ok: atMost(value, LIMIT), details };
  }
};

function measure(context: Context, setting: Setting, count: number) {
  const { name, pinned, connections, share, options } = setting;
  return withCleanup(async (keep) => {
    const load = keep(await LoadGenerator.start(context));
    const service = keep(await BenchService.start(context, { pinned }, options));
    await load.open('tail', service.port, connections);
    context.progress(`${name}: measuring the capacity`);
    const capacity = await findCapacity(load, 'tail');
    const rate = Math.round(capacity * share);
    const [reloads, rollbacks]: [Turn[], Turn[]] = [[], []];
    for (let turn = 1; turn <= count; turn += 1) {
      context.progress(`${name}: reload and rollback ${turn} of ${count}, at ${rate} requests/s`);
      reloads.push(
        await takeTurn(load, 'tail', rate, async () => {
          const orderedAt = clock();
          const { bootMs, cutoverMs } = await service.control.reload();
          return orderedAt + bootMs + cutoverMs;
        })
      );
      rollbacks.push(
        await takeTurn(load, 'tail', rate, async () => {
          const orderedAt = clock();
          const { tookMs: cutoverMs } = await service.control.rollback();
          return orderedAt + cutoverMs;
        })
      );
    }
    return { capacity, rate, reloads, rollbacks };
  });
}

/** @unit requests per second */
async function findCapacity(load: LoadGenerator, name: string): Promise<number> {
  await load.flood(name, CAPACITY_MS); // the first second is the compiler's
  const looks: number[] = [];
  for (let look = 0; look < CAPACITY_LOOKS; look += 1) {
    const { answered, tookMs } = await load.flood(name, CAPACITY_MS);
    looks.push((answered / tookMs) * 1000);
  }
  return median(looks) ?? Number.NaN;
}

/** The same load and client on another way to deploy, at the same absolute rate. */
function measureBeside(context: Context, system: typeof cluster, rate: number, count: number): Promise<Detail[]> {
  const missing = system.missing();
  if (missing) return Promise.resolve([{ name: system.name, value: `not measured: ${missing.why}` }]);
  return withCleanup(async (keep) => {
    const { machine } = context;
    const sandbox = keep(await Sandbox.create({ drainMs: DRAIN_MS, core: machine.pins?.server ?? null }));
    const running = await system.start(sandbox);
    const load = keep(await LoadGenerator.start(context));
    await load.open('beside', sandbox.port, CONNECTIONS);
    const capacity = Math.round(await findCapacity(load, 'beside'));
    if (capacity < rate) return [{ name: system.name, value: `cannot carry it: ${capacity} requests/s at the most` }];
    const turns: Turn[] = [];
    for (let turn = 1; turn <= count; turn += 1) {
      context.progress(`${system.name}: deploy ${turn} of ${count}`);
      sandbox.version = String(turn + 1);
      turns.push(
        await takeTurn(load, 'beside', rate, async () => {
          await running.deploy();
          return clock();
        })
      );
    }
    return show(system.name, turns, context);
  });
}

const middle = (turns: readonly Turn[]) => median(turns.map(({ ratio }) => ratio ?? Number.NaN)) ?? Number.NaN;

function show(name: string, turns: readonly Turn[], { timeline }: Context): Detail[] {
  const of = (field: 'steady' | 'around' | 'after' | 'longest') =>
    median(turns.map((turn) => turn[field] ?? Number.NaN));
  const lines = timeline
    ? turns.map((turn, index) => ({ name: `${name} ${index + 1}`, value: showTimeline(turn) }))
    : [];
  return [
    { name: `${name}: p99 around it / steady`, value: middle(turns), unit: 'x' },
    { name: `${name}: middle half`, value: spread(turns.map(({ ratio }) => ratio ?? Number.NaN)) },
    { name: `${name}: steady p99`, value: of('steady'), unit: 'ms' },
    { name: `${name}: p99 around it`, value: of('around'), unit: 'ms' },
    { name: `${name}: p99 from 1 to 3 s after it`, value: of('after'), unit: 'ms' },
    { name: `${name}: longest wait around it`, value: of('longest'), unit: 'ms' },
    {
      name: `${name}: requests lost, connections opened again`,
      value: `${sum(turns.map(({ lost }) => lost))}, ${sum(turns.map(({ reconnects }) => reconnects))}`
    },
    ...lines
  ];
}
