import type { Ask, KnownGoal, MemberState, MemberStep, Settle } from './member-state.ts';

export function stay(state: MemberState): MemberStep {
  return { state, effects: [] };
}

export function ask(state: MemberState, one: Ask): MemberStep {
  return { state: { ...state, asking: one }, effects: [{ do: 'ask', ask: one }] };
}

/** Writes what came of something; what is not said stays as it is. */
export function settle(
  state: MemberState,
  { revision }: Pick<KnownGoal, 'revision'>,
  what: Partial<Settle>
): MemberStep {
  const nothing = { of: state.me.id, outcome: null, leave: null, vacate: null, goal: null };
  return ask(state, { ...nothing, ...what, ask: 'settle', revision });
}
