import type { Bake, In, Step } from '../state/state.ts';
import { type Comparison, countComparable, type Decision, judge, NOTHING_MEASURED } from '../verdict/judge.ts';
import { endBake } from './bake-period.ts';
import { complete } from './complete.ts';
import { refuseNothingWaits } from './refusals.ts';
import { reject } from './rollback.ts';
import { announce, type On, to } from './rule.ts';

/** Steady: compares the measurements of the new generation so far with those of the one before. */
export function compare(state: In<'steady'>, { before, after, at }: On<'sampled'>): Step {
  const { bake, limits } = state;
  if (!bake) return to(state);
  const measured = { before, after };
  const judged = { ...state, bake: { ...bake, measured } };
  const { decision, reason } = judge(before, after, limits.bake, false);
  if (decision === 'roll back') return reject(judged, reason, at, null);
  return bake.extended && !isThin(measured, limits.bakeRequests) ? conclude(judged, judged.bake, at) : to(judged);
}

/** Steady: the bake is over, and the last measurements decide; where they say too little, it goes on. */
export function decide(state: In<'steady'>, { at }: On<'bake-over'>): Step {
  const { bake, limits } = state;
  if (!bake) return to(state);
  const leftMs = bake.since + limits.bakeAtMostMs - at;
  if (bake.extended || leftMs <= 0 || !isThin(bake.measured, limits.bakeRequests)) return conclude(state, bake, at);
  const extended = { ...bake, forMs: limits.bakeAtMostMs, extended: true };
  const about = bake.generation;
  const reason = `fewer than ${limits.bakeRequests} requests came that can be compared with those before`;
  return to(
    { ...state, bake: extended },
    { do: 'set-deadline', deadline: 'bake-over', about, afterMs: leftMs },
    announce('info', 'bake-extended', { generation: about, forMs: limits.bakeAtMostMs, reason })
  );
}

/** Whether some requests came, but too few to compare. Where none can come to that, waiting would not help. */
function isThin(measured: Comparison | null, requests: number): boolean {
  if (!measured?.before || measured.before.requests < requests) return false;
  return measured.after.requests > 0 && countComparable(measured.before, measured.after) < requests;
}

function conclude(state: In<'steady'>, { measured }: Bake, at: number): Step {
  const { before, after } = measured ?? { before: null, after: NOTHING_MEASURED };
  const { decision, reason } = judge(before, after, state.limits.bake, true, state.limits.bakeRequests);
  return decision === 'roll back'
    ? reject(state, reason, at, null)
    : keep(state, reason, decision === 'keep unseen' ? decision : 'keep');
}

/** Steady: a check with `whileBaking` has failed. */
export function rejectFailing(state: In<'steady'>, { check, why, at }: On<'check-failed'>): Step {
  return state.bake ? reject(state, `its check ${check} failed while baking: ${why}`, at, null) : to(state);
}

/** Steady: the operator keeps the new generation before the bake is over. */
export function promote(state: In<'steady'>, event: On<'promote-asked'>): Step {
  if (!state.bake) return refuseNothingWaits(state, event);
  const { request } = event;
  const reason = 'promoted by the operator';
  const { active, standby } = state;
  const kept = keep(state, reason, 'keep');
  const reply = { ok: true, promoted: active.id, standby: standby?.id ?? null, reason } as const;
  return to(kept.state, ...kept.effects, { do: 'reply', request, reply });
}

function keep(state: In<'steady'>, reason: string, decision: Decision): Step {
  const { active, completing } = state;
  // Connections may still move. Whoever waits for the verdict has it; whoever does not is answered when they have.
  const answered = completing?.waits ? complete(state) : { state, effects: [] };
  const ended = endBake(answered, reason, decision);
  return to(ended.state, announce('info', 'verdict', { generation: active.id, decision, reason }), ...ended.effects);
}
