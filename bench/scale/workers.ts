import { LoadGenerator } from '../load/generator.ts';
import type { LoadResult } from '../load/patterns.ts';
import type { Context } from '../rig/model.ts';
import { BenchService, startPlain, withCleanup } from '../rig/service.ts';
import { alternate, median, ratio, sum } from '../rig/statistics.ts';
import type { Part, Row } from './part.ts';

const COUNTS = [1, 2, 4, 8];
const CONNECTIONS = 64;
const FRESH_TOGETHER = 16;
const SLICE_MS = 400;

/** Whether several workers share the work evenly, and what they get done, beside one process of plain node. */
export const workers: Part = {
  name: 'workers',
  about: `1 to 8 workers on one socket: ${CONNECTIONS} kept-alive connections, ${FRESH_TOGETHER} fresh ones at a time`,
  async run(context) {
    const rows: Row[] = [];
    for (const count of COUNTS) rows.push(await measure(context, count));
    const { cores } = context.machine;
    return {
      rows,
      notes: [
        'Uneven: the busiest worker / the mean; 1 is even. Shares: of one process of plain node, in pairs of neighbouring slices; nothing but the load has a core of its own.',
        `More workers than free cores cannot do more work; this machine has ${cores} cores, one of them for the load.`
      ]
    };
  }
};

/** The most of some counts over their mean; null where there is nothing to compare. */
export function unevenness(counts: readonly (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length < counts.length ? null : ratio(Math.max(...known), sum(known) / known.length);
}

function measure(context: Context, count: number): Promise<Row> {
  return withCleanup(async (keep) => {
    const load = keep(await LoadGenerator.start(context));
    const plain = keep(await startPlain(context, { pinned: false }));
    const service = keep(await BenchService.start(context, { pinned: false }, { workers: count }));
    await load.open('plain', plain.port, CONNECTIONS);
    await load.open('handover', service.port, CONNECTIONS);
    const opened = await factsOf(service);
    const pairs = context.quick ? 3 : 12;
    const watch = (what: string) => (pair: number) =>
      context.progress(`${count} workers, ${what}: pair ${pair} of ${pairs}`);
    const kept = await compare(
      pairs,
      () => load.flood('plain', SLICE_MS),
      () => load.flood('handover', SLICE_MS),
      watch('kept alive')
    );
    const flooded = await factsOf(service);
    const fresh = await compare(
      pairs,
      () => load.fresh(plain.port, SLICE_MS, FRESH_TOGETHER),
      () => load.fresh(service.port, SLICE_MS, FRESH_TOGETHER),
      watch('fresh')
    );
    const freshened = await factsOf(service);
    const between = (from: readonly Facts[], to: readonly Facts[]) =>
      unevenness(to.map(({ requests }, at) => difference(requests, from[at]?.requests ?? null)));
    return {
      workers: count,
      'connections: uneven': unevenness(opened.map(({ connections }) => connections)),
      least: Math.min(...opened.map(({ connections }) => connections ?? 0)),
      most: Math.max(...opened.map(({ connections }) => connections ?? 0)),
      'kept alive: requests uneven': between(opened, flooded),
      'share of bare node': kept.share,
      'per second': kept.perSecond,
      'fresh: requests uneven': between(flooded, freshened),
      'share of node': fresh.share,
      'a second': fresh.perSecond,
      lost: kept.lost + fresh.lost
    };
  });
}

interface Facts {
  readonly connections: number | null;
  readonly requests: number | null;
}

async function factsOf(service: BenchService): Promise<readonly Facts[]> {
  const { active } = await service.control.status();
  return active?.workers ?? [];
}

const difference = (to: number | null, from: number | null) => (to === null || from === null ? null : to - from);

interface Comparison {
  readonly share: number | null;
  readonly perSecond: number | null;
  readonly lost: number;
}

async function compare(
  pairs: number,
  plain: () => Promise<LoadResult>,
  handover: () => Promise<LoadResult>,
  watch: (pair: number) => void
): Promise<Comparison> {
  const [bare, ours]: [LoadResult[], LoadResult[]] = [[], []];
  for (const pair of alternate({ run: plain, to: bare }, { run: handover, to: ours }, pairs)) {
    watch(bare.length + 1);
    for (const { run, to } of pair) to.push(await run());
  }
  const rates = ours.map(({ answered, tookMs }) => (answered / tookMs) * 1_000);
  const shares = rates.map((rate, at) => rate / (((bare[at]?.answered ?? 0) / (bare[at]?.tookMs ?? 0)) * 1_000));
  return { share: median(shares), perSecond: median(rates), lost: sum([...bare, ...ours].map(({ lost }) => lost)) };
}
