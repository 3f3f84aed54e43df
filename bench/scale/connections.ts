import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { waits } from '../idle.ts';
import { LoadGenerator } from '../load/generator.ts';
import { clock, type PacedResult } from '../load/patterns.ts';
import type { Context } from '../rig/model.ts';
import { BenchService, withCleanup } from '../rig/service.ts';
import { median, quantile, sum } from '../rig/statistics.ts';
import { memoryOf } from '../rig/usage.ts';
import { roomFor } from './files.ts';
import type { Part, Row } from './part.ts';

const ENTRY = fileURLToPath(new URL('./app.mjs', import.meta.url));
const SIZES = [100, 1_000, 5_000, 10_000];
/** Probes per second, each on one of the idle connections, picked at random. */
const PROBES = 500;
const BEFORE_MS = 500;
/** A boot, and what no handover needs that goes well: 1 ms a connection. */
const watchMs = (connections: number) => 1_500 + connections;

/** What kept-alive connections that do nothing cost, and what they cost when they are handed over. */
export const connections: Part = {
  name: 'connections',
  about: 'idle kept-alive connections handed over in a reload, one worker on a core of its own',
  async run(context) {
    const most = roomFor(SIZES.at(-1) ?? 0);
    const sizes = SIZES.filter((size) => size <= most);
    const rows: Row[] = [];
    for (const size of sizes) {
      rows.push({ ...(await measure(context, size)), 'reconnects in 2 s': await reconnectsByDefault(context, size) });
    }
    const notes = [
      'With a handover budget of 60 s, so that all of them move, those with a request in transit after its answer. The last column is with the default of 2 s: connections that had not had their turn by then and were asked to leave with their next answer.',
      'Waits are of requests that were under way while connections moved; memory is resident, after the last handover; kB each is what a connection adds to an empty worker.'
    ];
    if (sizes.length < SIZES.length) {
      notes.push(
        `No more than ${most} connections: no more files may be open, and this user may not raise that (ulimit -n).`
      );
    }
    return { rows, notes };
  }
};

interface Round {
  readonly moved: number;
  readonly tookMs: number;
  readonly probes: PacedResult;
  readonly steady: readonly number[];
  readonly meanwhile: readonly number[];
}

function measure(context: Context, size: number): Promise<Row> {
  return withCleanup(async (keep) => {
    const { quick, progress } = context;
    const load = keep(await LoadGenerator.start(context));
    const service = keep(await BenchService.start(context, { pinned: true }, { entry: ENTRY, handoverBudget: '60s' }));
    await service.control.reload(); // so that there is a standby before and after
    const before = await memoryIn(service);
    progress(`${size} connections: opening`);
    await load.open('idle', service.port, size);
    const rounds: Round[] = [];
    const count = quick ? 1 : 3;
    for (let turn = 1; turn <= count; turn += 1) {
      progress(`${size} connections: handover ${turn} of ${count}`);
      rounds.push(await handOver(load, service, size));
    }
    const after = await memoryIn(service);
    const meanwhile = rounds.flatMap((round) => round.meanwhile);
    const steady = rounds.flatMap((round) => round.steady);
    const tookMs = median(rounds.map((round) => round.tookMs));
    return {
      connections: size,
      'moved idle': median(rounds.map(({ moved }) => moved)),
      'all over ms': tookMs,
      'per second': tookMs ? (size / tookMs) * 1_000 : null,
      'quiet p50 ms': quantile(steady, 0.5),
      'quiet p99': quantile(steady, 0.99),
      'meanwhile p50': quantile(meanwhile, 0.5),
      p99: quantile(meanwhile, 0.99),
      longest: quantile(meanwhile, 1),
      lost: sum(rounds.map(({ probes }) => probes.lost)),
      reconnects: sum(rounds.map(({ probes }) => probes.reconnects)),
      'supervisor MB': after?.supervisor ?? null,
      'worker MB': after?.worker ?? null,
      'standby MB': after?.standby ?? null,
      // Of few connections it says nothing: the heap grows and shrinks by more than they need.
      'worker kB each': size >= 1_000 && after && before ? ((after.worker - before.worker) * 1_000) / size : null
    };
  });
}

/** How many have to connect again after one handover as it is by default, without a request being lost. */
function reconnectsByDefault(context: Context, size: number): Promise<number> {
  return withCleanup(async (keep) => {
    context.progress(`${size} connections: the default budget`);
    const load = keep(await LoadGenerator.start(context));
    const service = keep(await BenchService.start(context, { pinned: true }, { entry: ENTRY }));
    await load.open('idle', service.port, size);
    await service.control.reload();
    return (await load.touch('idle')).reconnects;
  });
}

interface Megabytes {
  readonly supervisor: number;
  readonly worker: number;
  readonly standby: number;
}

async function memoryIn(service: BenchService): Promise<Megabytes | null> {
  const pids = [service.supervisorPid, await service.workerPid(), await service.standbyPid()];
  const [supervisor, worker, standby] = pids.map((pid) => memoryOf(pid)?.rssBytes);
  if (!supervisor || !worker || !standby) return null;
  return { supervisor: supervisor / 1e6, worker: worker / 1e6, standby: standby / 1e6 };
}

async function handOver(load: LoadGenerator, service: BenchService, size: number): Promise<Round> {
  const following = new AbortController();
  let cutoverAt = 0;
  // After it has opened, its only end is ours, or that of the whole bench.
  await new Promise<void>((resolve, reject) => {
    const onEvent = ({ event }: { event: string }) => {
      if (event === 'cutover') cutoverAt = clock();
    };
    service.control.follow(onEvent, resolve, following.signal).catch(reject);
  });
  await load.touch('idle');
  const probing = load.pace('idle', PROBES, BEFORE_MS + watchMs(size));
  await sleep(BEFORE_MS);
  const orderedAt = clock();
  const { handedOver } = await service.control.reload();
  const endedAt = clock();
  const probes = await probing;
  following.abort();
  return {
    moved: handedOver,
    tookMs: endedAt - cutoverAt,
    probes,
    steady: waits(probes, 0, orderedAt),
    meanwhile: waits(probes, cutoverAt, endedAt)
  };
}
