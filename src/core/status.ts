import { activeOf, rolesOf } from './generations.ts';
import type { Chapter, Generation, State } from './model.ts';

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
  unmeasured: 'it was started or ended meanwhile'
};

export interface WorkerStatus extends WorkerFacts {
  readonly id: string;
  readonly state: string;
}

export interface GenerationStatus {
  readonly generation: number;
  /** The real path of the entry. */
  readonly entry: string;
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

/** A line of the history; times are ISO 8601. */
export interface ChapterStatus extends Omit<Chapter, 'startedAt' | 'activeAt' | 'endedAt'> {
  readonly startedAt: string;
  readonly activeAt: string | null;
  readonly endedAt: string | null;
}

export interface Status extends Surroundings {
  readonly phase: string;
  readonly active: GenerationStatus | null;
  readonly standby: GenerationStatus | null;
  readonly candidate: GenerationStatus | null;
  readonly retiring: readonly (GenerationStatus & { readonly why: string })[];
  readonly history: readonly ChapterStatus[];
}

/** Turns the state into the JSON that every door shows. It lists what may be shown; nothing is copied whole. */
export function describeStatus(state: State, around: Surroundings, facts: (worker: string) => WorkerFacts): Status {
  const show = (generation: Generation | null | undefined): GenerationStatus | null =>
    generation ? describeGeneration(generation, facts) : null;
  const named = (...roles: string[]) => rolesOf(state).find(({ role }) => roles.includes(role))?.generation;
  const rollingBack = state.phase === 'opening' && state.order.kind === 'rollback';
  const next = state.phase === 'opening' ? state.next : undefined;
  return {
    ...around,
    phase: state.phase === 'steady' && state.settling ? 'handing-over' : state.phase,
    active: show(activeOf(state)),
    standby: show(rollingBack ? next : named('standby', 'leaving')),
    candidate: show(rollingBack ? null : (next ?? named('candidate'))),
    retiring: state.retiring.map(({ generation, why }) => ({ ...describeGeneration(generation, facts), why })),
    history: state.history.map((chapter) => ({
      ...chapter,
      startedAt: isoTime(chapter.startedAt),
      activeAt: chapter.activeAt === null ? null : isoTime(chapter.activeAt),
      endedAt: chapter.endedAt === null ? null : isoTime(chapter.endedAt)
    }))
  };
}

function describeGeneration(generation: Generation, facts: (worker: string) => WorkerFacts): GenerationStatus {
  return {
    generation: generation.id,
    entry: generation.release.file,
    startedAt: isoTime(generation.startedAt),
    workers: generation.workers.map((worker) => ({ id: worker.id, state: worker.phase, ...facts(worker.id) }))
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
