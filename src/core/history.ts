import type { Chapter, Generation, Release, State } from './model.ts';

/** How many generations the history remembers. */
export const HISTORY_LENGTH = 50;

/** A line of the history that every door shows; times are ISO 8601. */
export interface ChapterStatus extends Omit<Chapter, 'release' | 'startedAt' | 'activeAt' | 'endedAt'> {
  readonly label: string | null;
  /** The real path of the entry. */
  readonly entry: string;
  readonly startedAt: string;
  readonly activeAt: string | null;
  readonly endedAt: string | null;
  /** Milliseconds that it was active, the last time it was; null if it never was. */
  readonly durationMs: number | null;
}

/** Adds the chapter of a generation that has just been started. */
export function openChapter(
  state: State,
  generation: Generation,
  { kind, strategy }: Pick<Chapter, 'kind' | 'strategy'>
): State {
  const chapter: Chapter = {
    generation: generation.id,
    release: generation.release,
    kind,
    strategy,
    startedAt: generation.startedAt,
    activeAt: null,
    endedAt: null,
    requests: null,
    failed: null,
    outcome: 'candidate',
    reason: null,
    standby: null
  };
  return { ...state, history: [...state.history, chapter].slice(-HISTORY_LENGTH) };
}

/**
 * Writes down what became of a generation.
 *
 * One that was rejected stays rejected, and for the same reason, however it ends later: only becoming active again
 * clears it.
 */
export function amendChapter(state: State, id: number, amend: Partial<Chapter>): State {
  const history = state.history.map((one) => (one.generation === id ? amendOne(one, amend) : one));
  return { ...state, history };
}

/** Writes down that a generation is gone. What was said of one that failed stays. */
export function closeChapter(state: State, id: number, why: string | null, at: number): State {
  const failed = state.history.some(({ generation, outcome }) => generation === id && outcome === 'failed');
  return amendChapter(state, id, failed ? { endedAt: at } : { outcome: 'retired', endedAt: at, reason: why });
}

/** The release that served before the active generation and was not found wanting; null where none is remembered. */
export function releaseBefore({ history }: State, active: number): Release | null {
  const served = history.filter(
    ({ generation, activeAt, outcome }) => activeAt !== null && generation !== active && outcome !== 'rejected'
  );
  const last = served.reduce<Chapter | null>(
    (latest, one) => (latest && (latest.activeAt ?? 0) > (one.activeAt ?? 0) ? latest : one),
    null
  );
  return last?.release ?? null;
}

function amendOne(chapter: Chapter, amend: Partial<Chapter>): Chapter {
  const { outcome, reason } = chapter;
  const stays = outcome === 'rejected' && amend.outcome !== 'active';
  return { ...chapter, ...amend, ...(stays ? { outcome, reason } : {}) };
}

/** The history as every door shows it. It lists what may be shown; nothing is copied whole. */
export function describeHistory(history: readonly Chapter[], now: number): readonly ChapterStatus[] {
  return history.map((chapter) => ({
    generation: chapter.generation,
    label: chapter.release.label,
    entry: chapter.release.file,
    kind: chapter.kind,
    strategy: chapter.strategy,
    startedAt: isoTime(chapter.startedAt),
    activeAt: chapter.activeAt === null ? null : isoTime(chapter.activeAt),
    endedAt: chapter.endedAt === null ? null : isoTime(chapter.endedAt),
    durationMs: measureActive(chapter, history, now),
    requests: chapter.requests,
    failed: chapter.failed,
    outcome: chapter.outcome,
    reason: chapter.reason,
    standby: chapter.standby
  }));
}

/** There is one active generation at a time: each was it until the next one became it, or until it ended. */
function measureActive({ activeAt, endedAt }: Chapter, history: readonly Chapter[], now: number): number | null {
  if (activeAt === null) return null;
  const later = history.flatMap((one) => (one.activeAt !== null && one.activeAt > activeAt ? [one.activeAt] : []));
  return Math.round(Math.min(endedAt ?? now, ...later) - activeAt);
}

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
