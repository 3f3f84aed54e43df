import { decide } from './decide.ts';
import type { Answer, KnownGoal, MemberEvent, MemberState, MemberStep } from './member-state.ts';

/** Same state, same event, same answer: what a machine of a fleet learns, and what it does then. */
export function step(state: MemberState, event: MemberEvent): MemberStep {
  return decide(learn(state, event));
}

function learn(state: MemberState, event: MemberEvent): MemberState {
  switch (event.type) {
    case 'joined': {
      const { goal, outcome, slot, queued, machines } = event;
      return {
        ...withoutLease(state),
        joined: true,
        goal,
        outcome: outcome ?? ownOutcome(state, goal),
        slot,
        queued,
        machines: countMachines(machines, goal),
        wasThere: wasStillThere(state, goal)
      };
    }
    case 'lease-lost':
      return withoutLease(state);
    case 'goal':
      return withGoal(state, event.goal);
    case 'running':
      return { ...state, running: event.running };
    case 'answered':
      return withAnswer({ ...state, asking: null, troubled: false }, event.answer, state);
    case 'unanswered':
      return { ...state, asking: null, troubled: true, unsure: state.unsure || isWrite(state.asking) };
    case 'left-queue': {
      const { inQueue } = state;
      const watched = inQueue?.watched;
      if (!inQueue || watched?.key !== event.key) return state;
      const hint = event.slot ?? watched.slot;
      // The permit that is free is taken over, whoever else is ahead: nobody but this machine has heard of it. Where there is none,
      // how many are ahead is looked at anew.
      return { ...state, left: watched, hint, inQueue: hint === null ? null : { ...inQueue, ahead: 0, watched: null } };
    }
    case 'deed-done':
      return state.deed ? { ...state, deed: null, result: { deed: state.deed, result: event.result } } : state;
    case 'bake-over': {
      const { bake } = state;
      const isIt = bake?.deploy === event.deploy && bake.attempt === event.attempt;
      return isIt ? { ...state, bake: { ...bake, over: true } } : state;
    }
    case 'recheck':
      return { ...state, due: true, troubled: false };
    default:
      return event satisfies never;
  }
}

/** All that hung on the lease is gone. What is being done goes on, and what came of it is kept until it can be written. */
function withoutLease(state: MemberState): MemberState {
  const gone = {
    joined: false,
    slot: null,
    queued: null,
    inQueue: null,
    left: null,
    asking: null,
    unsure: false
  } as const;
  return { ...state, ...gone, found: null, hint: null, troubled: false, due: false };
}

function ownOutcome({ outcome }: MemberState, goal: MemberState['goal']): MemberState['outcome'] {
  return outcome?.deploy === goal?.doc.id ? outcome : null;
}

/** How many there are, as far as a machine knows: whoever joined early knows of few others, and learns from the goal. */
export function countMachines(known: number, goal: MemberState['goal']): number {
  return Math.max(known, goal?.doc.machines ?? 0);
}

/** News of an older goal come late: what was read in an answer is newer. */
function withGoal(state: MemberState, goal: MemberState['goal']): MemberState {
  const known = state.goal;
  if (!state.joined || (goal && known && goal.revision <= known.revision)) return state;
  return {
    ...state,
    goal,
    machines: countMachines(state.machines, goal),
    outcome: goal === null || state.outcome?.deploy === goal.doc.id ? state.outcome : null,
    // A place in the queue says nothing once others go.
    inQueue: stands(goal, known) ? state.inQueue : null,
    wasThere: wasStillThere(state, goal)
  };
}

/** Whether it has run what the goal wants, as far as it knows: of another goal, or another direction, that says nothing. */
function wasStillThere({ goal: known, wasThere }: MemberState, goal: MemberState['goal']): boolean {
  return wasThere && (stands(goal, known) || (goal !== null && known !== null && isForth(goal, known)));
}

function stands(goal: MemberState['goal'], known: MemberState['goal']): boolean {
  if (!goal || !known) return false;
  const [{ id, attempt, state }, before] = [goal.doc, known.doc];
  return id === before.id && attempt === before.attempt && state === before.state;
}

/** From one state to another in which the release is still to run. */
function isForth(goal: KnownGoal, known: KnownGoal): boolean {
  const isIt = ({ doc }: KnownGoal) => ['canary', 'rolling', 'done'].includes(doc.state);
  return goal.doc.id === known.doc.id && goal.doc.attempt === known.doc.attempt && isIt(goal) && isIt(known);
}

function isWrite(asking: MemberState['asking']): boolean {
  return asking?.ask === 'enqueue' || asking?.ask === 'permit' || asking?.ask === 'settle';
}

function withAnswer(state: MemberState, answer: Answer, { asking }: MemberState): MemberState {
  switch (answer.to) {
    case 'enqueue':
      return asking?.ask === 'enqueue' ? { ...state, queued: asking.place } : state;
    case 'look':
      return { ...state, machines: answer.machines ?? state.machines, inQueue: answer.inQueue };
    case 'permit': {
      if (asking?.ask !== 'permit') return state;
      const { slot, goal } = answer;
      const next = goal === undefined ? state : withGoal(state, goal);
      if (slot !== null)
        return { ...next, hint: null, slot, outcome: asking.outcome ? { ...asking.outcome, slot } : next.outcome };
      return next.inQueue && goal === undefined
        ? { ...next, hint: null, inQueue: { ...next.inQueue, refused: true } }
        : next;
    }
    case 'settle': {
      if (asking?.ask !== 'settle') return state;
      const next = answer.goal === undefined ? state : withGoal(state, answer.goal);
      if (!answer.done || asking.of !== state.me.id) return next;
      return {
        ...next,
        outcome: asking.outcome?.deploy === next.goal?.doc.id ? (asking.outcome ?? next.outcome) : next.outcome,
        queued: asking.leave === null ? next.queued : null,
        inQueue: asking.leave === null ? next.inQueue : null,
        slot: asking.vacate === null ? next.slot : null,
        result: asking.outcome === null ? next.result : null
      };
    }
    case 'recover': {
      const { slot, queued, outcome, goal } = answer;
      const next = withGoal({ ...state, unsure: false, slot, queued }, goal);
      return next.goal?.doc.id === outcome?.deploy ? { ...next, outcome } : next;
    }
    case 'whether-lost':
      return { ...state, left: null, found: { lost: answer.lost, ended: false } };
    case 'whether-ended':
      return { ...state, found: { lost: answer.lost, ended: answer.ended } };
    default:
      return answer satisfies never;
  }
}
