import { isCovering } from '../cover.ts';
import { areAll, staffOf } from '../generations.ts';
import { resize } from '../leave.ts';
import type { Effect, In, State, Step } from '../model.ts';
import { retire } from '../retire.ts';
import { failWith, stillActive } from './answers.ts';
import { endBake } from './baking.ts';
import { announce, before, type On, to } from './rule.ts';
import { failScaling, settle, settleEarly } from './settle.ts';

/** Steady: the operator wants the memory of the standby. */
export function retireNow(state: In<'steady'>, { request, at }: On<'retire-asked'>): Step {
  const { standby, active } = state;
  const covers = standby !== null && isCovering(standby);
  if (!standby || covers) {
    return to(
      state,
      failWith(state, request, 'HANDOVER_ERR_REFUSED_NO_STANDBY', {
        what: 'Cannot retire the standby',
        why: standby
          ? `generation ${standby.id} covers for the active one at the moment`
          : 'no generation is kept warm',
        fix: `Look at \`handover status\`; ${stillActive(active)}`
      })
    );
  }
  const calm = endBake(settle(state), 'its standby was retired by the operator');
  const ended = retire({ ...calm.state, standby: null }, standby, 'retired by the operator', true, at);
  const answer: Effect = { do: 'answer', request, answer: { ok: true, retired: standby.id } };
  return before(calm.effects, to(ended.state, ...ended.effects, answer));
}

/** Steady: more or fewer workers of the active generation. The order is answered when they are there. */
export function scale(state: In<'steady'>, { request, size }: On<'scale-asked'>): Step {
  const calm = settleEarly(state);
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

/** Steady: the workers that were asked for are not there in time. As many as there are serve on. */
export function scaleLate(state: In<'steady'>): Step {
  const { scaling } = state;
  if (!scaling) return to(state);
  const fix = 'Look at the log for why the others end: they are tried again, more and more slowly; or scale back';
  return to({ ...state, scaling: null }, failScaling(state, scaling, 'by now', fix));
}

/** Answers an order to scale as soon as every worker that was asked for accepts, and none is too many. */
export function reconcileScale(state: State): Step {
  if (state.phase !== 'steady' || !state.scaling) return to(state);
  const { scaling, active } = state;
  const staff = staffOf(active);
  if (staff.length !== scaling.to || !areAll.accepting({ ...active, workers: staff })) return to(state);
  if (staff.length !== active.workers.length || staff.some(({ phase }) => phase !== 'accepting')) return to(state);
  return to(
    { ...state, scaling: null },
    { do: 'clear-deadline', deadline: 'scale-overdue', about: active.id },
    { do: 'answer', request: scaling.request, answer: { ok: true, scaled: scaling, active: active.id } }
  );
}

/** The machine runs out of memory: the standby goes first, unless it serves. */
export function relieveMemory(state: State, share: number, at: number): Step {
  const standby = 'standby' in state ? state.standby : null;
  if (!standby || isCovering(standby)) return to(state);
  const percent = Math.round(share * 100);
  const why = `the machine has only ${percent} % of its memory left`;
  const without = { ...state, standby: null } as State;
  return before(
    [announce('warn', 'memory-low', { generation: standby.id, reason: why })],
    retire(without, standby, why, true, at)
  );
}
