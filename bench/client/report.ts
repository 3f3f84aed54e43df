import { BUCKET_MS, type FailureExample, type Ledger, type Slowest } from './ledger.ts';
import { CLIENT_KINDS, type ClientKind, type FailureKind, type ReconnectCause, recordOf } from './model.ts';
import { balance } from './oracle.ts';
import { type Percentiles, percentiles } from './samples.ts';

export type ClientReport = {
  readonly clients: number;
  readonly connections: number;
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly latency: Percentiles;
};

/** What happened from start to stop. Times are milliseconds since the start; latencies are of full answers only. */
export type Report = {
  readonly seed: number;
  readonly tookMs: number;
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly failures: Readonly<Record<FailureKind, number>>;
  /** The first failures, as they were found. */
  readonly examples: readonly FailureExample[];
  readonly reconnects: Readonly<Record<ClientKind, Readonly<Record<ReconnectCause, number>>>>;
  readonly perVersion: Readonly<Record<string, number>>;
  readonly perClient: Readonly<Record<ClientKind, ClientReport>>;
  readonly latency: Percentiles;
  /** Of the requests under way at any time between the two moments, of all kinds or only of these. */
  latencyBetween(fromMs: number, toMs: number, kinds?: readonly ClientKind[]): Percentiles;
  readonly timeline: {
    readonly bucketMs: number;
    readonly buckets: readonly { readonly atMs: number; readonly answered: number; readonly failed: number }[];
    readonly marks: readonly { readonly atMs: number; readonly name: string }[];
  };
  readonly slowest: Slowest | null;
  /** The longest time between two answers, and when it began. */
  readonly silence: { readonly ms: number; readonly atMs: number };
  /** What the load cost its own process; a latency below the stall may be the client's own doing. */
  readonly ownUsage: { readonly cpuShare: number; readonly longestStallMs: number | null };
};

/** Draws up the report, once every request has ended. @throws Error when the numbers do not add up */
export function createReport(
  ledger: Ledger,
  clients: Readonly<Record<ClientKind, number>>,
  measured: Pick<Report, 'seed' | 'ownUsage'>
): Report {
  balance(ledger);
  const { samples } = ledger;
  return {
    ...measured,
    tookMs: ledger.now(),
    sent: ledger.sent,
    answered: ledger.answered,
    failed: ledger.failed,
    failures: { ...ledger.failures },
    examples: [...ledger.examples],
    reconnects: structuredClone(ledger.reconnects),
    perVersion: { ...ledger.perVersion },
    perClient: recordOf(CLIENT_KINDS, (kind) => ({
      clients: clients[kind],
      ...ledger.perClient[kind],
      latency: percentiles([samples[kind].all()])
    })),
    latency: percentiles(CLIENT_KINDS.map((kind) => samples[kind].all())),
    latencyBetween: (fromMs, toMs, kinds = CLIENT_KINDS) =>
      percentiles(kinds.map((kind) => samples[kind].between(fromMs, toMs))),
    timeline: {
      bucketMs: BUCKET_MS,
      buckets: ledger.buckets.map((bucket, index) => ({ atMs: index * BUCKET_MS, ...bucket })),
      marks: [...ledger.marks]
    },
    slowest: ledger.slowest,
    silence: ledger.silence
  };
}
