import { noteFailure } from './goal-changes.ts';
import type { DoneDeed, KnownGoal, MemberState, MemberStep } from './member-state.ts';
import { settle } from './next.ts';
import type { Outcome } from './records.ts';
import { GIVEN_UP } from './target.ts';

/** Wrong moments, which are nobody's fault: somebody else hands over on this machine. */
const LATER: readonly string[] = ['HANDOVER_ERR_REFUSED_BUSY'];

/** What came of a deploy is written down, and what follows of it for the fleet, all or nothing. */
export function settleResult(state: MemberState, goal: KnownGoal, { deed, result }: DoneDeed): MemberStep {
  const { queued, slot } = state;
  const next = { ...state, due: true };
  if (!result.ok && LATER.includes(result.code)) return settle({ ...next, result: null }, goal, { vacate: slot });
  const { deploy, attempt, way, from } = deed;
  const about = { deploy, attempt, way, slot: null, from };
  // A canary stays in the queue while it is watched: its leaving is seen by whoever is behind it.
  const stays = result.ok && way === 'forth' && goal.doc.canaries.includes(state.me.id);
  const leave = stays ? null : queued;
  if (result.ok) {
    const outcome: Outcome = { ...about, phase: 'deployed', code: null, why: null };
    return settle(next, goal, { outcome, leave, vacate: slot });
  }
  const { why } = result;
  const code = deed.givenUp ? GIVEN_UP : result.code;
  const outcome: Outcome = { ...about, phase: 'failed', code, why };
  const counts = way === 'forth' && !deed.givenUp && goal.doc.attempt === attempt;
  const doc = counts ? noteFailure(goal.doc, { machine: state.me.id, code, why }) : goal.doc;
  return settle(next, goal, { outcome, leave, vacate: slot, goal: doc === goal.doc ? null : doc });
}
