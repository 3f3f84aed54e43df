import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Client } from './client.ts';
import { KINDS } from './kinds.ts';
import { Ledger } from './ledger.ts';
import { CLIENT_KINDS, type ClientKind, type LoadOptions, recordOf, settingsFrom } from './model.ts';
import type { Expectation } from './oracle.ts';
import { createRandom } from './random.ts';
import { type ClientReport, createReport, type Report } from './report.ts';
import { createSocketSet } from './sockets.ts';
import { createWarmUp } from './warm-up.ts';

/** Cheap numbers of a load that is running. */
export type LoadCounts = Pick<Report, 'sent' | 'answered' | 'failed' | 'failures' | 'perVersion' | 'reconnects'> & {
  readonly perClient: Readonly<Record<ClientKind, Pick<ClientReport, 'connections' | 'sent' | 'answered' | 'failed'>>>;
  readonly atMs: number;
  readonly outstanding: number;
  readonly connections: number;
};

export type Load = {
  readonly seed: number;
  /** Resolves when each client has had an answer. @throws Error naming those that had none in time */
  warm(): Promise<void>;
  counts(): LoadCounts;
  /** Names this moment in the timeline, and gives it back in milliseconds since the start. */
  mark(name: string): number;
  /** From now on, answers should come from `version`; replaces what was expected before. */
  expectVersion(version: string, options?: Partial<Pick<Expectation, 'graceMs' | 'behindProxy'>>): void;
  /** From now on, any version may answer: said before a deploy is ordered, since its cutover comes before its answer. */
  expectAnyVersion(): void;
  /** Lets every request end, closes every connection, and reports. The second call gives the same report. */
  stop(): Promise<Report>;
};

/** Starts the clients at once; nothing they started is left when `stop()` has resolved. */
export function startLoad(options: LoadOptions): Load {
  const settings = settingsFrom(options);
  const counts = recordOf(CLIENT_KINDS, (kind) => options.clients[kind] ?? 0);
  const ledger = new Ledger();
  const sockets = createSocketSet(settings);
  const warmUp = createWarmUp(settings.warmTimeoutMs);
  const measure = startMeasuring();

  const context = {
    target: options.target,
    settings,
    ledger,
    connections: sockets.all,
    onGone: sockets.forget,
    onAnswered: ({ name }: Client) => warmUp.answered(name)
  };
  const clients = CLIENT_KINDS.flatMap((kind, row) =>
    Array.from({ length: counts[kind] }, (_, index) => {
      const random = createRandom(settings.seed + row * 100_003 + index);
      return new Client(kind, index, random, context);
    })
  );
  for (const { name } of clients) warmUp.add(name);
  const ended = Promise.all(clients.map((client) => client.run(KINDS[client.kind])));

  const stop = async () => {
    ledger.stopping = true;
    for (const client of clients) client.stop();
    await ended;
    await sockets.allGone();
    warmUp.giveUp();
    return createReport(ledger, counts, { seed: settings.seed, ownUsage: measure() });
  };
  let report: Promise<Report> | null = null;

  return {
    seed: settings.seed,
    warm: () => warmUp.done,
    counts: () => ({
      atMs: ledger.now(),
      sent: ledger.sent,
      answered: ledger.answered,
      failed: ledger.failed,
      outstanding: ledger.sent - ledger.answered - ledger.failed,
      connections: sockets.all.size,
      failures: { ...ledger.failures },
      perVersion: { ...ledger.perVersion },
      perClient: structuredClone(ledger.perClient),
      reconnects: structuredClone(ledger.reconnects)
    }),
    mark(name) {
      const atMs = ledger.now();
      ledger.marks.push({ atMs, name });
      return atMs;
    },
    expectVersion(version, { graceMs = 2500, behindProxy = false } = {}) {
      ledger.expectation = { version, graceMs, behindProxy, at: performance.now() };
    },
    expectAnyVersion() {
      ledger.expectation = null;
    },
    stop() {
      report ??= stop();
      return report;
    }
  };
}

/** What this process uses from here on. */
function startMeasuring(): () => Report['ownUsage'] {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  return () => {
    delays.disable();
    const { user, system } = process.cpuUsage(before);
    const tookMs = performance.now() - startedAt;
    return { cpuShare: (user + system) / 1000 / tookMs, longestStallMs: delays.count > 0 ? delays.max / 1e6 : null };
  };
}
