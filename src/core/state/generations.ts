import type { Common, Effect, Generation, Limits, Release, State, StrategyName, Worker } from './state.ts';

/** The part a generation plays at the moment. */
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

/** The fields that every phase carries. */
export function commonOf({ limits, lastGeneration, retiring, history, drained, plannedStop }: State): Common {
  return { limits, lastGeneration, retiring, history, drained, plannedStop };
}

/** The generation that answers for the service, or null before the first and after the last. */
export function activeOf(state: State): Generation | null {
  return (state as Holder).active ?? null;
}

/** What a generation was started from that has a process. */
export function releaseOf(state: State, id: number | null): Release | undefined {
  return rolesOf(state).find(({ generation }) => generation.id === id)?.generation.release;
}

/** The releases that serve, or are about to. */
export function releasesAhead(state: State): readonly Release[] {
  const { active, candidate, next } = state as Holder;
  return [active, candidate, next].flatMap((generation) => (generation ? [generation.release] : []));
}

/** Whether the active generation is a new one, and it has not been looked at yet what it serves. */
export function isCuttingOver(state: State): boolean {
  return state.phase === 'pausing' || (state.phase === 'steady' && state.completing?.reached === false);
}

/** The limits that hold for a generation: its own, as far as they are known. */
export function limitsFor(state: State, { release }: Generation): Limits {
  return release.settings?.limits ?? state.limits;
}

/** Lets the limits hold that belong to the generation which is being started, or else to the active one. */
export function settleLimits(state: State): State {
  const { candidate, next, active } = state as Holder;
  const generation = candidate ?? next ?? active;
  const limits = generation ? limitsFor(state, generation) : state.limits;
  return limits === state.limits ? state : { ...state, limits };
}

/** How many workers the version before gets in a rollback: its own number, unless the operator has scaled since. */
export function sizeAfter({ size, release: { settings } }: Generation, own: number | undefined): number {
  const scaled = settings === undefined || settings.scaled || settings.workers !== size;
  return scaled ? size : (own ?? size);
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

/** Whether connections may go to a worker: it accepts, and has not been told to stop. */
export function staysOpen({ phase, told }: Worker): boolean {
  return phase === 'accepting' && told !== 'pause';
}

/** Makes a generation that has no worker yet. */
export function createGeneration(
  id: number,
  release: Release,
  size: number,
  strategy: StrategyName,
  at: number
): Generation {
  const nothing = { workers: [], lastWorker: 0, readyAt: null, restarts: [], rejected: null, isShared: false };
  return { id, release, size, strategy, startedAt: at, ...nothing };
}

/** A generation with new workers, and the effects that start them. */
export interface Grown {
  readonly generation: Generation;
  readonly effects: readonly Effect[];
}

/** Starts the missing workers of a generation. */
export function fillWorkers(generation: Generation): Grown {
  return addWorkers(generation, generation.size - lastingWorkersOf(generation).length);
}

/** Starts workers. */
export function addWorkers(generation: Generation, count: number): Grown {
  const effects: Effect[] = [];
  const workers = [...generation.workers];
  let { lastWorker } = generation;
  while (effects.length < count) {
    lastWorker += 1;
    const id = `${generation.id}.${lastWorker}`;
    workers.push(createWorker(id, generation.id));
    effects.push({ do: 'fork', worker: id, generation: generation.id, release: generation.release });
  }
  return { generation: { ...generation, workers, lastWorker }, effects };
}

function createWorker(id: string, generation: number): Worker {
  const not = { handed: false, covers: false, drained: false, proven: false, isLeaving: false, isAdded: false };
  return {
    id,
    generation,
    phase: 'starting',
    whileActive: 'off',
    quiet: true,
    ...not,
    told: null,
    successor: null,
    fault: null
  };
}

/** The workers of a generation, without those that leave alone. */
export function remainingWorkersOf(generation: Generation): readonly Worker[] {
  return generation.workers.filter(({ isLeaving }) => !isLeaving);
}

/** The same without those whose successor is on its way. */
export function lastingWorkersOf(generation: Generation): readonly Worker[] {
  return remainingWorkersOf(generation).filter(({ successor }) => successor === null);
}

/** Questions about all workers of a generation. */
export const areAll = {
  ready: (generation: Generation) =>
    remainingWorkersOf(generation).length >= generation.size &&
    generation.workers.every(({ phase }) => phase !== 'starting' && phase !== 'down'),
  /** Whether all accept. A worker that is being replaced is not waited for, as long as another one accepts. */
  accepting: (generation: Generation) => {
    const started = generation.workers.filter(canAccept);
    return started.length > 0 && started.every((worker) => worker.phase === 'accepting');
  },
  paused: (generation: Generation) => generation.workers.every((worker) => worker.phase !== 'accepting'),
  /** Whether all have answered everything that had reached them, and no `whileActive` task runs. */
  quiet: (generation: Generation) =>
    generation.workers.every(({ phase, quiet, whileActive }) => phase === 'down' || (quiet && whileActive === 'off')),
  handed: (generation: Generation) =>
    generation.workers.every(
      ({ handed, phase, isLeaving }) =>
        handed || isLeaving || phase === 'starting' || phase === 'ready' || phase === 'down'
    )
} as const;

/** Whether a worker can be told to accept: it has started, and is not on its way out. */
export function canAccept({ phase }: Worker): boolean {
  return phase === 'ready' || phase === 'accepting' || phase === 'paused';
}
