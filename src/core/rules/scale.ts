import { areAll, remainingWorkersOf } from '../state/generations.ts';
import type { In, State, Step } from '../state/state.ts';
import { completeEarly, failScaling } from './complete.ts';
import { resize } from './replace-worker.ts';
import { announce, before, type On, to } from './rule.ts';

/** Steady: more or fewer workers of the active generation. The order is answered when they are there. */
export function scale(state: In<'steady'>, { request, size }: On<'scale-asked'>): Step {
  const calm = completeEarly(state);
  const { active, limits } = calm.state;
  const resized = resize(active, size, limits);
  const scaling = { request, from: active.size, to: size };
  const afterMs = limits.readyMs + limits.drainMs;
  return before(
    calm.effects,
    to(
      { ...calm.state, active: resized.generation, scaling },
      announce('info', 'scaling', { generation: active.id, from: scaling.from, to: size }),
      ...resized.effects,
      { do: 'set-deadline', deadline: 'scale-overdue', about: active.id, afterMs }
    )
  );
}

/** Steady: the workers that were asked for do not accept in time. Those that do serve on. */
export function scaleLate(state: In<'steady'>): Step {
  const { scaling } = state;
  if (!scaling) return to(state);
  const fix = 'Look at the log for why the others end: they are tried again, more and more slowly; or scale back';
  return to({ ...state, scaling: null }, failScaling(state, scaling, 'by now', fix));
}

/** Answers an order to scale as soon as exactly as many workers as asked for are there and accept. */
export function reconcileScale(state: State): Step {
  if (state.phase !== 'steady' || !state.scaling) return to(state);
  const { scaling, active } = state;
  const workers = remainingWorkersOf(active);
  if (workers.length !== scaling.to || !areAll.accepting({ ...active, workers: workers })) return to(state);
  if (workers.length !== active.workers.length || workers.some(({ phase }) => phase !== 'accepting')) return to(state);
  return to(
    { ...state, scaling: null },
    { do: 'clear-deadline', deadline: 'scale-overdue', about: active.id },
    { do: 'reply', request: scaling.request, reply: { ok: true, scaled: scaling, active: active.id } }
  );
}
