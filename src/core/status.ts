import type { StrategyName } from '../options/strategies.ts';
import { isCovering } from './rules/cover.ts';
import { SLOW_MS } from './rules/restarts.ts';
import { activeOf, remainingWorkersOf, rolesOf } from './state/generations.ts';
import { describeHistory, type HistoryEntryStatus, isoTime } from './state/history.ts';
import type { Bake, Generation, State } from './state/state.ts';

export type { HistoryEntryStatus };

/** What was measured of one worker. What could not be measured is null, and `unmeasured` says why. */
export interface WorkerFacts {
  readonly pid: number | null;
  /** Open connections of the servers that share a listener. */
  readonly connections: number | null;
  /** Requests without a complete response yet. */
  readonly inFlight: number | null;
  /** Requests received since the worker started. */
  readonly requests: number | null;
  readonly rssBytes: number | null;
  /** Share of one core, 0-1 (more than 1 with several busy threads). */
  readonly cpuShare: number | null;
  /** How long its event loop has not answered, or null while that is nothing to speak of. */
  readonly silentMs: number | null;
  /** Who keeps a draining worker from ending; URLs without query. */
  readonly holding?: readonly { readonly method: string; readonly url: string; readonly ageMs: number }[];
  readonly unmeasured?: string;
}

/** Of a worker that came or went while the others were measured. */
export const UNMEASURED: WorkerFacts = {
  pid: null,
  connections: null,
  inFlight: null,
  requests: null,
  rssBytes: null,
  cpuShare: null,
  silentMs: null,
  unmeasured: 'it was started or ended meanwhile'
};

export interface WorkerStatus extends WorkerFacts {
  readonly id: string;
  readonly state: string;
}

export interface GenerationStatus {
  readonly generation: number;
  readonly label: string | null;
  /** The real path of the entry. */
  readonly entry: string;
  /** How it came, or is coming, to be active. */
  readonly strategy: StrategyName;
  /** Why it was rejected, or null if it was not. */
  readonly rejected: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly workers: readonly WorkerStatus[];
}

export interface Surroundings {
  readonly app: string;
  readonly supervisor: {
    readonly pid: number;
    readonly version: string;
    readonly node: string;
    readonly uptimeMs: number;
  };
  readonly listeners: readonly { readonly address: string }[];
}

/** The time in which a new active generation is watched. */
export interface BakeStatus {
  readonly generation: number;
  /** ISO 8601. */
  readonly since: string;
  readonly forMs: number;
  readonly leftMs: number;
}

export interface Status extends Surroundings {
  readonly phase: string;
  readonly active: GenerationStatus | null;
  readonly standby: GenerationStatus | null;
  /** What keeps the active generation from having all its workers; null where all is well. */
  readonly activeNote: string | null;
  /** Why there is no standby, where there is more to say than that none is kept; or that it serves at the moment. */
  readonly standbyNote: string | null;
  readonly candidate: GenerationStatus | null;
  readonly retiring: readonly (GenerationStatus & { readonly why: string })[];
  readonly bake: BakeStatus | null;
  readonly history: readonly HistoryEntryStatus[];
}

/** Turns the state into the JSON that every door shows. It lists what may be shown; nothing is copied whole. */
export function describeStatus(
  state: State,
  around: Surroundings,
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
    phase: state.phase === 'steady' && state.completing ? 'handing-over' : state.phase,
    active: show(activeOf(state)),
    standby: show(rollingBack ? next : named('standby', 'leaving')),
    activeNote: describeTrouble(state),
    standbyNote: describeStandby(state),
    candidate: show(rollingBack ? null : (next ?? named('candidate'))),
    retiring: state.retiring.map(({ generation, why }) => ({ ...describe(generation), why })),
    bake: state.phase === 'steady' && state.bake ? describeBake(state.bake, now) : null,
    history: describeHistory(state.history, now)
  };
}

function describeBake({ generation, since, forMs }: Bake, now: number): BakeStatus {
  const leftMs = Math.max(0, Math.round(since + forMs - now));
  return { generation, since: isoTime(since), forMs, leftMs };
}

/** Whether workers of the active generation are lost faster than they are replaced. */
function describeTrouble(state: State): string | null {
  const active = activeOf(state);
  const { max, windowMs } = state.limits.restarts;
  if (!active || remainingWorkersOf(active).length >= active.size || active.restarts.length <= max) return null;
  return `more than ${max} workers were lost within ${windowMs / 1000} s; the next is started in ${SLOW_MS / 1000} s at the most`;
}

/** Why no version is kept warm, where its strategy is the reason; or that the one that is serves now. */
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
    strategy,
    rejected,
    startedAt: isoTime(startedAt),
    workers: workers.map((worker) => ({ id: worker.id, state: worker.phase, ...facts(worker.id) }))
  };
}
