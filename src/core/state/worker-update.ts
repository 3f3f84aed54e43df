import { endProcess } from '../rules/retire.ts';
import { areAll, changeWorkers, type Role, replaceGeneration, rolesOf } from './generations.ts';
import type { Effect, Event, Generation, State, Worker } from './state.ts';

/** The outcome of news of one worker: the changed state, effects, and news for the table. */
export interface WorkerUpdate {
  readonly state: State;
  readonly effects: readonly Effect[];
  readonly news: readonly Event[];
}

/** A worker with its state, generation and role. */
export interface WorkerPlace {
  readonly state: State;
  readonly role: Role;
  readonly generation: Generation;
  readonly worker: Worker;
}

/** Ends a worker. */
export function end(place: WorkerPlace, how: 'terminate' | 'kill'): WorkerUpdate {
  const { worker } = place;
  const effects = endProcess(worker.id, how);
  return { state: setWorker(place, { ...worker, phase: 'ending' }), effects, news: [] };
}

export function setWorker({ state, generation }: WorkerPlace, changed: Worker): State {
  const next = changeWorkers(generation, (worker) => (worker.id === changed.id ? changed : worker));
  return replaceGeneration(state, next);
}

export function unchanged({ state }: WorkerPlace): WorkerUpdate {
  return { state, effects: [], news: [] };
}

/** The event, if the question now holds for every worker of the generation; else nothing. */
export function whenAll(state: State, id: number, question: keyof typeof areAll, event: Event): Event[] {
  const found = rolesOf(state).find(({ generation }) => generation.id === id);
  return found && areAll[question](found.generation) ? [event] : [];
}
