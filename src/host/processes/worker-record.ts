import type { WorkerFacts } from '../../core/status.ts';
import type { Handle } from '../../internals/net.ts';
import type { ToSupervisor } from '../../protocol/messages.ts';
import { namedOf, ownerOf } from '../../protocol/named.ts';
import { PRIVATE_ID } from '../../protocol/not-of-clients.ts';
import { AS_OPENED } from '../../protocol/opened.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import type { PrivateTarget } from '../checks/private-client.ts';
import type { Claims } from '../claims.ts';
import type { NamedWorker } from '../link-file.ts';
import type { Listeners } from '../listeners/listeners.ts';
import { measureUsage, type Usage } from '../measure/usage.ts';
import { Asks } from './asks.ts';
import type { WorkerProcess } from './worker-process.ts';

export type Report = Extract<ToSupervisor, { type: 'reported' }>;

/** A server of a worker that shares a listener. */
export interface SharedServer {
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  /** Whether it is not the app's, but that of a module which was loaded before it. */
  readonly preloaded: boolean;
}

/** A worker as the supervisor sees it from outside. */
export interface WorkerRecord {
  readonly id: string;
  readonly generation: number;
  readonly process: WorkerProcess;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** Listeners for which one of its servers has called listen(). */
  readonly keys: Map<string, SharedServer>;
  /** Listeners it was told to accept on and has not answered for. */
  readonly opening: Set<string>;
  /** Calls of listen() that the worker has not dealt with, and the listener that each was given. */
  readonly asking: Map<number, string | null>;
  /** Those of them that wait to see whether another server asks for what was named with `--listen`. */
  readonly undecided: Map<number, Extract<ToSupervisor, { type: 'listen' }>>;
  settling: NodeJS.Timeout | undefined;
  /** The port that its only server had asked for, before it got a named address. */
  assigned: number | null;
  /** Whether it has rehearsed a handover. */
  rehearsed: boolean;
  /** Whether its app lets WebSockets be carried to it. */
  carries: boolean;
  /** How it was last told to route requests, as JSON; null where an earlier supervisor may have told it. */
  routing: string | null;
  /** Whether it was last told that each answer ends its connection; null where an earlier supervisor may have told it. */
  closesIdle: boolean | null;
  /** Whether the app said it is ready. */
  signalled: boolean;
  /** Whether everything that was asked of it is there. */
  ready: boolean;
  /** Whether it was told to accept, and not to pause since. */
  serving: boolean;
  /** Whether it ever was. */
  served: boolean;
  /** Whether it has said that it does. */
  accepted: boolean;
  /** Open connections: those of its last report, and those it has adopted since. */
  connections: number;
  report: Report | null;
  /** Why a listen() of its app failed. */
  bindFailure: string | null;
  /** Why it was refused an address that it could have had, were the service not there. */
  refusal: string | null;
  /** `performance.now()` when a server of its app listened the last time. */
  listenedAt: number;
}

export function createRecord(id: string, generation: number, process: WorkerProcess): WorkerRecord {
  return {
    id,
    generation,
    process,
    startedAt: performance.now(),
    keys: new Map(),
    opening: new Set(),
    asking: new Map(),
    undecided: new Map(),
    settling: undefined,
    assigned: null,
    rehearsed: false,
    carries: false,
    routing: '',
    closesIdle: false,
    signalled: false,
    ready: false,
    serving: false,
    served: false,
    accepted: false,
    connections: 0,
    report: null,
    bindFailure: null,
    refusal: null,
    listenedAt: 0
  };
}

/** Whether a server of a worker has a listener, or is about to. */
export function isUsing({ keys, asking }: WorkerRecord, key: string): boolean {
  return keys.has(key) || [...asking.values()].includes(key);
}

/** How long a worker may take to report before its numbers are called unmeasured. */
const REPORT_MS = 500;

/** Asks workers for their numbers. A worker too busy to answer in time has none: null, never 0. */
export class Reports {
  readonly #asks = new Asks<Report>();

  ask({ process }: WorkerRecord): Promise<Report | null> {
    return this.#asks.ask(REPORT_MS, (ask, done) => process.send({ type: 'report', ask }, undefined, done));
  }

  take(record: WorkerRecord, report: Report): void {
    record.report = report;
    record.connections = report.connections;
    this.#asks.take(report.ask, report);
  }

  /** Asks all at once, and the system for what it knows of their processes. */
  async measure(records: readonly WorkerRecord[], claims: Claims): Promise<Map<string, WorkerFacts>> {
    const pids = records.flatMap(({ process }) => (process.pid === null ? [] : [process.pid]));
    const [usage, reports] = await Promise.all([
      measureUsage(pids),
      Promise.all(records.map((record) => this.ask(record)))
    ]);
    const describe = (record: WorkerRecord, index: number) =>
      describeWorker(record, reports[index] ?? null, usage.get(record.process.pid ?? -1));
    return new Map(
      records.map((record, index) => {
        const clients = claims.countOf(record.id);
        return [record.id, { ...describe(record, index), ...(clients > 0 ? { clients } : {}) }];
      })
    );
  }

  /** Keeps asking, so that log and status can say who holds a drain. */
  poll(record: WorkerRecord, isThere: () => boolean): void {
    const timer = setInterval(() => {
      if (isThere()) void this.ask(record);
      else clearInterval(timer);
    }, REPORT_MS);
    timer.unref();
  }
}

/** What a worker reported, and what the system says of its process. */
export function describeWorker({ process }: WorkerRecord, report: Report | null, used: Usage | undefined): WorkerFacts {
  const reasons = [
    report ? null : `it did not answer within ${REPORT_MS} ms`,
    used ? null : 'its memory and CPU could not be read'
  ].filter((reason) => reason !== null);
  return {
    pid: process.pid,
    connections: report?.connections ?? null,
    kinds: report?.kinds ?? null,
    inFlight: report?.inFlight ?? null,
    requests: report?.requests ?? null,
    rssBytes: used?.rssBytes ?? null,
    cpuShare: used?.cpuShare ?? null,
    silentMs: null,
    ...(report && Object.keys(report.unrouted).length > 0 ? { unrouted: report.unrouted } : {}),
    ...(report && report.holding.length > 0 ? { holding: report.holding } : {}),
    ...(reasons.length > 0 ? { unmeasured: reasons.join('; ') } : {})
  };
}

/** What a worker was last known to be busy with; nothing where it never said. */
export function describeHolders(record: WorkerRecord | undefined): object {
  const { connections, kinds, inFlight, holding } = record?.report ?? {};
  return connections === undefined ? {} : { connections, kinds, inFlight, holding };
}

/** A worker to be asked privately, at the server that is public; nothing where the app has no server to ask. */
export function toPrivateTarget(
  { id: worker, generation, keys, startedAt, process }: WorkerRecord,
  held: readonly Lent[]
): PrivateTarget[] {
  const named = namedOf(held).find((one) => keys.has(one.key));
  const key = named?.key ?? [...keys].find(([, { preloaded }]) => !preloaded)?.[0];
  if (key === undefined) return [];
  const give = (handle: Handle) =>
    process.send({ type: 'adopt', id: PRIVATE_ID, key, ...AS_OPENED, last: true }, handle, () => handle.close());
  const secure = keys.get(key)?.secure === true;
  const { ended, priority } = process;
  return [{ generation, worker, secure, startedAt, ended: ended.signal, priority, give }];
}

/** The listeners that a worker accepts on: those of its servers, and the named ones that they answer for besides. */
export function keysToLend({ keys }: WorkerRecord, held: readonly Lent[]): Set<string> {
  const has = (key: string) => keys.has(key);
  const named = namedOf(held).filter(({ key }) => ownerOf(held, has, key) !== null);
  return new Set([...named.map(({ key }) => key), ...keys.keys()]);
}

/** Tells a worker that is about to let go of its connections whether all that may get them carry WebSockets. */
export function tellWhoCarries({ id, process }: WorkerRecord, all: Iterable<WorkerRecord>): void {
  const receivers = [...all].filter((one) => one.serving && one.id !== id);
  process.send({ type: 'receivers-carry', all: receivers.every(({ carries }) => carries) });
}

/**
 * Tells every worker that does not know it how it serves.
 *
 * @param of how requests are routed, by the number of its generation
 * @param closes whether each answer ends its connection
 */
export function tellServing(all: Iterable<WorkerRecord>, of: (generation: number) => string, closes: boolean): void {
  for (const record of all) {
    const routing = of(record.generation);
    if (routing !== record.routing) record.process.send({ type: 'route', routing });
    if (closes !== record.closesIdle) record.process.send({ type: 'close-after-answer', on: closes });
    Object.assign(record, { routing, closesIdle: closes });
  }
}

/** What a worker knew of clients has gone with it. */
export function tellGone(all: Iterable<WorkerRecord>, worker: string, claims: Claims): void {
  if (claims.drop(worker)) for (const { process } of all) process.send({ type: 'owner-gone', worker });
}

/** An address on which one of these workers speaks TLS; null where none does. */
export function findSecure(all: readonly WorkerRecord[], listeners: Pick<Listeners, 'show'>): string | null {
  for (const { keys } of all)
    for (const [key, { secure, preloaded }] of keys) if (secure && !preloaded) return listeners.show(key);
  return null;
}

/** The processes of workers, as the next supervisor is to find them. */
export function namesOf(records: Iterable<WorkerRecord>): NamedWorker[] {
  return [...records].flatMap(({ id, process: { pid, startedAt } }) => (pid === null ? [] : [{ id, pid, startedAt }]));
}
