import { isCovering } from '../cover.ts';
import { areAll, canAccept, changeWorkers } from '../generations.ts';
import { amendChapter } from '../history.ts';
import type { Effect, Generation, In, Order, Settling, State, Step, Worker } from '../model.ts';
import { ANSWER_MS, retire } from '../retire.ts';
import { announce, before, type On, to } from './rule.ts';

/** Booting: every worker of the first generation is ready. It is checked, where checks are asked for, and may accept. */
export function proveFirst(state: In<'booting'>, { about, at }: On<'all-ready'>): Step {
  const next = { ...state, candidate: { ...state.candidate, readyAt: at } };
  const { checkMs } = state.limits;
  const step = checkMs === null ? acceptFirst(next) : to(next, ...prove(about, checkMs));
  return before([{ do: 'clear-deadline', deadline: 'ready-overdue', about }], step);
}

/** Booting: the checks of the first generation hold. */
export function acceptProven(state: In<'booting'>, { about }: On<'proven'>): Step {
  return before([{ do: 'clear-deadline', deadline: 'check-overdue', about }], acceptFirst(state));
}

function acceptFirst(state: In<'booting'>): Step {
  const { candidate } = state;
  return to(state, ...acceptAll(candidate), {
    do: 'set-deadline',
    deadline: 'open-overdue',
    about: candidate.id,
    afterMs: ANSWER_MS
  });
}

function prove(generation: number, checkMs: number): Effect[] {
  return [
    { do: 'prove', generation },
    { do: 'set-deadline', deadline: 'check-overdue', about: generation, afterMs: checkMs }
  ];
}

export function becomeSteady(state: In<'booting'>, { about, at }: On<'all-accepting'>): Step {
  const { candidate, request, phase: _, ...common } = state;
  const next: State = { ...common, phase: 'steady', active: candidate, standby: null, settling: null };
  return to(
    amendChapter(next, about, { activeAt: at, outcome: 'active' }),
    { do: 'clear-deadline', deadline: 'open-overdue', about },
    announce('info', 'started', { generation: about, entry: candidate.release.file, tookMs: at - candidate.startedAt }),
    { do: 'answer', request, answer: { ok: true, started: about } }
  );
}

/** Starting: every worker of the candidate is ready. It is checked, where checks are asked for, or opened at once. */
export function checkOrOpen(state: In<'starting'>, { about, at }: On<'all-ready'>): Step {
  const { candidate, order, ...rest } = state;
  const { checkMs } = state.limits;
  const next = { ...candidate, readyAt: at };
  const step =
    checkMs === null
      ? openNext(rest, next, order, at)
      : to({ ...state, phase: 'checking', candidate: next }, ...prove(about, checkMs));
  return before(
    [
      { do: 'clear-deadline', deadline: 'ready-overdue', about },
      announce('info', 'ready', { generation: about, tookMs: at - order.askedAt })
    ],
    step
  );
}

/** Checking: the candidate has proven itself. It accepts beside the active generation, which is not touched yet. */
export function openProven(state: In<'checking'>, { about, at }: On<'proven'>): Step {
  const { candidate, order, ...rest } = state;
  return before(
    [
      { do: 'clear-deadline', deadline: 'check-overdue', about },
      announce('info', 'proven', { generation: about, tookMs: at - order.askedAt })
    ],
    openNext(rest, candidate, order, at)
  );
}

type Opening = In<'opening'>;

export function openNext(
  state: Omit<Opening, 'phase' | 'next' | 'order' | 'openedAt'>,
  next: Generation,
  order: Order,
  at: number
): Step {
  const opening: Opening = { ...state, phase: 'opening', next, order, openedAt: at };
  const keep: Effect = { do: 'clear-deadline', deadline: 'warm-over', about: next.id };
  // A standby that covers for the active generation accepts already.
  const able = next.workers.filter(canAccept);
  if (able.length > 0 && able.every(acceptsAlready))
    return before([keep], cutOver(opening, { type: 'all-accepting', about: next.id, at }));
  return to(opening, keep, ...acceptAll(next), {
    do: 'set-deadline',
    deadline: 'open-overdue',
    about: next.id,
    afterMs: ANSWER_MS
  });
}

/** Opening: the next generation accepts. It is the active one from here on, and the one before pauses. */
export function cutOver(state: In<'opening'>, { about, at }: On<'all-accepting'>): Step {
  const { active: leaving, next: opened, standby, order, openedAt, limits, lastGeneration, retiring, history } = state;
  const active = changeWorkers(opened, (worker) => ({ ...worker, covers: false }));
  const common = { limits, lastGeneration, retiring, history };
  let next: State = { ...common, phase: 'pausing', active, leaving, order, openedAt, acceptedAt: at };
  next = amendChapter(next, active.id, { activeAt: at, outcome: 'active', reason: null });
  const reason = order.kind === 'rollback' ? `rolled back to generation ${active.id}` : null;
  next = amendChapter(next, leaving.id, { outcome: 'standby', reason });
  const effects: Effect[] = [
    { do: 'clear-deadline', deadline: 'open-overdue', about },
    ...leaving.workers.map((worker): Effect => ({ do: 'pause', worker: worker.id, heirs: true })),
    { do: 'set-deadline', deadline: 'pause-overdue', about: leaving.id, afterMs: ANSWER_MS },
    announce('info', 'cutover', { generation: active.id, from: leaving.id, to: active.id, kind: order.kind })
  ];
  if (standby) {
    const gone = retire(next, standby, `generation ${leaving.id} is the standby now`, true, at);
    next = gone.state;
    effects.push(...gone.effects);
  }
  if (next.phase !== 'pausing' || !areAll.paused(leaving)) return to(next, ...effects);
  const after = keepWarm(next, { type: 'all-paused', about: leaving.id, at });
  return to(after.state, ...effects, ...after.effects);
}

/** Pausing: the generation before has stopped accepting and is the standby now. */
export function keepWarm(state: In<'pausing'>, { at }: On<'all-paused' | 'pause-overdue'>): Step {
  const { active, leaving, order, openedAt, acceptedAt, limits, lastGeneration, retiring, history } = state;
  const settling: Settling = {
    ...order,
    from: leaving.id,
    to: active.id,
    bootMs: order.kind === 'reload' ? openedAt - order.askedAt : 0,
    cutoverMs: at - openedAt,
    tookMs: acceptedAt - order.askedAt
  };
  const steady = { limits, lastGeneration, retiring, history, phase: 'steady', active, settling } as const;
  const effects: Effect[] = [
    { do: 'clear-deadline', deadline: 'pause-overdue', about: leaving.id },
    announce('info', 'paused', { generation: leaving.id, tookMs: at - openedAt }),
    { do: 'set-deadline', deadline: 'hand-overdue', about: leaving.id, afterMs: limits.budgetMs }
  ];
  const { keepWarmMs } = limits;
  if (keepWarmMs === 0) {
    const gone = retire({ ...steady, standby: null }, leaving, 'no standby is kept (keepWarm 0)', true, at);
    return to(gone.state, ...effects, ...gone.effects);
  }
  if (Number.isFinite(keepWarmMs)) {
    effects.push({ do: 'set-deadline', deadline: 'warm-over', about: leaving.id, afterMs: keepWarmMs });
  }
  return to({ ...steady, standby: leaving }, ...effects);
}

/** The new generation serves all the same: a worker too busy to say it paused accepts little, and is asked again at its end. */
export function keepWarmUnpaused(state: In<'pausing'>, event: On<'pause-overdue'>): Step {
  const late = state.leaving.workers.filter((worker) => worker.phase === 'accepting').map((worker) => worker.id);
  const reason = `${late.join(', ')} did not answer within ${ANSWER_MS} ms`;
  const after = keepWarm(state, event);
  return to(after.state, announce('warn', 'pause-overdue', { generation: event.about, reason }), ...after.effects);
}

/** Steady: the idle connections have moved, or their time is over. The order gets its answer. */
export function settle(state: In<'steady'>): Step {
  const { settling } = state;
  if (!settling) return to(state);
  return to(
    { ...state, settling: null },
    { do: 'clear-deadline', deadline: 'hand-overdue', about: settling.from },
    { do: 'answer', request: settling.request, answer: { ok: true, settled: settling } }
  );
}

export function retireStandby(
  state: In<'steady' | 'starting' | 'checking' | 'opening'>,
  { at }: On<'warm-over'>
): Step {
  if (!state.standby) return to(state);
  if (isCovering(state.standby)) {
    // It serves at the moment: the end of its time is put off.
    const { id } = state.standby;
    return to(state, { do: 'set-deadline', deadline: 'warm-over', about: id, afterMs: state.limits.keepWarmMs });
  }
  return retire({ ...state, standby: null }, state.standby, 'it was kept warm long enough', true, at);
}

function acceptAll(generation: Generation): Effect[] {
  return generation.workers
    .filter((worker) => canAccept(worker) && !acceptsAlready(worker))
    .map((worker) => ({ do: 'accept', worker: worker.id }));
}

/** A standby that covers has said that it accepts; one that is only slow to pause has not. */
function acceptsAlready({ covers, phase }: Worker): boolean {
  return covers && phase === 'accepting';
}
