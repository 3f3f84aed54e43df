import { chooseDeed, isWarm } from './choose-deed.ts';
import type { Goal } from './goal.ts';
import { noteBaked, noteEnd, noteFailure } from './goal-changes.ts';
import { askLook, lookAround, occupy } from './look-around.ts';
import type { Deed, KnownGoal, MemberEffect, MemberState, MemberStep } from './member-state.ts';
import { ask, settle, stay } from './next.ts';
import { placeInQueue } from './permits.ts';
import type { Outcome } from './records.ts';
import { settleResult } from './settle-result.ts';
import { agrees, isBaking, isCanary, outcomeFor, type Target, targetOf, WENT_AWAY } from './target.ts';

/** Finds the next thing to do from what is known: at most one with etcd and one with the own supervisor at a time. */
export function decide(state: MemberState): MemberStep {
  const { joined, asking, troubled, goal, result, running } = state;
  if (state.unsure && joined && !asking && !troubled && goal) return recover(state, goal);
  if (state.deed) return whileDoing(state, state.deed);
  if (!joined || asking || troubled) return stay(state);
  if (!goal) return withoutGoal({ ...state, result: null });
  if (result?.deed.deploy === goal.doc.id) return settleResult(state, goal, result);
  if (result) return decide({ ...state, result: null });
  const followed = followUp(state, goal);
  if (followed) return followed;
  const target = targetOf(goal.doc);
  if (!target) return rest(state, goal);
  const outcome = outcomeFor(state, goal.doc, target.way);
  const isThere = agrees(target, goal.doc, running);
  // Who was handed over by hand may come back by hand.
  if (outcome?.phase === 'failed' && !(isThere && outcome.code === WENT_AWAY)) return release(state, goal);
  if (isThere) return inAgreement(state, goal, target, outcome);
  if (running.busy) return lookAround(state);
  return state.wasThere ? wentAway(state, goal, target) : getThere(state, goal, target, outcome);
}

function recover(state: MemberState, { doc }: KnownGoal): MemberStep {
  const place = `${doc.id}/${placeInQueue(doc, state.me)}`;
  const earlier = state.queued === place ? null : state.queued;
  return ask(state, { ask: 'recover', deploy: doc.id, place, earlier });
}

function withoutGoal(state: MemberState): MemberStep {
  const { queued: leave, slot: vacate } = state;
  return leave === null && vacate === null ? stay(state) : settle(state, { revision: 0 }, { leave, vacate });
}

/** A deploy ends by its own verdict, unless the fleet goes another way by now. */
function whileDoing(state: MemberState, deed: NonNullable<MemberState['deed']>): MemberStep {
  const { joined, goal, asking, troubled, slot, due } = state;
  const calledOff = joined && goal?.doc.id === deed.deploy && deed.way === 'forth' && isCalledOff(goal.doc);
  const effects: MemberEffect[] = [];
  let next = state;
  if (calledOff && !deed.givenUp) {
    next = { ...next, deed: { ...deed, givenUp: true } };
    effects.push({ do: 'give-up' });
  }
  // The lease was lost meanwhile, and the permit with it: it is one of those that are missing all the same.
  const holds = slot !== null || isWarm(deed);
  if (!joined || asking || troubled || holds || !due || !goal) return { state: next, effects };
  const occupied = ask({ ...next, due: false }, occupy(state, goal));
  return { state: occupied.state, effects: [...effects, ...occupied.effects] };
}

function isCalledOff({ state }: Goal): boolean {
  return state === 'aborted' || state === 'rolling-back' || state === 'rolled-back';
}

/** Acts on what was found out of others, and finds out what has to be known of them. */
function followUp(state: MemberState, goal: KnownGoal): MemberStep | null {
  const { found, left } = state;
  const { doc } = goal;
  if (!found) {
    if (left === null) return null;
    return ask(state, { ask: 'whether-lost', deploy: doc.id, machines: [left.machine], evenDeployed: false });
  }
  const next = { ...state, found: null };
  for (const machine of found.lost) {
    const why = 'it went away while it was part of the deploy, and did not say what came of it';
    const failed = noteFailure(doc, { machine, code: LOST, why });
    if (failed === doc) continue;
    const about = { deploy: doc.id, attempt: doc.attempt, way: 'forth', slot: null, from: null } as const;
    const outcome: Outcome = { ...about, phase: 'lost', code: LOST, why };
    return settle(next, goal, { of: machine, outcome, goal: failed });
  }
  if (found.ended && noteEnd(doc) !== doc) return settle(next, goal, { goal: noteEnd(doc) });
  return decide(next);
}

/** What is noted of a machine that is not there any more. */
const LOST = 'LOST';

/** Nobody begins anything: in a paused deploy those who wait keep their places. */
function rest(state: MemberState, goal: KnownGoal): MemberStep {
  if (isBaking(state)) return bake(state, goal);
  return release(state, goal, goal.doc.state === 'paused');
}

/** Leaves the queue and gives the permit back, unless the machine is missing itself. */
function release(state: MemberState, goal: KnownGoal, stays = false): MemberStep {
  const { queued, slot, running } = state;
  const vacate = running.ready ? slot : null;
  const leave = stays ? null : queued;
  return leave === null && vacate === null ? lookAround(state) : settle(state, goal, { leave, vacate });
}

function inAgreement(state: MemberState, goal: KnownGoal, { way }: Target, outcome: Outcome | null): MemberStep {
  if (outcome?.phase !== 'deployed') {
    const { id, attempt } = goal.doc;
    const from = state.outcome?.from ?? null;
    const done: Outcome = { deploy: id, attempt, way, phase: 'deployed', slot: null, from, code: null, why: null };
    const stays = way === 'forth' && goal.doc.state === 'canary' && isCanary(state, goal.doc);
    return settle({ ...state, due: true }, goal, {
      outcome: done,
      leave: stays ? null : state.queued,
      vacate: state.slot
    });
  }
  const there = { ...state, wasThere: true };
  return isBaking(there) ? bake(there, goal) : release(there, goal);
}

/** A canary that runs the release is watched for a while, on its own clock. */
function bake(state: MemberState, goal: KnownGoal): MemberStep {
  const { bake: known, me, queued, slot } = state;
  const { id, attempt, bakeMs } = goal.doc;
  const isIt = known?.deploy === id && known.attempt === attempt;
  if (!isIt) return lookAround({ ...state, bake: { deploy: id, attempt, forMs: bakeMs, over: false } });
  if (!known.over) return lookAround(state);
  return settle(state, goal, { leave: queued, vacate: slot, goal: noteBaked(goal.doc, me.id) });
}

/** It ran the release, and does not any more: by somebody's hand on this machine, who is not contradicted. */
function wentAway(state: MemberState, goal: KnownGoal, { way }: Target): MemberStep {
  const why = `it runs ${state.running.label ?? 'another version'} since, by an order on this machine`;
  const failure = { machine: state.me.id, code: WENT_AWAY, why };
  const doc = way === 'forth' ? noteFailure(goal.doc, failure) : goal.doc;
  const about = { deploy: goal.doc.id, attempt: goal.doc.attempt, way, slot: null, from: null } as const;
  const outcome: Outcome = { ...about, phase: 'failed', code: failure.code, why };
  const { queued: leave, slot: vacate } = state;
  return settle(state, goal, { outcome, leave, vacate, goal: doc === goal.doc ? null : doc });
}

function getThere(state: MemberState, goal: KnownGoal, target: Target, outcome: Outcome | null): MemberStep {
  const { queued, slot, inQueue, me, hint } = state;
  const { doc, revision } = goal;
  const deed = chooseDeed(state, doc, target);
  if (deed === null) return nothingToGoBackTo(state, goal);
  const warm = isWarm(deed);
  if (warm || (slot !== null && outcome?.phase === 'deploying' && outcome.slot === slot)) return begin(state, deed);
  const place = `${doc.id}/${placeInQueue(doc, me)}`;
  if (queued !== place) return ask(state, { ask: 'enqueue', place });
  // Canaries go first; the others stand in the queue meanwhile.
  if (doc.state === 'canary' && !isCanary(state, doc)) return lookAround(state);
  const waits = slot === null && inQueue !== null && (inQueue.ahead >= inQueue.limit || inQueue.refused);
  if (waits && !state.due) return stay(state);
  // Who is missing takes whatever permit there is, whoever is ahead.
  if (waits && !state.running.ready) return lookAround(state);
  if (slot === null && (waits || !inQueue)) return ask({ ...state, due: false }, askLook(state, goal, place));
  const about = { deploy: doc.id, attempt: doc.attempt, way: target.way, from: deed.from, code: null, why: null };
  const begun: Outcome = { ...about, phase: 'deploying', slot };
  const limit = inQueue?.limit ?? 1;
  return ask(state, { ask: 'permit', held: slot, hint, limit, revision, outcome: begun, place });
}

function begin(state: MemberState, deed: Deed): MemberStep {
  return { state: { ...state, deed: { ...deed, givenUp: false } }, effects: [{ do: 'deed', deed }] };
}

function nothingToGoBackTo(state: MemberState, goal: KnownGoal): MemberStep {
  const { id: deploy, attempt } = goal.doc;
  const why = 'nobody knows what it ran before: no version is kept warm, and no release was deployed before';
  const about = { deploy, attempt, way: 'back', slot: null, from: null } as const;
  const outcome: Outcome = { ...about, phase: 'failed', code: 'HANDOVER_ERR_REFUSED_NO_STANDBY', why };
  return settle(state, goal, { outcome, leave: state.queued, vacate: state.slot });
}
