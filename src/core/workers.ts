import { areAll, canAccept, changeWorkers, fillWorkers, type Role, replaceGeneration, rolesOf } from './generations.ts';
import { amendChapter } from './history.ts';
import type { Effect, Event, Generation, State, Worker, WorkerEvent } from './model.ts';
import { nextRestart, RESTART_LIMIT, withinWindow } from './restarts.ts';
import { ANSWER_MS, TERM_MS } from './retire.ts';

/** What news of one worker comes to: its generation changed, and news for the table. */
export interface Folded {
  readonly state: State;
  readonly effects: readonly Effect[];
  readonly news: readonly Event[];
}

interface Place {
  readonly state: State;
  readonly role: Role;
  readonly generation: Generation;
  readonly worker: Worker;
}

/** Folds news of one worker into its generation. News of a worker that is gone is dropped here, and only here. */
export function foldWorker(state: State, event: WorkerEvent): Folded {
  for (const { role, generation } of rolesOf(state)) {
    const worker = generation.workers.find((one) => one.id === event.worker);
    if (worker) return fold({ state, role, generation, worker }, event);
  }
  return { state, effects: [], news: [] };
}

function fold(place: Place, event: WorkerEvent): Folded {
  const { generation, worker } = place;
  const about = generation.id;
  const { at } = event;
  switch (event.type) {
    case 'worker-ready':
      return foldReady(place, at);
    case 'worker-accepting': {
      if (worker.phase !== 'ready' && worker.phase !== 'paused') return unchanged(place);
      const state = setWorker(place, { ...worker, phase: 'accepting', handed: false });
      const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'worker-overdue', about: worker.id }];
      return { state, effects, news: whenAll(state, about, 'accepting', { type: 'all-accepting', about, at }) };
    }
    case 'worker-paused': {
      // Of a worker that was told to accept since, it is the answer to an order that no longer counts.
      if (worker.phase !== 'accepting' || place.role === 'active' || place.role === 'next') return unchanged(place);
      const state = setWorker(place, { ...worker, phase: 'paused' });
      return { state, effects: [], news: whenAll(state, about, 'paused', { type: 'all-paused', about, at }) };
    }
    case 'worker-handed': {
      const state = setWorker(place, { ...worker, handed: true });
      return { state, effects: [], news: whenAll(state, about, 'handed', { type: 'all-handed', about, at }) };
    }
    case 'worker-inactive':
      return foldInactive(place);
    case 'worker-drained':
      if (worker.phase !== 'draining') return unchanged(place);
      // What runs in one version only is given the time to end, as requests are: until the drain timeout.
      if (worker.duty !== 'off') return { ...unchanged(place), state: setWorker(place, { ...worker, drained: true }) };
      return end(place, 'terminate');
    case 'worker-overdue':
      // A replacement that is late to be ready, or to accept.
      return worker.phase === 'starting' || worker.phase === 'ready' ? end(place, 'kill') : unchanged(place);
    case 'kill-overdue':
      return {
        state: place.state,
        effects: [
          { do: 'kill', worker: worker.id },
          {
            do: 'announce',
            notice: { level: 'warn', event: 'killed', worker: worker.id, reason: 'it did not end by SIGTERM' }
          }
        ],
        news: []
      };
    case 'worker-refused': {
      const { code, why } = event;
      const folded = place.role === 'active' ? end(place, 'terminate') : unchanged(place);
      return { ...folded, news: [{ type: 'accept-failed', about, worker: worker.id, code, why, at }] };
    }
    case 'worker-down':
      return foldDown(place, at);
    case 'worker-exited':
      return foldExit(place, event.why, at);
  }
}

function foldReady(place: Place, at: number): Folded {
  const { role, generation, worker } = place;
  if (worker.phase !== 'starting') return unchanged(place);
  const about = generation.id;
  const state = setWorker(place, { ...worker, phase: 'ready' });
  const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'worker-overdue', about: worker.id }];
  // A replacement joins the others at once; a candidate's workers wait for each other.
  if (role === 'active' || role === 'next') {
    effects.push({ do: 'accept', worker: worker.id });
    effects.push({ do: 'set-deadline', deadline: 'worker-overdue', about: worker.id, afterMs: ANSWER_MS });
  }
  if (role !== 'candidate') {
    effects.push({
      do: 'announce',
      notice: { level: 'info', event: 'worker-replaced', generation: about, worker: worker.id }
    });
  }
  return { state, effects, news: whenAll(state, about, 'ready', { type: 'all-ready', about, at }) };
}

function foldInactive(place: Place): Folded {
  const { worker } = place;
  if (worker.duty !== 'ending') return unchanged(place);
  const off: Worker = { ...worker, duty: 'off' };
  if (worker.drained && worker.phase === 'draining') return end({ ...place, worker: off }, 'terminate');
  return { state: setWorker(place, off), effects: [], news: [] };
}

/** A process is gone. Why it went is heard a moment later; that it accepts no more counts at once. */
function foldDown(place: Place, at: number): Folded {
  const about = place.generation.id;
  // One that was told to end is expected to, and one that ends a candidate says why first.
  if (place.worker.phase === 'ending' || place.role === 'retiring' || place.role === 'candidate')
    return unchanged(place);
  const state = setWorker(place, { ...place.worker, phase: 'down', covers: false });
  const news = [
    ...whenAll(state, about, 'paused', { type: 'all-paused', about, at }),
    ...whenAll(state, about, 'handed', { type: 'all-handed', about, at })
  ];
  return { state, effects: [], news };
}

function foldExit(place: Place, why: string, at: number): Folded {
  const { role, generation, worker } = place;
  const about = generation.id;
  const rest = { ...generation, workers: generation.workers.filter((one) => one.id !== worker.id) };
  const effects: Effect[] = [
    { do: 'clear-deadline', deadline: 'worker-overdue', about: worker.id },
    { do: 'clear-deadline', deadline: 'kill-overdue', about: worker.id }
  ];
  if (role === 'retiring') return foldRetired(place, rest, effects, at);
  const expected = worker.phase === 'ending';
  const level = expected ? 'info' : 'warn';
  const notice = { level, event: 'worker-exited', generation: about, worker: worker.id, reason: why } as const;
  effects.push({ do: 'announce', notice });
  const lost: Event = { type: 'worker-lost', about, worker: worker.id, why, at };
  // A rollback does not hang on a replacement that never got as far as serving.
  const matters = role !== 'next' || canAccept(worker) || worker.phase === 'down';
  if (role === 'candidate') return { state: replaceGeneration(place.state, rest), effects, news: [lost] };

  const restart = nextRestart(rest.restarts, at);
  const counted = { ...rest, restarts: [...withinWindow(rest.restarts, at), at] };
  effects.push({ do: 'set-deadline', deadline: 'restart-due', about, afterMs: restart.afterMs });
  if (restart.limited) effects.push(announceLimit(about));
  const state = replaceGeneration(place.state, counted);
  const news = [
    ...(matters ? [lost] : []),
    ...whenAll(state, about, 'paused', { type: 'all-paused', about, at }),
    ...whenAll(state, about, 'handed', { type: 'all-handed', about, at })
  ];
  return { state, effects, news };
}

function foldRetired({ state, generation }: Place, rest: Generation, effects: Effect[], at: number): Folded {
  if (rest.workers.length > 0) return { state: replaceGeneration(state, rest), effects, news: [] };
  const item = state.retiring.find((one) => one.generation.id === generation.id);
  effects.push({ do: 'clear-deadline', deadline: 'drain-overdue', about: generation.id });
  const chapter = state.history.find((one) => one.generation === generation.id);
  const outcome = chapter?.outcome === 'failed' ? 'failed' : 'retired';
  const left = { ...state, retiring: state.retiring.filter((one) => one !== item) };
  const reason = item?.why ?? null;
  const next = amendChapter(left, generation.id, { outcome, endedAt: at, reason });
  effects.push({ do: 'announce', notice: { level: 'info', event: 'retired', generation: generation.id } });
  return { state: next, effects, news: [{ type: 'all-handed', about: generation.id, at }] };
}

/** Starts the replacements that a generation is short of. */
export function restartWorkers(state: State, id: number): { state: State; effects: readonly Effect[] } {
  const place = rolesOf(state).find(({ role, generation }) => role !== 'retiring' && generation.id === id);
  if (!place || place.role === 'candidate') return { state, effects: [] };
  const { generation, effects } = fillWorkers(place.generation);
  const deadlines: Effect[] = effects.flatMap((effect) =>
    effect.do === 'fork'
      ? [{ do: 'set-deadline', deadline: 'worker-overdue', about: effect.worker, afterMs: state.limits.readyMs }]
      : []
  );
  return { state: replaceGeneration(state, generation), effects: [...effects, ...deadlines] };
}

function end(place: Place, how: 'terminate' | 'kill'): Folded {
  const { worker } = place;
  const effects: Effect[] = [
    { do: how, worker: worker.id },
    { do: 'set-deadline', deadline: 'kill-overdue', about: worker.id, afterMs: TERM_MS }
  ];
  return { state: setWorker(place, { ...worker, phase: 'ending' }), effects, news: [] };
}

function setWorker({ state, generation }: Place, changed: Worker): State {
  const next = changeWorkers(generation, (worker) => (worker.id === changed.id ? changed : worker));
  return replaceGeneration(state, next);
}

function unchanged({ state }: Place): Folded {
  return { state, effects: [], news: [] };
}

function whenAll(state: State, id: number, question: keyof typeof areAll, event: Event): Event[] {
  const found = rolesOf(state).find(({ generation }) => generation.id === id);
  return found && areAll[question](found.generation) ? [event] : [];
}

function announceLimit(generation: number): Effect {
  const reason = `${RESTART_LIMIT.max} replacements within ${RESTART_LIMIT.windowMs / 1000} s were not enough; trying every ${RESTART_LIMIT.slowMs / 1000} s from now on`;
  return { do: 'announce', notice: { level: 'error', event: 'restart-limit', generation, reason } };
}
