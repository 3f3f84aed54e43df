import type { ClientKind, FailureKind } from '../client/index.ts';

export type { ClientKind, FailureKind };

/** Everything that one run of the comparison found, as it is written to JSON. What could not be measured is null. */
export interface PeersResult {
  /** ISO 8601. */
  readonly date: string;
  /** As it was typed; runs before this was kept do not tell, nor the last three of the machine. */
  readonly command?: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly os: string;
    readonly node: string;
    readonly kernel?: string;
    /** One-minute load average when the run began. */
    readonly loadBefore?: number;
    /** The cores of the servers and of the load; null where they were not kept apart. */
    readonly pins?: { readonly server: number; readonly load: number } | null;
  };
  /** Of everything that was measured, by name: `nginx`, `haproxy`, `pm2`, `wattpm`, `handover`, `autocannon`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: PeersSettings;
  readonly systems: readonly SystemResult[];
}

/** What was the same for every system. */
export interface PeersSettings {
  readonly quick: boolean;
  /** Alternating: every system once, and then again. */
  readonly rounds: number;
  /** In each round of each system. */
  readonly deploys: number;
  /** Between the end of one deploy and the order of the next. */
  readonly pauseMs: number;
  /**
   * For how long after the end of a deploy the old version may go on answering connections that are older than that. In
   * the first round of each system the pauses are so long that it runs out.
   */
  readonly graceMs: number;
  /** How long any system may wait for the old version to finish. */
  readonly drainMs: number;
  /** The clients of the strict load. */
  readonly clients: Readonly<Partial<Record<ClientKind, number>>>;
  readonly requestTimeoutMs: number;
  /** Connections of the kept-alive throughput, and requests at once of the fresh one. */
  readonly keptConnections: number;
  readonly freshTogether: number;
  /** On which the latency around a deploy is measured: so many requests per second, whatever the answers do. */
  readonly latencyRate: number;
}

/** A median with its quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** One row of the matrix. */
export interface SystemResult {
  readonly id: string;
  readonly name: string;
  /** What a reader must know to judge it fairly: what it is, and where it could be tuned to do better. */
  readonly note: string;
  /** The file in the repository with its whole configuration. */
  readonly config: string;
  /** The id of the row whose throughput and death are shown here too: the two differ in their deploys only. */
  readonly steadyAs?: string;
  /** Why it has no figures, and the command that installs what it lacks. */
  readonly skipped: { readonly why: string; readonly install: string } | null;
  /** Over all rounds: requests that got no right, whole and single answer, each with one kind. */
  readonly failures: Readonly<Record<FailureKind, number>>;
  readonly requests: number;
  /** Whether the clients were served, and every deploy and rollback that was ordered was done. */
  readonly complete: boolean;
  /** Connections that idle clients had to open again although no request was lost. */
  readonly idleReconnects: number;
  readonly deploys: number;
  readonly rollbacks: number;
  /** From the order until the new version answers a fresh connection and the old one has no new ones. */
  readonly deployMs: Spread | null;
  readonly rollbackMs: Spread | null;
  /** What a rollback is on this system, or why it has none. */
  readonly rollbackNote: string | null;
  /** Of what bare node does beside it, in pairs of slices. */
  readonly keptAliveShare: Spread | null;
  readonly freshShare: Spread | null;
  /** In the second around a deploy, and in the steady state. */
  readonly p99: { readonly aroundMs: number; readonly steadyMs: number; readonly ratio: number } | null;
  /** Latency at some shares (0-1) of the requests. */
  readonly latency: readonly { readonly share: number; readonly aroundMs: number; readonly steadyMs: number }[];
  /** Of each 50 ms around a deploy, by when it begins after the switch; null where nobody was answered. Older runs have none. */
  readonly slices?: readonly { readonly fromMs: number; readonly p99Ms: number | null }[];
  /**
   * All processes of the system together, at rest after some deploys and over one more; `atMs` from its order. Only what is
   * their own: pages of files, like Node's code, are left out.
   */
  readonly memory: {
    readonly restBytes: number;
    readonly peakBytes: number;
    readonly series: readonly { readonly atMs: number; readonly bytes: number }[];
  } | null;
  /** SIGKILL to the process that owns the port or the apps, which is started again as an init system does it. */
  readonly death: {
    readonly failed: number;
    /** The longest time between two answers to fresh connections; null when the last was not answered. */
    readonly downMs: number | null;
    /** From the kill until the system that was started again was there to stay; null when it was not by the end. */
    readonly inChargeMs: number | null;
    readonly note: string;
  } | null;
  /** The familiar tool beside ours: what it reports as errors, and what it does not report (`sent - answered`). */
  readonly autocannon: { readonly sent: number; readonly answered: number; readonly errors: number } | null;
  /** Of the first round. */
  readonly timeline: {
    readonly bucketMs: 100;
    readonly answers: readonly number[];
    readonly failures: readonly number[];
    /** When each deploy was ordered, in milliseconds since the start. */
    readonly deploysMs: readonly number[];
    readonly rollbacksMs: readonly number[];
  } | null;
  /** What went wrong with the system itself: a deploy that ended with an error, a measurement that could not be made. */
  readonly troubles: readonly string[];
  /** The first failures, for those who look for their cause. */
  readonly examples: readonly string[];
}
