import type { Chapter, Generation, State } from './model.ts';

/** How many generations the history remembers. */
export const HISTORY_LENGTH = 50;

/** Adds the chapter of a generation that has just been started. */
export function openChapter(state: State, generation: Generation): State {
  const chapter: Chapter = {
    generation: generation.id,
    entry: generation.release.file,
    startedAt: generation.startedAt,
    activeAt: null,
    endedAt: null,
    outcome: 'candidate',
    reason: null
  };
  return { ...state, history: [...state.history, chapter].slice(-HISTORY_LENGTH) };
}

/** Writes down what became of a generation. */
export function amendChapter(state: State, id: number, amend: Partial<Chapter>): State {
  const history = state.history.map((one) => (one.generation === id ? { ...one, ...amend } : one));
  return { ...state, history };
}
