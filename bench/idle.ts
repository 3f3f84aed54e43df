import { LoadGenerator } from './load/generator.ts';
import { clock, type PacedResult } from './load/patterns.ts';
import type { Claim, Context } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { median, quantile, spread, sum } from './rig/statistics.ts';
import { fileLimit } from './rig/usage.ts';

const CONNECTIONS = 2_000;
/** What the processes need besides the connections. */
const OTHER_FILES = 200;
/** Probes per second, each on one of the idle connections, picked at random. */
const PROBES = 500;
const BEFORE_MS = 1_000;
const AFTER_MS = 1_500;

/** How fast idle kept-alive connections move, and what a request sent meanwhile has to wait. */
export const idle: Claim = {
  name: 'idle',
  claim: '2,000 idle kept-alive connections handed over, per second; the wait of a request sent meanwhile',
  limit: null,
  run: (context) =>
    withCleanup(async (keep) => {
      const connections = Math.min(CONNECTIONS, (fileLimit() ?? 1_024) - OTHER_FILES);
      const load = keep(await LoadGenerator.start(context));
      const service = keep(await BenchService.start(context, { pinned: true }));
      await load.open('idle', service.port, connections);
      const rounds = await handOver(context, load, service);
      const perSecond = rounds.map(({ moved, tookMs }) => (moved / tookMs) * 1000);
      const steady = rounds.flatMap((round) => round.steady);
      const meanwhile = rounds.flatMap((round) => round.meanwhile);
      const moved = rounds.map((round) => round.moved);
      return {
        value: median(perSecond),
        unit: 'connections/s',
        ok: null,
        details: [
          { name: 'middle half of the handovers', value: spread(perSecond, 0) },
          {
            name: 'connections',
            value: connections < CONNECTIONS ? `${connections}: no more files may be open (ulimit -n)` : connections
          },
          { name: 'moved while idle, at p50', value: median(moved) },
          { name: 'from cutover until all had moved', value: median(rounds.map(({ tookMs }) => tookMs)), unit: 'ms' },
          { name: 'wait in the steady state, p50', value: quantile(steady, 0.5), unit: 'ms' },
          { name: 'wait in the steady state, p99', value: quantile(steady, 0.99), unit: 'ms' },
          { name: 'wait meanwhile, p50', value: quantile(meanwhile, 0.5), unit: 'ms' },
          { name: 'wait meanwhile, p99', value: quantile(meanwhile, 0.99), unit: 'ms' },
          { name: 'wait meanwhile, longest', value: quantile(meanwhile, 1), unit: 'ms' },
          { name: 'probes', value: `${steady.length} steady, ${meanwhile.length} meanwhile` },
          { name: 'requests lost', value: sum(rounds.map(({ lost }) => lost)) },
          { name: 'connections opened again', value: sum(rounds.map(({ reconnects }) => reconnects)) }
        ]
      };
    })
};

interface Round extends Pick<PacedResult, 'lost' | 'reconnects'> {
  readonly tookMs: number;
  readonly moved: number;
  /** Waits of probes, in milliseconds. */
  readonly steady: readonly number[];
  readonly meanwhile: readonly number[];
}

async function handOver({ quick, progress }: Context, load: LoadGenerator, service: BenchService): Promise<Round[]> {
  let cutoverAt = 0;
  await service.follow(({ event }) => {
    if (event === 'cutover') cutoverAt = clock();
  });
  const rounds: Round[] = [];
  const count = quick ? 2 : 6;
  for (let turn = 1; turn <= count; turn += 1) {
    progress(`handover ${turn} of ${count}`);
    // Plain Node closes a connection that has been idle for 5 s; none may be so old.
    await load.touch('idle');
    const probing = load.pace('idle', PROBES, BEFORE_MS + AFTER_MS);
    await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
    const orderedAt = clock();
    const { handedOver } = await service.control.reload();
    const endedAt = clock();
    const probes = await probing;
    rounds.push({
      lost: probes.lost,
      reconnects: probes.reconnects,
      tookMs: endedAt - cutoverAt,
      moved: handedOver,
      steady: waits(probes, 0, orderedAt),
      meanwhile: waits(probes, cutoverAt, endedAt)
    });
  }
  return rounds;
}

/** Waits of the requests that were under way at any time between two moments. */
export function waits({ endedAt, ms }: PacedResult, from: number, to: number): number[] {
  return [...ms].filter((wait, index) => {
    const end = endedAt[index] ?? 0;
    return end >= from && end - wait <= to;
  });
}

/** Waits of the requests that were meant to be sent between two moments. */
export function waitsFrom({ endedAt, ms }: PacedResult, from: number, to: number): number[] {
  return [...ms].filter((wait, index) => {
    const intendedAt = (endedAt[index] ?? 0) - wait;
    return intendedAt >= from && intendedAt <= to;
  });
}
