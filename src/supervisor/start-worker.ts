import type { Release } from '../core/state/state.ts';
import type { Plans } from '../host/listeners/plans.ts';
import type { HeldPreload } from '../host/processes/held-preload.ts';
import { type Watch, WorkerProcess } from '../host/processes/worker-process.ts';
import type { TicketKeys } from '../host/ticket-keys.ts';
import type { Options } from '../options/options.ts';
import { PROTOCOL_VERSION } from '../protocol/versions.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';

/** What is supervised, as far as it does not change from generation to generation. */
export interface App {
  readonly name: string;
  /** The environment of every generation; a release sets its own over it. */
  readonly env: NodeJS.ProcessEnv;
}

interface Start {
  readonly worker: string;
  readonly generation: number;
  readonly release: Release;
  readonly watch: Watch;
  readonly preload: HeldPreload;
  readonly app: App;
  readonly options: Options;
  readonly plans: Plans;
  readonly ticketKeys: TicketKeys;
}

/** Starts a worker with its settings: who it is, what is lent to it, and the times that hold. */
export function startWorker({ app, options, plans, preload, ticketKeys, ...start }: Start): WorkerProcess {
  const { worker, generation, release, watch } = start;
  const lent = plans.lentTo(generation).map(({ key, address, named, asked }) => ({ key, address, named, asked }));
  const settings: WorkerSettings = {
    version: PROTOCOL_VERSION,
    worker,
    generation,
    lent,
    backlog: options.backlog,
    budgetMs: options.handoverBudget,
    rampMs: Math.min(options.ramp, options.handoverBudget),
    drainMs: options.drainTimeout,
    upgradeSpreadMs: options.upgradeSpread,
    websockets: options.websockets,
    eventStreams: options.eventStreams,
    orphanMs: options.orphanTimeout,
    measures: true,
    remembers: options.warmUp?.live === true,
    rehearses: true
  };
  const first = lent.find(({ named }) => named)?.address;
  const env = { ...app.env, ...release.env, ...(typeof first === 'object' ? { PORT: String(first.port) } : {}) };
  const lead = process.stdout.isTTY && options.log !== 'json' ? `${worker} | ` : '';
  const { stdout, stderr } = process;
  const started = new WorkerProcess({ release, preload: preload.path, settings, env, stdout, stderr, lead }, watch);
  ticketKeys.give(started);
  return started;
}
