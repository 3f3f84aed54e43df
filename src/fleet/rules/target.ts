import type { FleetRelease, Goal } from './goal.ts';
import type { MemberState, Running } from './member-state.ts';
import type { MachinePhase, Outcome, Way } from './records.ts';

/** What a machine is to run; null release: whatever it ran before. */
export interface Target {
  readonly way: Way;
  readonly release: FleetRelease | null;
}

/** Where machines are to go as the goal stands; null: nobody begins anything. */
export function targetOf({ state, release, previous }: Goal): Target | null {
  if (state === 'canary' || state === 'rolling' || state === 'done') return { way: 'forth', release };
  if (state === 'rolling-back' || state === 'rolled-back') return { way: 'back', release: previous };
  return null;
}

/** Whether there is something that a release can be started from, on a machine that has never run it. */
export function isStartable(release: FleetRelease | null): release is FleetRelease {
  return release !== null && (release.entry ?? release.cwd ?? release.fetch) !== null;
}

/** Whether a machine runs what it is to run. */
export function agrees({ way, release }: Target, goal: Goal, { label }: Running): boolean {
  if (release !== null && label === release.label) return true;
  // Nobody can say what to go back to: then it is enough not to run what is taken back.
  return way === 'back' && !isStartable(release) && label !== goal.release.label;
}

/** What the own outcome says of this attempt in this direction, if it is about it. */
export function outcomeFor({ outcome }: MemberState, goal: Goal, way: Way): Outcome | null {
  const isAbout =
    outcome?.deploy === goal.id && outcome.way === way && (way === 'back' || outcome.attempt === goal.attempt);
  return isAbout ? outcome : null;
}

export function isCanary({ me }: MemberState, goal: Goal): boolean {
  return goal.canaries.includes(me.id);
}

/** Whether it is watched, as a canary that runs the release: it stays in the queue for so long, so that its end is noticed. */
export function isBaking(state: MemberState): boolean {
  const { goal, me, running } = state;
  if (!goal) return false;
  const { doc } = goal;
  const begins = doc.state === 'canary' || (doc.state === 'paused' && doc.resumesTo === 'canary');
  const isOpen = begins && isCanary(state, doc) && !doc.baked.includes(me.id);
  return isOpen && running.label === doc.release.label && outcomeFor(state, doc, 'forth')?.phase === 'deployed';
}

/** What a machine shows of where it stands. */
export function phaseOf(state: MemberState): { readonly phase: MachinePhase; readonly why: string | null } {
  const { goal, deed, queued, inQueue, outcome } = state;
  if (deed) return { phase: deed.way === 'back' ? 'rolling-back' : 'deploying', why: null };
  if (!goal) return { phase: 'steady', why: null };
  if (isBaking(state)) return { phase: 'baking', why: null };
  if (queued !== null) return { phase: 'waiting', why: inQueue?.refused ? 'all permits are taken' : null };
  if (outcome?.deploy !== goal.doc.id) return { phase: 'steady', why: null };
  if (outcome.code === WENT_AWAY) return { phase: 'by-hand', why: describeAway(state, goal.doc, outcome) };
  if (outcome.phase === 'failed' || outcome.phase === 'lost')
    return { phase: outcome.code === GIVEN_UP ? 'given-up' : 'failed', why: outcome.why };
  if (outcome.phase === 'deploying') return { phase: 'waiting', why: null };
  return { phase: outcome.way === 'back' ? 'rolled-back' : 'deployed', why: null };
}

/** What an operator has to know of a machine that somebody has handed over by hand: what it runs, and how it comes back. */
function describeAway({ running }: MemberState, { release, previous }: Goal, { way, why }: Outcome): string | null {
  // It is being stopped.
  if (running.generation === null) return why;
  const wanted = way === 'forth' ? release.label : (previous?.label ?? 'what it ran before');
  const back = `hand over to ${wanted} there, or deploy to the fleet, to bring it back`;
  return `it runs ${running.label ?? 'another version'} by an order on this machine, and the fleet leaves it so: ${back}`;
}

/** What is noted of a machine that runs something else by hand. */
export const WENT_AWAY = 'WENT_AWAY';

/** What is noted of a candidate that the fleet has called back. */
export const GIVEN_UP = 'GIVEN_UP';
