import type { Ask, KnownGoal, MemberState, MemberStep } from './member-state.ts';
import { ask, stay } from './next.ts';
import { countPermits } from './permits.ts';

/** Looks, when it is time, at what nobody tells: whether the machine has to count as missing, and how the others are. */
export function lookAround(state: MemberState): MemberStep {
  const { due, goal, running, slot, queued } = state;
  if (!due || !goal) return stay(state);
  const { doc } = goal;
  const next = { ...state, due: false };
  const isOver = doc.state !== 'canary' && doc.state !== 'rolling' && doc.state !== 'rolling-back';
  if (!running.ready && !running.busy && slot === null && !isOver) return ask(next, occupy(state, goal));
  if (isOver) return stay(next);
  if (doc.state === 'canary') {
    const open = doc.canaries.filter((one) => !doc.baked.includes(one) && one !== state.me.id);
    return ask(next, { ask: 'whether-lost', deploy: doc.id, machines: open, evenDeployed: true });
  }
  if (queued !== null) return ask(next, askLook(state, goal, queued));
  const way = doc.state === 'rolling' ? 'forth' : 'back';
  return ask(next, { ask: 'whether-ended', deploy: doc.id, attempt: doc.attempt, way });
}

export function askLook({ inQueue }: MemberState, { doc }: KnownGoal, place: string): Ask {
  return { ask: 'look', place, maxUnavailable: doc.maxUnavailable, watched: inQueue?.watched ?? null };
}

/** Takes a permit only to have it: who is missing must count as missing. */
export function occupy({ slot, machines }: MemberState, { doc, revision }: KnownGoal): Ask {
  const limit = countPermits(doc.maxUnavailable, machines);
  return { ask: 'permit', held: slot, hint: null, limit, revision, outcome: null, place: null };
}
