import { changeWorkers, limitsFor, replaceGeneration, rolesOf } from '../state/generations.ts';
import type { Deadline, Effect, Event, State, Worker, WorkerEvent } from '../state/state.ts';
import { end, setWorker, unchanged, type WorkerPlace, type WorkerUpdate, whenAll } from '../state/worker-update.ts';
import { isHeld } from './hold.ts';
import { letPredecessorGo, startSuccessor } from './replace-worker.ts';
import { ANSWER_MS, announceHeld } from './retire.ts';
import { foldDown, foldExit } from './worker-exits.ts';

/** Applies news of one worker to its generation. News of a worker that is gone is dropped here, and only here. */
export function foldWorker(state: State, event: WorkerEvent): WorkerUpdate {
  for (const { role, generation } of rolesOf(state)) {
    const worker = generation.workers.find((one) => one.id === event.worker);
    if (worker) return fold({ state, role, generation, worker }, event);
  }
  return { state, effects: [], news: [] };
}

function fold(place: WorkerPlace, event: WorkerEvent): WorkerUpdate {
  const { generation, worker } = place;
  const about = generation.id;
  const { at } = event;
  switch (event.type) {
    case 'worker-ready':
      return foldReady(place, at);
    case 'worker-proven': {
      const state = setWorker(place, { ...worker, told: null, proven: true });
      return { state, effects: endWait(state, 'check-overdue', ({ told }) => told === 'check'), news: [] };
    }
    case 'worker-accepting':
      return foldAccepting(place, at);
    case 'worker-paused': {
      // A worker that was told to accept since confirms a pause that no longer counts.
      if (worker.phase !== 'accepting' || !wasToldToPause(place)) return unchanged(place);
      const state = setWorker(place, { ...worker, phase: 'paused' });
      return { state, effects: [], news: whenAll(state, about, 'paused', { type: 'all-paused', about, at }) };
    }
    case 'worker-quiet': {
      const state = setWorker(place, { ...worker, quiet: true });
      return { state, effects: [], news: whenAll(state, about, 'quiet', { type: 'all-quiet', about, at }) };
    }
    case 'worker-handed': {
      const state = setWorker(place, { ...worker, handed: true });
      return { state, effects: [], news: whenAll(state, about, 'handed', { type: 'all-handed', about, at }) };
    }
    case 'worker-inactive':
      return foldInactive(place, at);
    case 'worker-drained':
      if (worker.phase !== 'draining') return unchanged(place);
      // Tasks of `whileActive` have until the drain timeout to end, as requests have.
      if (worker.whileActive !== 'off')
        return { ...unchanged(place), state: setWorker(place, { ...worker, drained: true }) };
      return end(place, 'terminate');
    case 'worker-overdue':
      // A replacement was not ready, or did not accept, in time.
      return worker.phase === 'starting' || worker.phase === 'ready' ? end(place, 'kill') : unchanged(place);
    case 'leave-overdue':
      return foldStuck(place);
    case 'worker-hung':
      return foldHung(place, event.silentMs);
    case 'worker-heavy':
      return foldHeavy(place, event.rssBytes, event.limitBytes);
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
    case 'worker-unfit': {
      const { why, fix } = event;
      const comes = place.role === 'candidate' || place.role === 'next';
      const folded = comes ? unchanged(place) : end(place, 'terminate');
      return { ...folded, news: [{ type: 'unfit', about, worker: worker.id, why, fix, at }] };
    }
    case 'worker-down':
      return foldDown(place, at);
    case 'worker-exited':
      return foldExit(place, event, at);
  }
}

function foldReady(place: WorkerPlace, at: number): WorkerUpdate {
  const { role, generation, worker } = place;
  if (worker.phase !== 'starting') return unchanged(place);
  const about = generation.id;
  const state = setWorker(place, { ...worker, phase: 'ready' });
  const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'worker-overdue', about: worker.id }];
  // A replacement accepts at once; a candidate's workers wait for each other, or for their strategy.
  if (joinsAtOnce(place)) {
    effects.push({ do: 'accept', worker: worker.id });
    effects.push({ do: 'set-deadline', deadline: 'worker-overdue', about: worker.id, afterMs: ANSWER_MS });
  }
  const replacesNone = worker.isAdded || (role === 'next' && state.phase === 'rolling');
  const event = replacesNone ? 'worker-ready' : 'worker-replaced';
  if (role !== 'candidate') {
    effects.push({ do: 'announce', notice: { level: 'info', event, generation: about, worker: worker.id } });
  }
  effects.push(...endWait(state, 'ready-overdue', ({ phase }) => phase === 'starting'));
  return { state, effects, news: whenAll(state, about, 'ready', { type: 'all-ready', about, at }) };
}

function joinsAtOnce({ state, role }: WorkerPlace): boolean {
  if (role !== 'active' && role !== 'next') return false;
  switch (state.phase) {
    case 'quieting':
    case 'migrating':
      return false;
    case 'opening':
      return role === 'next' || state.order.strategy !== 'exclusive';
    case 'rolling':
    case 'canary': // what a canary answers is brought to it
      return role === 'active';
    default:
      return true;
  }
}

function foldAccepting(place: WorkerPlace, at: number): WorkerUpdate {
  const { role, generation, worker } = place;
  if (worker.phase !== 'ready' && worker.phase !== 'paused') return unchanged(place);
  const about = generation.id;
  const accepts: Worker = { ...worker, phase: 'accepting', handed: false, quiet: false };
  const effects: Effect[] = [{ do: 'clear-deadline', deadline: 'worker-overdue', about: worker.id }];
  let state = setWorker(place, accepts);
  if (role === 'active') {
    const changed = changeWorkers(generation, (one) => (one.id === worker.id ? accepts : one));
    state = replaceGeneration(state, letPredecessorGo(changed, worker.id, effects, limitsFor(state, generation)));
  }
  effects.push(...endWait(state, 'open-overdue', ({ phase, told }) => told === 'accept' && phase === 'ready'));
  const event: Event = { type: 'all-accepting', about, at };
  // Under `exclusive`, once one worker serves, the version before must not serve again: the cutover waits for no other.
  const news = role === 'next' && isHeld(state) ? [event] : whenAll(state, about, 'accepting', event);
  return { state, effects, news };
}

/** Worker by worker, one deadline holds for all workers that are waited for: it is cleared with the last of them. */
function endWait(state: State, deadline: Deadline, isWaitedFor: (worker: Worker) => boolean): Effect[] {
  if (state.phase !== 'rolling' || state.next.workers.some(isWaitedFor)) return [];
  return [{ do: 'clear-deadline', deadline, about: state.next.id }];
}

/** Whether a worker's pause was ordered: in the active generation only a strategy does so, in the next one nobody. */
function wasToldToPause({ role, worker }: WorkerPlace): boolean {
  if (role === 'next') return false;
  return role !== 'active' || worker.told === 'pause' || worker.told === 'hold';
}

function foldInactive(place: WorkerPlace, at: number): WorkerUpdate {
  const { worker, generation } = place;
  if (worker.whileActive !== 'ending') return unchanged(place);
  const off: Worker = { ...worker, whileActive: 'off' };
  if (worker.drained && worker.phase === 'draining') return end({ ...place, worker: off }, 'terminate');
  const state = setWorker(place, off);
  const about = generation.id;
  return { state, effects: [], news: whenAll(state, about, 'quiet', { type: 'all-quiet', about, at }) };
}

/** A worker that leaves alone is still busy at the drain timeout. */
function foldStuck(place: WorkerPlace): WorkerUpdate {
  const { worker, generation } = place;
  if (worker.phase !== 'draining') return unchanged(place);
  const ended = end(place, 'terminate');
  return { ...ended, effects: [announceHeld(generation.id, worker.id), ...ended.effects] };
}

/** Its event loop is blocked, so it could not handle SIGTERM: it gets SIGKILL. */
function foldHung(place: WorkerPlace, silentMs: number): WorkerUpdate {
  const { worker, generation } = place;
  if (worker.phase === 'ending' || worker.phase === 'down') return unchanged(place);
  const fault = `its event loop did not answer for ${Math.round(silentMs / 1000)} s, and it was ended`;
  const ended = end({ ...place, worker: { ...worker, fault } }, 'kill');
  const notice = { level: 'error', event: 'worker-hung', generation: generation.id, worker: worker.id } as const;
  return { ...ended, effects: [{ do: 'announce', notice: { ...notice, silentMs, reason: fault } }, ...ended.effects] };
}

/** A worker uses more than `maxMemory`: its successor starts first, and it leaves once that accepts. */
function foldHeavy(place: WorkerPlace, rssBytes: number, limitBytes: number): WorkerUpdate {
  const { state, role, generation, worker } = place;
  if (state.phase !== 'steady' || role !== 'active') return unchanged(place);
  if (worker.phase !== 'accepting' || worker.successor !== null) return unchanged(place);
  const grown = startSuccessor(generation, worker.id, limitsFor(state, generation));
  const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
  const reason = `it uses ${mib(rssBytes)} MiB, more than maxMemory (${mib(limitBytes)} MiB); its successor starts first`;
  const notice = {
    level: 'warn',
    event: 'worker-heavy',
    generation: generation.id,
    worker: worker.id,
    reason
  } as const;
  const effects: Effect[] = [{ do: 'announce', notice }, ...grown.effects];
  return { state: replaceGeneration(state, grown.generation), effects, news: [] };
}
