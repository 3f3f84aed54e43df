import type { Generation, HistoryEntry, Release, State } from './state.ts';

/** How many generations the history remembers. */
export const HISTORY_LENGTH = 50;

/** One generation in the history, as commands and the API show it. */
export interface HistoryEntryStatus
  extends Omit<HistoryEntry, 'release' | 'activeMs' | 'startedAt' | 'activeAt' | 'endedAt'> {
  /** Name of its release; null where none was given or found. */
  readonly label: string | null;
  /** The real path of the entry. */
  readonly entry: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** When it became active the last time, ISO 8601; null if it never did. */
  readonly activeAt: string | null;
  /** When its last worker had exited, ISO 8601; null while it runs. */
  readonly endedAt: string | null;
  /** Milliseconds that it was active in total; null if it never was. */
  readonly durationMs: number | null;
}

/** Adds the entry of a generation that has just been started. */
export function addEntry(
  state: State,
  generation: Generation,
  { kind, strategy, operator = null }: Pick<HistoryEntry, 'kind' | 'strategy' | 'operator'>
): State {
  const entry: HistoryEntry = {
    generation: generation.id,
    release: generation.release,
    kind,
    strategy,
    startedAt: generation.startedAt,
    activeAt: null,
    activeMs: 0,
    endedAt: null,
    requests: null,
    failed: null,
    outcome: 'candidate',
    reason: null,
    standby: null,
    verdict: null,
    operator
  };
  return { ...state, history: [...state.history, entry].slice(-HISTORY_LENGTH) };
}

/**
 * Notes in the history what became of a generation.
 *
 * A rejected generation keeps that outcome and its reason however it ends, until it becomes active again.
 */
export function amendEntry(state: State, id: number, amend: Partial<HistoryEntry>): State {
  const history = state.history.map((one) => (one.generation === id ? amendOne(one, amend) : one));
  return { ...state, history };
}

/** Notes that a generation is gone. The outcome of one that failed stays. */
export function closeEntry(state: State, id: number, why: string | null, at: number): State {
  const failed = state.history.some(({ generation, outcome }) => generation === id && outcome === 'failed');
  const ended = endActive(state, id, at);
  return amendEntry(ended, id, failed ? { endedAt: at } : { outcome: 'retired', endedAt: at, reason: why });
}

/** Adds up how long a generation was active, when it no longer is. */
export function endActive(state: State, id: number, at: number): State {
  const entry = state.history.find(({ generation }) => generation === id);
  return entry ? amendEntry(state, id, { activeMs: measureActive(entry, at) ?? 0 }) : state;
}

/** The history that an earlier supervisor left: generations that still ran then are noted as retired at that time. */
export function finishHistory(history: readonly HistoryEntry[], at: number): readonly HistoryEntry[] {
  return history.map((entry) => {
    const { outcome, reason, activeMs, endedAt } = entry;
    const cutOff = outcome === 'candidate' || outcome === 'active' || outcome === 'standby';
    return {
      ...entry,
      activeMs: measureActive(entry, at) ?? activeMs,
      outcome: cutOff ? 'retired' : outcome,
      reason: cutOff ? 'its supervisor ended without stopping it' : reason,
      endedAt: endedAt ?? at
    };
  });
}

/** The last release before the active generation that served and was not rejected; null where there is none. */
export function releaseBefore({ history }: State, active: Generation): Release | null {
  const served = history.filter(
    ({ generation, activeAt, outcome, release }) =>
      activeAt !== null && generation !== active.id && outcome !== 'rejected' && release !== active.release
  );
  const last = served.reduce<HistoryEntry | null>(
    (latest, one) => (latest && (latest.activeAt ?? 0) > (one.activeAt ?? 0) ? latest : one),
    null
  );
  return last?.release ?? null;
}

function amendOne(entry: HistoryEntry, amend: Partial<HistoryEntry>): HistoryEntry {
  const { outcome, reason } = entry;
  const stays = outcome === 'rejected' && amend.outcome !== 'active';
  return { ...entry, ...amend, ...(stays ? { outcome, reason } : {}) };
}

/** The history as commands and the API show it. Fields are listed one by one, so that no secret of a release is shown. */
export function describeHistory(history: readonly HistoryEntry[], now: number): readonly HistoryEntryStatus[] {
  return history.map((entry) => ({
    generation: entry.generation,
    label: entry.release.label,
    entry: entry.release.file,
    kind: entry.kind,
    strategy: entry.strategy,
    startedAt: isoTime(entry.startedAt),
    activeAt: entry.activeAt === null ? null : isoTime(entry.activeAt),
    endedAt: entry.endedAt === null ? null : isoTime(entry.endedAt),
    durationMs: roundOrNull(measureActive(entry, now)),
    requests: entry.requests,
    failed: entry.failed,
    outcome: entry.outcome,
    reason: entry.reason,
    standby: entry.standby,
    verdict: entry.verdict ?? null,
    operator: entry.operator ?? null
  }));
}

/** How long a generation has been active in total, up to a given time; null if it never was. */
export function measureActive({ activeAt, activeMs, outcome }: HistoryEntry, at: number): number | null {
  if (activeAt === null) return null;
  return activeMs + (outcome === 'active' ? at - activeAt : 0);
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
