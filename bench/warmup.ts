import { setTimeout as delay } from 'node:timers/promises';
import { waitsFrom } from './idle.ts';
import { LoadGenerator } from './load/generator.ts';
import { clock } from './load/patterns.ts';
import type { Claim } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { alternate, median, quantile, ratio, spread, sum } from './rig/statistics.ts';

const CONNECTIONS = 64;
const CAPACITY_MS = 1_000;
/** Of what the service can do: what is seen is the cold code then, less the queue that a boot leaves. */
const SHARE = 0.25;
const SETTLE_MS = 300;
/** What a boot and its warm-up may take; the first second after a later cutover is not all under load. */
const BOOT_MS = 1_700;
const FIRST_MS = 1_000;
const TURN_MS = SETTLE_MS + BOOT_MS + FIRST_MS;

interface Side {
  readonly name: 'cold' | 'warm';
  readonly service: BenchService;
  readonly rounds: Round[];
}

/** One reload. Waits in milliseconds; null where the cutover came too late for the load. */
interface Round {
  readonly p99: number | null;
  readonly longest: number | null;
  readonly bootMs: number;
  readonly lost: number;
}

/** What the first users of a new generation wait, with and without private requests before them. */
export const warmUp: Claim = {
  name: 'warm-up',
  claim: 'p99 latency in the first second after a cutover, with a warm-up / without one, at a quarter of capacity',
  limit: null,
  run: (context) =>
    withCleanup(async (keep) => {
      const { quick, progress } = context;
      const load = keep(await LoadGenerator.start(context));
      const start = async (name: Side['name'], options: object): Promise<Side> => {
        const service = keep(await BenchService.start(context, { pinned: true }, { bake: 0, ...options }));
        await load.open(name, service.port, CONNECTIONS);
        return { name, service, rounds: [] };
      };
      const cold = await start('cold', {});
      const warm = await start('warm', { warmUp: '/answer' });
      progress('measuring the capacity');
      await load.flood('warm', CAPACITY_MS); // the first second is the compiler's, in both
      await load.flood('cold', CAPACITY_MS);
      const { answered, tookMs } = await load.flood('cold', CAPACITY_MS);
      const rate = Math.round((answered / tookMs) * 1000 * SHARE);
      const pairs = quick ? 2 : 8;
      for (const pair of alternate(cold, warm, pairs)) {
        progress(`reload ${cold.rounds.length + 1} of ${pairs}, at ${rate} requests/s`);
        for (const side of pair) side.rounds.push(await reload(load, side, rate));
      }
      const ratios = warm.rounds
        .map(({ p99 }, index) => ratio(p99, cold.rounds[index]?.p99 ?? null))
        .filter((value) => value !== null);
      const of = ({ rounds }: Side, name: 'p99' | 'longest') =>
        rounds.map((round) => round[name]).filter((value) => value !== null);
      const show = (side: Side, title: string) => [
        { name: `${title}: p99`, value: median(of(side, 'p99')), unit: 'ms' },
        { name: `${title}: p99, middle half`, value: spread(of(side, 'p99')) },
        { name: `${title}: longest wait`, value: median(of(side, 'longest')), unit: 'ms' },
        { name: `${title}: longest wait of all`, value: quantile(of(side, 'longest'), 1), unit: 'ms' },
        { name: `${title}: order to ready`, value: median(side.rounds.map(({ bootMs }) => bootMs)), unit: 'ms' }
      ];
      return {
        value: median(ratios),
        unit: 'x',
        ok: null,
        details: [
          { name: 'middle half of the pairs', value: spread(ratios) },
          { name: 'pairs under load to the end', value: `${ratios.length} of ${pairs}` },
          { name: 'sent', value: rate, unit: 'requests/s' },
          ...show(cold, 'without'),
          ...show(warm, 'with'),
          { name: 'requests lost', value: sum([cold, warm].flatMap(({ rounds }) => rounds.map(({ lost }) => lost))) }
        ]
      };
    })
};

async function reload(load: LoadGenerator, { name, service }: Side, rate: number): Promise<Round> {
  await service.settled();
  await load.touch(name); // plain Node closes a connection that was idle for 5 s, as during the turns of the other
  const startedAt = clock();
  const pacing = load.pace(name, rate, TURN_MS);
  await delay(SETTLE_MS);
  const orderedAt = clock();
  const { bootMs } = await service.control.reload();
  const paced = await pacing;
  // It may accept from here on: the first answers are the coldest. What was sent before has waited for the boot.
  const openedAt = orderedAt + bootMs;
  const first = openedAt + FIRST_MS <= startedAt + TURN_MS ? waitsFrom(paced, openedAt, openedAt + FIRST_MS) : [];
  return { p99: quantile(first, 0.99), longest: quantile(first, 1), bootMs, lost: paced.lost };
}
