import { changeWorkers, limitsFor, replaceGeneration } from '../state/generations.ts';
import { amendEntry, closeEntry } from '../state/history.ts';
import type { Deadline, Effect, Generation, State, Step, Worker } from '../state/state.ts';

/** How long a worker may take to confirm that it accepts, or pauses. */
export const ANSWER_MS = 5_000;

/** How long an app may take over its own SIGTERM handlers before SIGKILL. */
const TERM_MS = 5_000;

const OWN_DEADLINES: readonly Deadline[] = [
  'ready-overdue',
  'check-overdue',
  'withdraw-over',
  'quiet-overdue',
  'open-overdue',
  'pause-overdue',
  'warm-over',
  'bake-over',
  'step-over',
  'scale-overdue',
  'restart-due'
];

/**
 * Retires a generation that has served: its workers drain, then get SIGTERM, then SIGKILL.
 *
 * The caller has taken the generation out of every role before.
 */
export function retire(state: State, generation: Generation, why: string, receivers: boolean, at: number): Step {
  const effects: Effect[] = forget(generation);
  if (generation.workers.length === 0) {
    effects.push({
      do: 'announce',
      notice: { level: 'info', event: 'retired', generation: generation.id, reason: why }
    });
    return { state: closeEntry(state, generation.id, why, at), effects };
  }
  const leaving = changeWorkers(generation, (worker) => {
    if (['ending', 'draining', 'down'].includes(worker.phase)) return worker;
    if (worker.phase === 'starting') return terminate(worker, effects);
    effects.push({ do: 'drain', worker: worker.id, receivers: receivers });
    return { ...worker, phase: 'draining' };
  });
  const { drainMs } = limitsFor(state, generation);
  effects.push({ do: 'set-deadline', deadline: 'drain-overdue', about: leaving.id, afterMs: drainMs });
  effects.push(announceRetiring(generation, why));
  return { state: { ...state, retiring: [...state.retiring, { generation: leaving, why }] }, effects };
}

/** Ends a generation that has never served: there is nothing to drain. */
export function discard(state: State, generation: Generation, why: string, at: number): Step {
  const effects = forget(generation);
  const leaving = changeWorkers(generation, (worker) => terminate(worker, effects));
  const ended = amendEntry(state, generation.id, { outcome: 'failed', reason: why, endedAt: at });
  if (leaving.workers.length === 0) return { state: ended, effects };
  return { state: { ...ended, retiring: [...ended.retiring, { generation: leaving, why }] }, effects };
}

/** The drain timeout has passed: SIGTERM for every worker of the generation that is still draining. */
export function endDraining(state: State, id: number): Step {
  const item = state.retiring.find(({ generation }) => generation.id === id);
  if (!item) return { state, effects: [] };
  const effects: Effect[] = [];
  const held = item.generation.workers.filter((worker) => worker.phase === 'draining');
  for (const worker of held) effects.push(announceHeld(id, worker.id));
  const changed = changeWorkers(item.generation, (worker) =>
    worker.phase === 'draining' ? terminate(worker, effects) : worker
  );
  return { state: replaceGeneration(state, changed), effects };
}

/** Announces that a busy worker is ended. The requests that hold it are added by the supervisor. */
export function announceHeld(generation: number, worker: string): Effect {
  const reason = 'the drain timeout passed';
  return { do: 'announce', notice: { level: 'warn', event: 'drain-overdue', generation, worker, reason } };
}

/** A second order to stop: workers that drain get SIGTERM, those that have got it SIGKILL. */
export function hurry(state: State): Step {
  let next = state;
  const effects: Effect[] = [];
  for (const { generation } of state.retiring) {
    const changed = changeWorkers(generation, (worker) => {
      if (worker.phase === 'draining') return terminate(worker, effects);
      effects.push({ do: 'kill', worker: worker.id });
      return worker;
    });
    next = replaceGeneration(next, changed);
  }
  return { state: next, effects };
}

/** Ends a process, by SIGKILL in any case if it takes too long. */
export function endProcess(worker: string, how: 'terminate' | 'kill'): Effect[] {
  return [
    { do: how, worker },
    { do: 'set-deadline', deadline: 'kill-overdue', about: worker, afterMs: TERM_MS }
  ];
}

export function terminate(worker: Worker, effects: Effect[]): Worker {
  if (worker.phase === 'ending' || worker.phase === 'down') return worker;
  effects.push(...endProcess(worker.id, 'terminate'));
  return { ...worker, phase: 'ending' };
}

function forget(generation: Generation): Effect[] {
  return OWN_DEADLINES.map((deadline) => ({ do: 'clear-deadline', deadline, about: generation.id }));
}

function announceRetiring(generation: Generation, why: string): Effect {
  return { do: 'announce', notice: { level: 'info', event: 'retiring', generation: generation.id, reason: why } };
}
