import { setTimeout as delay } from 'node:timers/promises';
import { EVERY_KIND, type Report, startLoad } from '../client/index.ts';
import { waitsFrom } from '../idle.ts';
import { LoadGenerator } from '../load/generator.ts';
import { clock } from '../load/patterns.ts';
import type { Context, Detail } from '../rig/model.ts';
import { BenchService, withCleanup } from '../rig/service.ts';
import { median, quantile, ratio, spread, sum } from '../rig/statistics.ts';
import { describeReport, failedIn } from './report.ts';

const NAME = 'supervisor';
const CONNECTIONS = 64;
const CAPACITY_MS = 1_000;
/** Of what the service can do; by name. At half of it, a process that starts on the same core leaves a queue. */
const SHARES = { half: 0.5, 'a quarter': 0.25 };
const SETTLE_MS = 500;
/** From the moment on in which something is done, or nothing: in it the next supervisor starts and takes over. */
const WINDOW_MS = 2_000;
/** The next one comes before, however slow the machine is; what was broken off leaves then. */
const OPTIONS = { bake: 0, orphanTimeout: '10s' };

/** Two seconds. Waits in milliseconds. */
interface Turn {
  readonly p99: number | null;
  readonly longest: number | null;
  /** From the order, or the kill, until the next supervisor has everything. */
  readonly tookMs: number | null;
  readonly lost: number;
  readonly reconnects: number;
}

interface Side {
  readonly name: string;
  readonly act: () => Promise<number | null>;
  readonly turns: Turn[];
}

/** Kills the supervisor, and has it upgraded, beside as long in which nothing happens; and both under the strict client. */
export async function replaceSupervisor(context: Context): Promise<{ failed: number; details: readonly Detail[] }> {
  const paced: Paced[] = [];
  for (const [name, share] of Object.entries(SHARES).slice(0, context.quick ? 1 : undefined))
    paced.push(await underPace(context, name, share));
  const report = await underStrictClient(context);
  const turns = paced.flatMap(({ sides }) => sides.flatMap((side) => side.turns));
  const title = 'supervisor crashed and upgraded, strict client';
  return {
    failed: sum(turns.map(({ lost }) => lost)) + failedIn(report),
    details: [
      ...paced.flatMap(describePaced),
      { name: 'supervisor: requests lost', value: sum(turns.map(({ lost }) => lost)) },
      { name: 'supervisor: connections opened again', value: sum(turns.map(({ reconnects }) => reconnects)) },
      ...describeReport(title, report)
    ]
  };
}

interface Paced {
  /** Which share of what the service can do. */
  readonly name: string;
  readonly rate: number;
  readonly sides: readonly [Side, Side, Side];
}

function underPace(context: Context, name: string, share: number): Promise<Paced> {
  return withCleanup(async (keep) => {
    const { quick, progress } = context;
    const load = keep(await LoadGenerator.start(context));
    const service = keep(await BenchService.start(context, { pinned: true }, OPTIONS));
    await service.control.reload(); // so that there is a standby to be taken over too
    await load.open(NAME, service.port, CONNECTIONS);
    progress('supervisor: measuring the capacity');
    await load.flood(NAME, CAPACITY_MS); // the first second is the compiler's
    const { answered, tookMs } = await load.flood(NAME, CAPACITY_MS);
    const rate = Math.round((answered / tookMs) * 1000 * share);
    const sides: readonly [Side, Side, Side] = [
      { name: 'quiet', act: async () => null, turns: [] },
      { name: 'killed', act: () => service.crash(), turns: [] },
      { name: 'upgraded', act: () => service.upgrade(), turns: [] }
    ];
    const rounds = quick ? 2 : 6;
    for (let round = 1; round <= rounds; round += 1) {
      progress(`supervisor: round ${round} of ${rounds}, at ${rate} requests/s`);
      for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
        await service.settled();
        side.turns.push(await takeTurn(load, rate, side.act));
      }
    }
    return { name, rate, sides };
  });
}

async function takeTurn(load: LoadGenerator, rate: number, act: Side['act']): Promise<Turn> {
  const pacing = load.pace(NAME, rate, SETTLE_MS + WINDOW_MS);
  await delay(SETTLE_MS);
  const orderedAt = clock();
  const tookMs = await act();
  const paced = await pacing;
  const waits = waitsFrom(paced, orderedAt, orderedAt + WINDOW_MS);
  const { lost, reconnects } = paced;
  return { p99: quantile(waits, 0.99), longest: quantile(waits, 1), tookMs, lost, reconnects };
}

function underStrictClient(context: Context): Promise<Report> {
  return withCleanup(async (keep) => {
    const service = keep(await BenchService.start(context, { pinned: true }, OPTIONS));
    await service.control.reload();
    const target = { host: '127.0.0.1', port: service.port };
    const load = startLoad({ target, clients: EVERY_KIND, busyPauseMs: 2, idleEveryMs: 700 });
    try {
      await load.warm();
      const times = context.quick ? 2 : 5;
      for (let time = 1; time <= times; time += 1) {
        context.progress(`supervisor, strict client: ${time} of ${times}`);
        for (const act of [() => service.crash(), () => service.upgrade()]) {
          await act();
          await service.settled();
          await delay(context.quick ? 100 : 500);
        }
      }
    } finally {
      await load.stop();
    }
    return load.stop();
  });
}

const of = ({ turns }: Side, field: 'p99' | 'longest' | 'tookMs') => turns.map((turn) => turn[field] ?? Number.NaN);

function describePaced({ name, rate, sides: [quiet, ...others] }: Paced): Detail[] {
  return [
    { name: `supervisor, ${name} of what the service can do: sent`, value: rate, unit: 'requests/s' },
    { name: `supervisor, ${name}: quiet: p99 of two seconds`, value: median(of(quiet, 'p99')), unit: 'ms' },
    ...others.flatMap((side) => describeSide(`supervisor, ${name}: ${side.name}`, side, quiet))
  ];
}

function describeSide(title: string, side: Side, quiet: Side): Detail[] {
  // Of each round, beside its own quiet time.
  const ratios = side.turns.map(({ p99 }, index) => ratio(p99, quiet.turns[index]?.p99 ?? null) ?? Number.NaN);
  return [
    { name: `${title}: p99 of the two seconds from then on / quiet`, value: median(ratios), unit: 'x' },
    { name: `${title}: middle half`, value: spread(ratios) },
    { name: `${title}: p99`, value: median(of(side, 'p99')), unit: 'ms' },
    { name: `${title}: longest wait`, value: median(of(side, 'longest')), unit: 'ms' },
    { name: `${title}: until the next one has everything`, value: median(of(side, 'tookMs')), unit: 'ms' }
  ];
}
