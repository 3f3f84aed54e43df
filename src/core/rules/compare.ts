import type { In, Step } from '../state/state.ts';
import { judge, type Measured } from '../verdict/judge.ts';
import { endBake } from './bake-period.ts';
import { complete } from './complete.ts';
import { refuseNothingWaits } from './refusals.ts';
import { reject } from './rollback.ts';
import { announce, type On, to } from './rule.ts';

const NOTHING_MEASURED: Measured = {
  ...{ spanMs: 0, requests: 0, failed: 0, cut: 0, latency: [], loopDelayMs: null },
  ...{ uncaught: 0, exits: 0, hangs: 0, memoryPerMinuteBytes: null }
};

/** Steady: compares the measurements of the new generation so far with those of the one before. */
export function compare(state: In<'steady'>, { before: past, after, at }: On<'sampled'>): Step {
  const { bake, limits } = state;
  if (!bake) return to(state);
  const verdict = judge(past, after, limits.bake, false);
  if (verdict.decision === 'roll back') return reject(state, verdict.reason, at, null);
  return to({ ...state, bake: { ...bake, measured: { before: past, after } } });
}

/** Steady: the bake is over, and the last measurements decide. */
export function decide(state: In<'steady'>, { at }: On<'bake-over'>): Step {
  const { bake, limits } = state;
  if (!bake) return to(state);
  const verdict = judge(bake.measured?.before ?? null, bake.measured?.after ?? NOTHING_MEASURED, limits.bake, true);
  return verdict.decision === 'roll back' ? reject(state, verdict.reason, at, null) : keep(state, verdict.reason);
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
  const kept = keep(state, reason);
  const reply = { ok: true, promoted: active.id, standby: standby?.id ?? null, reason } as const;
  return to(kept.state, ...kept.effects, { do: 'reply', request, reply });
}

function keep(state: In<'steady'>, reason: string): Step {
  const { active } = state;
  const ended = endBake(complete(state), reason);
  return to(
    ended.state,
    announce('info', 'verdict', { generation: active.id, decision: 'keep', reason }),
    ...ended.effects
  );
}
