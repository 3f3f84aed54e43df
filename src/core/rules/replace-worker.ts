import { addWorkers, changeWorkers, fillWorkers, type Grown, lastingWorkersOf } from '../state/generations.ts';
import type { Effect, Generation, Limits, Worker } from '../state/state.ts';
import { terminate } from './retire.ts';

/**
 * Makes one worker leave a generation that stays: it hands its connections over, finishes its requests and ends.
 *
 * The caller makes sure that enough others accept.
 */
export function letWorkerGo(worker: Worker, effects: Effect[], { drainMs }: Limits): Worker {
  if (worker.isLeaving) return worker;
  const leaving: Worker = { ...worker, isLeaving: true };
  if (['draining', 'ending', 'down'].includes(worker.phase)) return leaving;
  if (worker.phase === 'starting') return terminate(leaving, effects);
  effects.push({ do: 'drain', worker: worker.id, receivers: true });
  effects.push({ do: 'set-deadline', deadline: 'leave-overdue', about: worker.id, afterMs: drainMs });
  return { ...leaving, phase: 'draining' };
}

/** Makes the worker leave whose successor accepts now. */
export function letPredecessorGo(
  generation: Generation,
  successor: string,
  effects: Effect[],
  limits: Limits
): Generation {
  return changeWorkers(generation, (worker) =>
    worker.successor === successor ? letWorkerGo(worker, effects, limits) : worker
  );
}

/** Starts the successor of a worker, beside it. */
export function startSuccessor(generation: Generation, id: string, { readyMs }: Limits): Grown {
  const grown = addWorkers(generation, 1);
  const successor = grown.generation.workers.at(-1)?.id ?? '';
  const changed = changeWorkers(grown.generation, (worker) => (worker.id === id ? { ...worker, successor } : worker));
  const deadline: Effect = { do: 'set-deadline', deadline: 'worker-overdue', about: successor, afterMs: readyMs };
  return { generation: changed, effects: [...grown.effects, deadline] };
}

/** Brings a generation to another size: missing workers are started, and surplus ones leave, the youngest first. */
export function resize(generation: Generation, size: number, limits: Limits): Grown {
  const staying = lastingWorkersOf(generation);
  const sized = { ...generation, size };
  if (staying.length < size) {
    const grown = startMissing(sized, limits);
    const started = grown.generation.workers.slice(generation.workers.length).map(({ id }) => id);
    const added = new Set(started.slice(-Math.max(size - generation.size, 0) || started.length));
    const mark = (worker: Worker) => (added.has(worker.id) ? { ...worker, isAdded: true } : worker);
    return { ...grown, generation: changeWorkers(grown.generation, mark) };
  }
  const succeeds = new Set(generation.workers.map(({ successor }) => successor));
  // Preferably, workers that serve stay, and next those that are the successor of one that serves.
  const worth = ({ id, phase }: Worker) =>
    (phase === 'accepting' ? 4 : phase === 'ready' ? 2 : 0) + (succeeds.has(id) ? 1 : 0);
  const extra = new Set(
    [...staying]
      .sort((a, b) => worth(b) - worth(a))
      .slice(size)
      .map(({ id }) => id)
  );
  const effects: Effect[] = [];
  const changed = changeWorkers(sized, (worker) =>
    extra.has(worker.id) || (worker.successor !== null && extra.has(worker.successor))
      ? letWorkerGo({ ...worker, successor: null }, effects, limits)
      : worker
  );
  return { generation: changed, effects };
}

/** Starts the workers that a serving generation lacks. */
export function startMissing(generation: Generation, { readyMs }: Limits): Grown {
  const grown = fillWorkers(generation);
  const deadlines = grown.effects.flatMap((effect): Effect[] =>
    effect.do === 'fork'
      ? [{ do: 'set-deadline', deadline: 'worker-overdue', about: effect.worker, afterMs: readyMs }]
      : []
  );
  return { generation: grown.generation, effects: [...grown.effects, ...deadlines] };
}
