import type { Release } from '../core/state/state.ts';
import type { FoundWorker } from '../host/found-workers.ts';
import type { Links } from '../host/links.ts';
import type { Plans } from '../host/listeners/plans.ts';
import type { Log } from '../host/log.ts';
import type { HeldPreload } from '../host/processes/held-preload.ts';
import { adoptProcess } from '../host/processes/running-process.ts';
import { type Watch, WorkerProcess } from '../host/processes/worker-process.ts';
import { loginOf } from '../host/rights/account.ts';
import type { Users } from '../host/rights/users.ts';
import type { TicketKeys } from '../host/ticket-keys.ts';
import type { Options } from '../options/options.ts';
import { PROTOCOL_VERSION } from '../protocol/versions.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';

/** What is supervised, as far as it does not change from generation to generation. */
export interface App {
  readonly name: string;
  /** The environment of every generation; a release sets its own over it. */
  readonly env: NodeJS.ProcessEnv;
  /** As whom its workers run. */
  readonly users: Users;
}

/** The environment of a release. */
export function environmentOf({ env, users }: App, release: Release, options: Options): NodeJS.ProcessEnv {
  const account = users.of(options);
  return { ...env, ...(account ? loginOf(account) : {}), ...release.env };
}

interface Start {
  readonly worker: string;
  readonly generation: number;
  readonly release: Release;
  readonly watch: Watch;
  readonly preload: HeldPreload;
  readonly app: App;
  readonly log: Log;
  readonly options: Options;
  readonly plans: Plans;
  readonly ticketKeys: TicketKeys;
  readonly links: Links;
}

/** Starts a worker with its settings: who it is, what is lent to it, and the times that hold. */
export function startWorker({ app, log, options, plans, preload, ticketKeys, links, ...start }: Start): WorkerProcess {
  const { worker, generation, release, watch } = start;
  const lent = plans.lentTo(generation).map(({ key, address, named, asked }) => ({ key, address, named, asked }));
  const settings: WorkerSettings = {
    version: PROTOCOL_VERSION,
    worker,
    generation,
    link: { path: links.path, secret: links.secret },
    lent,
    backlog: options.backlog,
    budgetMs: options.handoverBudget,
    rampMs: Math.min(options.ramp, options.handoverBudget),
    drainMs: options.drainTimeout,
    upgradeSpreadMs: options.upgradeSpread,
    websockets: options.websockets,
    // A stream that moves would leave the process that knows its client.
    eventStreams: options.affinity !== null && options.eventStreams === 'move' ? 'keep' : options.eventStreams,
    affinity: options.affinity,
    orphanMs: options.orphanTimeout,
    measures: true,
    remembers: options.warmUp?.live === true,
    rehearses: true
  };
  const first = lent.find(({ named }) => named)?.address;
  const own = environmentOf(app, release, options);
  const env = { ...own, ...(typeof first === 'object' ? { PORT: String(first.port) } : {}) };
  const output = log.outputOf(worker);
  const account = app.users.of(options);
  if (account) links.admit(account.uid);
  const begin = { preload: preload.pathFor(account), settings };
  const started = new WorkerProcess({ release, env, account, output, start: begin }, watch);
  ticketKeys.give(started);
  return started;
}

/** A worker that an earlier supervisor started, and that is taken over. */
export function adoptWorker(
  { named, outputs }: FoundWorker,
  release: Release,
  watch: Watch,
  { app, log, options, ticketKeys }: Pick<Start, 'app' | 'log' | 'options' | 'ticketKeys'>
): WorkerProcess {
  const adopted = adoptProcess(named.pid, named.startedAt, outputs);
  const env = environmentOf(app, release, options);
  const account = app.users.ofProcess(named.pid, options);
  const worker = new WorkerProcess({ release, env, account, output: log.outputOf(named.id), adopted }, watch);
  ticketKeys.give(worker);
  return worker;
}
