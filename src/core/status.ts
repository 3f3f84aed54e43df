import type { StrategyName } from '../options/strategies.ts';
import { type CanaryStatus, describeCanary } from './canary-status.ts';
import { type DrainedStatus, showDrained } from './drained-status.ts';
import type { FleetStatus } from './fleet-state.ts';
import { describeLast, type LastHandover, type LeftConnections } from './last-handover.ts';
import { isCovering } from './rules/cover.ts';
import { SLOW_MS } from './rules/restarts.ts';
import { activeOf, limitsFor, remainingWorkersOf, rolesOf } from './state/generations.ts';
import { describeHistory, type HistoryEntryStatus, isoTime } from './state/history.ts';
import type { Bake, Generation, State } from './state/state.ts';
import { type BothFigures, describeBoth } from './verdict/figures.ts';

export type { Figures } from './verdict/figures.ts';
export type { CanaryStatus, DrainedStatus, FleetStatus, HistoryEntryStatus, LastHandover, LeftConnections };

/** What was measured of one worker. What could not be measured is null, and `unmeasured` says why. */
export interface WorkerFacts {
  /** Process id; null before it has started. */
  readonly pid: number | null;
  /** Open connections of the servers that share a listener. */
  readonly connections: number | null;
  /** The same by kind: `http1`, `tls` (HTTP/1.1 over it), `http2`, `websocket`, `event-stream`, `other`; those of none left out. */
  readonly kinds: Readonly<Record<string, number>> | null;
  /** Requests without a complete response yet. */
  readonly inFlight: number | null;
  /** Requests received since the worker started. */
  readonly requests: number | null;
  /** Resident memory. */
  readonly rssBytes: number | null;
  /** Share of one core, 0-1 (more than 1 with several busy threads). */
  readonly cpuShare: number | null;
  /** Milliseconds for which its event loop has not answered; null below 2 s. */
  readonly silentMs: number | null;
  /** The requests that keep a draining worker from ending; `ageMs` in milliseconds, URLs without query. */
  readonly holding?: readonly { readonly method: string; readonly url: string; readonly ageMs: number }[];
  /** With `affinity`: how many clients it knows; left out where there are none. */
  readonly clients?: number;
  /** Requests that it answered although they belonged to another generation, by reason; left out where there were none. */
  readonly unrouted?: Readonly<Record<string, number>>;
  /** Why facts are missing. */
  readonly unmeasured?: string;
}

/** The facts of a worker that was started or ended while the others were measured. */
export const UNMEASURED: WorkerFacts = {
  pid: null,
  connections: null,
  kinds: null,
  inFlight: null,
  requests: null,
  rssBytes: null,
  cpuShare: null,
  silentMs: null,
  unmeasured: 'it was started or ended meanwhile'
};

/** One worker: its name and state, and what was measured of it. */
export interface WorkerStatus extends WorkerFacts {
  /** Number of the generation and of the worker in it, such as `7.1`; never used twice. */
  readonly id: string;
  /** `starting`, `ready`, `accepting`, `paused`, `draining`, `ending` or `down`. */
  readonly state: string;
}

/** One generation that has workers. */
export interface GenerationStatus {
  /** Its number: 1, 2, 3, never used twice. */
  readonly generation: number;
  /** Name of its release; null where none was given or found. */
  readonly label: string | null;
  /** The real path of the entry. */
  readonly entry: string;
  /** As whom its workers run, such as `www-data`; null: as the supervisor. */
  readonly user: string | null;
  /** The group of its workers, where one was given; null: that of their user. */
  readonly group: string | null;
  /** How it came, or is coming, to be active. */
  readonly strategy: StrategyName;
  /** Why it was rejected, or null if it was not. */
  readonly rejected: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Its workers, those that are being started or ended included. */
  readonly workers: readonly WorkerStatus[];
}

/** What a status says beyond the generations. */
export interface Surroundings {
  /** Name of the app. */
  readonly app: string;
  /** The supervisor itself; `user` it runs as, `uptimeMs` in milliseconds, `cwd` is the folder that it was started in. */
  readonly supervisor: {
    readonly pid: number;
    readonly user: string;
    readonly version: string;
    readonly node: string;
    readonly cwd: string;
    readonly uptimeMs: number;
  };
  /** Addresses that are owned, as `host:port` or `unix:/path`. */
  readonly listeners: readonly { readonly address: string }[];
  /** What a candidate waits for although it listens; null where there is nothing of the kind. */
  readonly candidateNote: string | null;
  /** Which files of the config say something else than what the active generation was started with; null where none does. */
  readonly configNote: string | null;
  /** How connections left at the last handover; null before the first. */
  readonly lastHandover: LeftConnections | null;
  /** Left out where this machine is on its own. */
  readonly fleet?: FleetStatus;
}

/** The time in which a new active generation is watched. */
export interface BakeStatus extends BothFigures {
  /** The generation that is compared with the one before. */
  readonly generation: number;
  /** ISO 8601. */
  readonly since: string;
  /** How long the bake takes in total, in milliseconds. */
  readonly forMs: number;
  /** How long it still takes, in milliseconds. */
  readonly leftMs: number;
}

/** The answer of `status()`, of `handover status --json` and of `GET /status`. */
export interface Status extends Omit<Surroundings, 'lastHandover'> {
  /** How connections left at the last handover, and which are still there; null before the first. */
  readonly lastHandover: LastHandover | null;
  /** What goes on: `steady` where nothing does, else the step of the handover in progress, `stopping` or `stopped`. */
  readonly phase: string;
  /** That an operator has taken it out of its load balancers; null where it is not. */
  readonly drained: DrainedStatus | null;
  /** The generation that answers for the service; null while the first one starts. */
  readonly active: GenerationStatus | null;
  /** The previous generation, kept warm for a rollback; null where there is none. */
  readonly standby: GenerationStatus | null;
  /** Why the active generation does not have all its workers; null where there is nothing to say. */
  readonly activeNote: string | null;
  /** That the standby serves at the moment, or why the strategy keeps none; null where there is nothing to say. */
  readonly standbyNote: string | null;
  /** The generation that is to become active; null outside a handover. */
  readonly candidate: GenerationStatus | null;
  /** Generations that finish their requests and then end. */
  readonly retiring: readonly (GenerationStatus & { readonly why: string })[];
  /** The comparison in progress of the active generation with the one before; null where there is none. */
  readonly bake: BakeStatus | null;
  /** Two versions that both answer, a canary or a split; null where there is none. */
  readonly canary: CanaryStatus | null;
  /** The last 50 generations, oldest first. */
  readonly history: readonly HistoryEntryStatus[];
}

/** Turns the state into the status. Fields are listed one by one, so that no secret of a release is shown. */
export function describeStatus(
  state: State,
  { candidateNote, ...around }: Surroundings,
  facts: (worker: string) => WorkerFacts,
  now: number
): Status {
  const describe = (generation: Generation) => describeGeneration(generation, facts);
  const show = (generation: Generation | null | undefined) => (generation ? describe(generation) : null);
  const named = (...roles: string[]) => rolesOf(state).find(({ role }) => roles.includes(role))?.generation;
  const next = 'next' in state ? state.next : undefined;
  const rollingBack = next !== undefined && 'order' in state && state.order.warm;
  return {
    ...around,
    lastHandover: around.lastHandover && describeLast(around.lastHandover, state, facts),
    phase: showPhase(state),
    drained: showDrained(state.drained),
    active: show(activeOf(state)),
    standby: show(rollingBack ? next : named('standby', 'leaving')),
    activeNote: describeTrouble(state),
    standbyNote: describeStandby(state),
    candidate: show(rollingBack ? null : (next ?? named('candidate'))),
    candidateNote,
    retiring: state.retiring.map(({ generation, why }) => ({ ...describe(generation), why })),
    bake: state.phase === 'steady' && state.bake ? describeBake(state.bake, now) : null,
    canary: state.phase === 'canary' ? describeCanary(state.canary, state.active, state.next, now) : null,
    history: describeHistory(state.history, now)
  };
}

function showPhase(state: State): string {
  // Before a stop, too, load balancers are told, whatever goes on.
  if (state.plannedStop) return 'withdrawing';
  return state.phase === 'steady' && state.completing ? 'handing-over' : state.phase;
}

function describeBake({ generation, since, forMs, measured }: Bake, now: number): BakeStatus {
  const leftMs = Math.max(0, Math.round(since + forMs - now));
  return { generation, since: isoTime(since), forMs, leftMs, ...describeBoth(measured) };
}

/** Says that workers of the active generation are lost faster than they are replaced; null where they are not. */
function describeTrouble(state: State): string | null {
  const active = activeOf(state);
  if (!active) return null;
  const { max, windowMs } = limitsFor(state, active).restarts;
  if (remainingWorkersOf(active).length >= active.size || active.restarts.length <= max) return null;
  return `more than ${max} workers were lost within ${windowMs / 1000} s; the next is started in ${SLOW_MS / 1000} s at the most`;
}

/** Says that the standby covers, or that the strategy keeps none; else null. */
function describeStandby(state: State): string | null {
  const standby = 'standby' in state ? state.standby : null;
  if (standby && isCovering(standby)) return `it covers: no worker of generation ${activeOf(state)?.id} accepts`;
  if (state.phase !== 'steady' || state.standby || state.active.strategy !== 'in-place') return null;
  return 'in-place keeps none: a rollback starts the version before from its files';
}

function describeGeneration(
  { id, release, strategy, rejected, startedAt, workers }: Generation,
  facts: (worker: string) => WorkerFacts
): GenerationStatus {
  return {
    generation: id,
    label: release.label,
    entry: release.file,
    user: release.settings?.user ?? null,
    group: release.settings?.group ?? null,
    strategy,
    rejected,
    startedAt: isoTime(startedAt),
    workers: workers.map((worker) => ({ id: worker.id, state: worker.phase, ...facts(worker.id) }))
  };
}
