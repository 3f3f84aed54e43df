import { areAll, canAccept, changeWorkers, commonOf } from '../state/generations.ts';
import { amendEntry } from '../state/history.ts';
import type { Effect, Generation, In, State, Step, Worker } from '../state/state.ts';
import { amendCutover, announceCutover, completeCutover, makeRoom } from './complete.ts';
import { isCovering } from './cover.ts';
import { yieldHeld } from './hold.ts';
import { ANSWER_MS, retire } from './retire.ts';
import { announce, before, type On, to } from './rule.ts';

/** Booting: the first generation accepts. */
export function becomeSteady(state: In<'booting'>, { about, at }: On<'all-accepting'>): Step {
  const { candidate, request } = state;
  const idle = { standby: null, completing: null, bake: null, scaling: null };
  const next: State = { ...commonOf(state), phase: 'steady', active: candidate, ...idle };
  return to(
    amendEntry(next, about, { activeAt: at, outcome: 'active' }),
    { do: 'clear-deadline', deadline: 'open-overdue', about },
    announce('info', 'started', { generation: about, entry: candidate.release.file, tookMs: at - candidate.startedAt }),
    { do: 'reply', request, reply: { ok: true, started: about } }
  );
}

type Opening = In<'opening'>;

/** Lets the next generation accept. */
export function openNext(state: Omit<Opening, 'phase' | 'next' | 'openedAt'>, next: Generation, at: number): Step {
  const opening: Opening = { ...state, phase: 'opening', next, openedAt: at };
  const keep: Effect = { do: 'clear-deadline', deadline: 'warm-over', about: next.id };
  // A standby that covers for the active generation accepts already.
  const able = next.workers.filter(canAccept);
  if (able.length > 0 && able.every(acceptsAlready))
    return before([keep], cutOver(opening, { type: 'all-accepting', about: next.id, at }));
  return to(opening, keep, ...yieldHeld(state.active), ...acceptAll(next), {
    do: 'set-deadline',
    deadline: 'open-overdue',
    about: next.id,
    afterMs: ANSWER_MS
  });
}

/**
 * Opening: the next generation accepts (under `exclusive`, one worker is enough). It is the active one from here on, and
 * the one before is told to pause.
 */
export function cutOver(state: Opening, { about, at }: On<'all-accepting'>): Step {
  const { next, standby, order, openedAt } = state;
  const late = next.workers.filter((worker) => canAccept(worker) && worker.phase !== 'accepting');
  const active = changeWorkers(next, (worker) => ({
    ...worker,
    covers: false,
    phase: late.includes(worker) ? 'ready' : worker.phase
  }));
  const leaving = changeWorkers(state.active, (worker) => ({ ...worker, told: null }));
  const cutover = { active, leaving, order, openedAt, acceptedAt: at };
  const haste = leaving.rejected === null ? {} : ({ hurry: true } as const);
  const effects: Effect[] = [
    { do: 'clear-deadline', deadline: 'open-overdue', about },
    ...late.map(
      ({ id }): Effect => ({ do: 'set-deadline', deadline: 'worker-overdue', about: id, afterMs: ANSWER_MS })
    ),
    ...leaving.workers.map((worker): Effect => ({ do: 'pause', worker: worker.id, receivers: true, ...haste })),
    { do: 'set-deadline', deadline: 'pause-overdue', about: leaving.id, afterMs: ANSWER_MS },
    announceCutover(cutover)
  ];
  const pausing: In<'pausing'> = { ...commonOf(state), phase: 'pausing', ...cutover };
  const gone = makeRoom(amendCutover(pausing, cutover, at), standby, leaving.id, at);
  const step = areAll.paused(leaving)
    ? keepWarm(gone.state as In<'pausing'>, { type: 'all-paused', about: leaving.id, at })
    : to(gone.state);
  return before([...effects, ...gone.effects], step);
}

/** Pausing: the generation before has stopped accepting and is the standby now. */
export function keepWarm(state: In<'pausing'>, { at }: On<'all-paused' | 'pause-overdue'>): Step {
  const { leaving, openedAt } = state;
  return before(
    [
      { do: 'clear-deadline', deadline: 'pause-overdue', about: leaving.id },
      announce('info', 'paused', { generation: leaving.id, tookMs: at - openedAt })
    ],
    completeCutover(state, state, at)
  );
}

/** Pausing: a worker did not confirm its pause in time. It is too busy to accept much, and is told again when it is retired. */
export function keepWarmUnpaused(state: In<'pausing'>, event: On<'pause-overdue'>): Step {
  const late = state.leaving.workers.filter((worker) => worker.phase === 'accepting').map((worker) => worker.id);
  const reason = `${late.join(', ')} did not answer within ${ANSWER_MS} ms`;
  const after = keepWarm(state, event);
  return to(after.state, announce('warn', 'pause-overdue', { generation: event.about, reason }), ...after.effects);
}

export function retireStandby(
  state: In<
    'steady' | 'starting' | 'checking' | 'withdrawing' | 'quieting' | 'migrating' | 'opening' | 'rolling' | 'canary'
  >,
  { at }: On<'warm-over'>
): Step {
  if (!state.standby) return to(state);
  if (isCovering(state.standby)) {
    // It covers at the moment, so it is kept longer.
    const { id } = state.standby;
    return to(state, { do: 'set-deadline', deadline: 'warm-over', about: id, afterMs: state.limits.keepWarmMs });
  }
  return retire({ ...state, standby: null }, state.standby, 'it was kept warm long enough', true, at);
}

/** Tells every worker that can accept and does not to do so. */
export function acceptAll(generation: Generation): Effect[] {
  return generation.workers
    .filter((worker) => canAccept(worker) && !acceptsAlready(worker))
    .map((worker) => ({ do: 'accept', worker: worker.id }));
}

/** Whether a worker of the standby covers and has said that it accepts; one that is only slow to pause does not count. */
function acceptsAlready({ covers, phase }: Worker): boolean {
  return covers && phase === 'accepting';
}
