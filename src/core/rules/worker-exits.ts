import { canAccept, limitsFor, replaceGeneration, rolesOf } from '../state/generations.ts';
import { closeEntry } from '../state/history.ts';
import type { Effect, Event, Generation, RestartLimit, State, Step, WorkerEvent } from '../state/state.ts';
import { setWorker, unchanged, type WorkerPlace, type WorkerUpdate, whenAll } from '../state/worker-update.ts';
import { startMissing } from './replace-worker.ts';
import { nextRestart, SLOW_MS, withinWindow } from './restarts.ts';

/** A process has exited: it accepts no more from now on. The reason comes with a later event. */
export function foldDown(place: WorkerPlace, at: number): WorkerUpdate {
  const about = place.generation.id;
  // The exit of a worker that was told to end is no surprise.
  if (place.worker.phase === 'ending' || place.role === 'retiring') return unchanged(place);
  const state = setWorker(place, { ...place.worker, phase: 'down', covers: false });
  return { state, effects: [], news: newsOfRest(state, about, at) };
}

/** The events that may be due now that the generation has one worker less to wait for. */
function newsOfRest(state: State, about: number, at: number): Event[] {
  return [
    ...whenAll(state, about, 'paused', { type: 'all-paused', about, at }),
    ...whenAll(state, about, 'quiet', { type: 'all-quiet', about, at }),
    ...whenAll(state, about, 'handed', { type: 'all-handed', about, at })
  ];
}

/** A process has exited, and the reason is known. */
export function foldExit(place: WorkerPlace, event: WorkerEvent & { type: 'worker-exited' }, at: number): WorkerUpdate {
  const { role, generation, worker } = place;
  const about = generation.id;
  const why = worker.fault ?? event.why;
  const others = generation.workers
    .filter(({ id }) => id !== worker.id)
    .map((one) => (one.successor === worker.id ? { ...one, successor: null } : one));
  const rest = { ...generation, workers: others };
  const effects: Effect[] = (['worker-overdue', 'leave-overdue', 'kill-overdue'] as const).map((deadline) => ({
    do: 'clear-deadline',
    deadline,
    about: worker.id
  }));
  if (role === 'retiring') return foldRetired(place, rest, effects, at);
  if (worker.isLeaving) {
    const state = replaceGeneration(place.state, rest);
    const left = { level: 'info', event: 'worker-left', generation: about, worker: worker.id } as const;
    return { state, effects: [...effects, { do: 'announce', notice: left }], news: newsOfRest(state, about, at) };
  }
  const level = worker.phase === 'ending' ? 'info' : 'warn';
  const notice = { level, event: 'worker-exited', generation: about, worker: worker.id, reason: why } as const;
  effects.push({ do: 'announce', notice });
  const lost: Event = {
    type: 'worker-lost',
    about,
    worker: worker.id,
    why,
    fix: worker.fault === null ? (event.fix ?? null) : null,
    at
  };
  // In a rollback, a replacement that never could serve is not essential.
  const matters = role !== 'next' || canAccept(worker) || worker.phase === 'down' || place.state.phase === 'rolling';
  if (role === 'candidate') return { state: replaceGeneration(place.state, rest), effects, news: [lost] };

  const { restarts } = limitsFor(place.state, generation);
  const restart = nextRestart(rest.restarts, at, restarts);
  const counted = { ...rest, restarts: [...withinWindow(rest.restarts, at, restarts), at] };
  effects.push({ do: 'set-deadline', deadline: 'restart-due', about, afterMs: restart.afterMs });
  if (restart.limited) effects.push(announceLimit(about, restarts));
  const state = replaceGeneration(place.state, counted);
  return { state, effects, news: [...(matters ? [lost] : []), ...newsOfRest(state, about, at)] };
}

function foldRetired(
  { state, generation }: WorkerPlace,
  rest: Generation,
  effects: Effect[],
  at: number
): WorkerUpdate {
  if (rest.workers.length > 0) return { state: replaceGeneration(state, rest), effects, news: [] };
  const item = state.retiring.find((one) => one.generation.id === generation.id);
  effects.push({ do: 'clear-deadline', deadline: 'drain-overdue', about: generation.id });
  const left = { ...state, retiring: state.retiring.filter((one) => one !== item) };
  const next = closeEntry(left, generation.id, item?.why ?? null, at);
  effects.push({ do: 'announce', notice: { level: 'info', event: 'retired', generation: generation.id } });
  return { state: next, effects, news: [{ type: 'all-handed', about: generation.id, at }] };
}

/** Starts the missing workers of a generation. */
export function restartWorkers(state: State, id: number): Step {
  const place = rolesOf(state).find(({ role, generation }) => role !== 'retiring' && generation.id === id);
  // During a rolling handover, the strategy itself decides which workers are started.
  const rolls = state.phase === 'rolling' && place?.role !== 'standby';
  if (!place || place.role === 'candidate' || rolls) return { state, effects: [] };
  const { generation, effects } = startMissing(place.generation, limitsFor(state, place.generation));
  return { state: replaceGeneration(state, generation), effects };
}

function announceLimit(generation: number, { max, windowMs }: RestartLimit): Effect {
  const reason = `${max} replacements within ${windowMs / 1000} s were not enough; trying every ${SLOW_MS / 1000} s from now on`;
  return { do: 'announce', notice: { level: 'error', event: 'restart-limit', generation, reason } };
}
