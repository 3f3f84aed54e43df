import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { waitsFrom } from './idle.ts';
import { LoadGenerator } from './load/generator.ts';
import { clock } from './load/patterns.ts';
import type { Claim, Context } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { median, quantile, spread, sum } from './rig/statistics.ts';

const SLOW_MS = 250;
const CONNECTIONS = 64;
/** Requests per second, each on one of the kept-alive connections, picked at random. */
const PROBES = 400;
const SETTLE_MS = 300;
/** What a boot, and the gap after it, may take; a later handover is not under load to its end. */
const HANDOVER_MS = 2_000;
const TURN_MS = SETTLE_MS + HANDOVER_MS;
/** Beyond that a slow request is lost. */
const ANSWER_TIMEOUT_MS = 10_000;

/** How long nobody serves where two versions must never both serve, less what the request in flight takes anyway. */
export const exclusive: Claim = {
  name: 'exclusive',
  claim: `how long nobody serves in an exclusive handover, beyond the end of a ${SLOW_MS} ms request in flight`,
  limit: null,
  run: (context) =>
    withCleanup(async (keep) => {
      const load = keep(await LoadGenerator.start(context));
      const service = keep(await BenchService.start(context, { pinned: true }, { strategy: 'exclusive', bake: 0 }));
      await load.open('probes', service.port, CONNECTIONS);
      const rounds = await handOver(context, load, service);
      const counted = rounds.filter(({ leftMs }) => leftMs !== null);
      const beyond = counted.map(({ gapMs, leftMs }) => gapMs - (leftMs ?? 0));
      const meanwhile = counted.flatMap((round) => round.meanwhile);
      const steady = rounds.flatMap((round) => round.steady);
      return {
        value: median(beyond),
        unit: 'ms',
        ok: null,
        details: [
          { name: 'middle half of the handovers', value: spread(beyond, 1) },
          { name: 'longest', value: quantile(beyond, 1), unit: 'ms' },
          { name: 'handovers with a request in flight, under load', value: `${counted.length} of ${rounds.length}` },
          { name: 'nobody served for', value: median(counted.map(({ gapMs }) => gapMs)), unit: 'ms' },
          {
            name: 'of which the request in flight took',
            value: median(counted.map((round) => round.leftMs ?? 0)),
            unit: 'ms'
          },
          { name: 'wait in the steady state, p50', value: quantile(steady, 0.5), unit: 'ms' },
          { name: 'wait in the steady state, p99', value: quantile(steady, 0.99), unit: 'ms' },
          { name: 'wait of requests sent meanwhile, p50', value: quantile(meanwhile, 0.5), unit: 'ms' },
          { name: 'wait of requests sent meanwhile, p99', value: quantile(meanwhile, 0.99), unit: 'ms' },
          { name: 'wait of requests sent meanwhile, longest', value: quantile(meanwhile, 1), unit: 'ms' },
          { name: 'probes', value: `${steady.length} steady, ${meanwhile.length} meanwhile` },
          { name: 'requests lost', value: sum(rounds.map(({ lost }) => lost)) },
          { name: 'connections opened again', value: sum(rounds.map(({ reconnects }) => reconnects)) }
        ]
      };
    })
};

interface Round {
  readonly gapMs: number;
  /** What was left of the request in flight when the gap began; null where there was none, or no load to the end. */
  readonly leftMs: number | null;
  /** Waits of probes, in milliseconds. */
  readonly steady: readonly number[];
  readonly meanwhile: readonly number[];
  readonly lost: number;
  readonly reconnects: number;
}

async function handOver({ quick, progress }: Context, load: LoadGenerator, service: BenchService): Promise<Round[]> {
  let heldAt = 0;
  await service.follow(({ event }) => {
    if (event === 'quieting') heldAt = clock();
  });
  const rounds: Round[] = [];
  const count = quick ? 3 : 15;
  for (let turn = 1; turn <= count; turn += 1) {
    progress(`handover ${turn} of ${count}`);
    await service.settled();
    const before = String(turn);
    service.version = String(turn + 1);
    await load.touch('probes');
    const startedAt = clock();
    const asking = slowly(service.port, startedAt + TURN_MS);
    const pacing = load.pace('probes', PROBES, TURN_MS);
    await delay(SETTLE_MS + (SLOW_MS * turn) / count); // so that it is not always the same part of it that is left
    const orderedAt = clock();
    const { gapMs = Number.NaN } = await service.control.reload();
    const [slow, probes] = await Promise.all([asking, pacing]);
    const openedAt = heldAt + gapMs;
    // One that the new version answered had not reached the old one.
    const inFlight = slow.find(({ version, endedAt }) => version === before && endedAt > heldAt);
    rounds.push({
      gapMs,
      leftMs: inFlight && openedAt < startedAt + TURN_MS ? inFlight.endedAt - heldAt : null,
      steady: waitsFrom(probes, startedAt, orderedAt),
      meanwhile: waitsFrom(probes, heldAt, openedAt),
      lost: probes.lost + slow.filter(({ version }) => version === null).length,
      reconnects: probes.reconnects
    });
  }
  return rounds;
}

interface Slow {
  /** Of the service that answered, or null when none did. */
  readonly version: string | null;
  readonly endedAt: number;
}

/** Slow requests one after the other, each on a connection of its own, so that one is always in flight. */
async function slowly(port: number, until: number): Promise<Slow[]> {
  const all: Slow[] = [];
  while (clock() < until) {
    const version = await askSlowly(port);
    all.push({ version, endedAt: clock() });
    if (version === null) await delay(SLOW_MS);
  }
  return all;
}

function askSlowly(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const request = get({ port, host: '127.0.0.1', path: `/slow?ms=${SLOW_MS}`, agent: false, signal }, (response) => {
      response.once('error', () => resolve(null));
      response.once('end', () => resolve(String(response.headers['x-version'])));
      response.resume();
    });
    request.once('error', () => resolve(null));
  });
}
