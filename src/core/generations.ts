import type { Effect, Generation, Release, State, Worker } from './model.ts';

/** What a generation is to the service at the moment. */
export type Role = 'active' | 'standby' | 'candidate' | 'next' | 'leaving' | 'retiring';

const ROLES = ['active', 'standby', 'candidate', 'next', 'leaving'] as const;
type Holder = { readonly [R in (typeof ROLES)[number]]?: Generation | null };

/** Every generation that has a process, with its role. */
export function rolesOf(state: State): { role: Role; generation: Generation }[] {
  const holder = state as Holder;
  const found: { role: Role; generation: Generation }[] = [];
  for (const role of ROLES) {
    const generation = holder[role];
    if (generation) found.push({ role, generation });
  }
  for (const { generation } of state.retiring) found.push({ role: 'retiring', generation });
  return found;
}

/** The generation that answers for the service, or null before the first and after the last. */
export function activeOf(state: State): Generation | null {
  return (state as Holder).active ?? null;
}

/** Puts a changed generation back where it was. */
export function replaceGeneration(state: State, changed: Generation): State {
  const holder = state as Holder;
  const roles = ROLES.filter((role) => holder[role]?.id === changed.id).map((role) => [role, changed]);
  const retiring = state.retiring.map((item) =>
    item.generation.id === changed.id ? { ...item, generation: changed } : item
  );
  return { ...state, ...Object.fromEntries(roles), retiring } as State;
}

export function changeWorkers(generation: Generation, change: (worker: Worker) => Worker): Generation {
  return { ...generation, workers: generation.workers.map(change) };
}

/** Makes a generation with its workers, and the effects that start them. */
export function createGeneration(
  id: number,
  release: Release,
  size: number,
  at: number
): { generation: Generation; effects: Effect[] } {
  const empty: Generation = {
    id,
    release,
    size,
    workers: [],
    lastWorker: 0,
    startedAt: at,
    readyAt: null,
    restarts: []
  };
  return fillWorkers(empty);
}

/** Starts as many workers as the generation is short of. */
export function fillWorkers(generation: Generation): { generation: Generation; effects: Effect[] } {
  const effects: Effect[] = [];
  const workers = [...generation.workers];
  let lastWorker = generation.lastWorker;
  while (workers.length < generation.size) {
    lastWorker += 1;
    const id = `${generation.id}.${lastWorker}`;
    workers.push({
      id,
      generation: generation.id,
      phase: 'starting',
      duty: 'off',
      handed: false,
      covers: false,
      drained: false
    });
    effects.push({ do: 'fork', worker: id, generation: generation.id, release: generation.release });
  }
  return { generation: { ...generation, workers, lastWorker }, effects };
}

/** Whether the workers of a generation have all come as far as the question asks. */
export const areAll = {
  ready: (generation: Generation) =>
    isFull(generation) && generation.workers.every((one) => one.phase !== 'starting' && one.phase !== 'down'),
  /** A worker that is being replaced is not waited for, as long as another one accepts. */
  accepting: (generation: Generation) => {
    const started = generation.workers.filter(canAccept);
    return started.length > 0 && started.every((worker) => worker.phase === 'accepting');
  },
  paused: (generation: Generation) => generation.workers.every((worker) => worker.phase !== 'accepting'),
  handed: (generation: Generation) =>
    generation.workers.every(
      ({ handed, phase }) => handed || phase === 'starting' || phase === 'ready' || phase === 'down'
    )
} as const;

/** Whether a worker can be told to accept: it has started, and is not on its way out. */
export function canAccept({ phase }: Worker): boolean {
  return phase !== 'starting' && phase !== 'ending' && phase !== 'down';
}

function isFull(generation: Generation): boolean {
  return generation.workers.length === generation.size;
}
