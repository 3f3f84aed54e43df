import { HandoverError } from '../../errors.ts';
import type { By, Failure, FleetRelease, Goal, GoalState, Limit, OnFailure, Order } from './goal.ts';
import { chooseCanaries, type MachinePlace } from './permits.ts';
import { isStartable } from './target.ts';

// What becomes of the goal: by an order of somebody, or by what a machine has seen. Each change is written only if nobody else was first.

/** What `fleet deploy` says. What it leaves out is as in the deploy before. */
export interface DeployOrder {
  readonly id: string;
  readonly label: string;
  readonly entry?: string;
  readonly cwd?: string;
  readonly fetch?: string | null;
  readonly strategy?: Goal['strategy'];
  readonly maxUnavailable?: Limit;
  readonly canary?: number;
  readonly bakeMs?: number;
  readonly order?: Order;
  readonly onFailure?: OnFailure;
  readonly failures?: number;
  readonly by: By;
}

const DEFAULTS = {
  maxUnavailable: { machines: 1 },
  order: 'host',
  onFailure: 'rollback',
  failures: 1,
  canary: 0,
  bakeMs: 30_000
} as const;

/** What all or most machines run, by what they say. */
export interface Running extends MachinePlace {
  readonly label: string | null;
}

/** @throws HANDOVER_ERR_REFUSED_FLEET where another deploy is in progress, or there is no machine */
export function startDeploy(order: DeployOrder, before: Goal | null, machines: readonly Running[]): Goal {
  assertMachines(machines);
  if (before !== null && isMoving(before)) throw busy(before);
  const known = before?.release;
  const { by, id, label } = order;
  const path = order.entry ?? order.cwd;
  const release: FleetRelease = {
    label,
    // Who names one of the two means that one, and not what was said of the other before.
    entry: order.entry ?? (path === undefined ? (known?.entry ?? null) : null),
    cwd: order.cwd ?? (path === undefined ? (known?.cwd ?? null) : null),
    fetch: order.fetch === undefined ? (known?.fetch ?? null) : order.fetch
  };
  const said = {
    maxUnavailable: order.maxUnavailable ?? before?.maxUnavailable ?? DEFAULTS.maxUnavailable,
    order: order.order ?? before?.order ?? DEFAULTS.order,
    onFailure: order.onFailure ?? before?.onFailure ?? DEFAULTS.onFailure,
    failures: order.failures ?? before?.failures ?? DEFAULTS.failures,
    bakeMs: order.bakeMs ?? before?.bakeMs ?? DEFAULTS.bakeMs
  };
  const count = order.canary ?? before?.canaries.length ?? DEFAULTS.canary;
  const canaries = chooseCanaries(said.order, machines, count);
  return {
    ...said,
    ...{ id, attempt: 1, release, ...ranBefore(before, machines, label), canaries, baked: [], failed: [] },
    strategy: order.strategy === undefined ? (before?.strategy ?? null) : order.strategy,
    machines: machines.length,
    state: canaries.length > 0 ? 'canary' : 'rolling',
    resumesTo: null,
    by
  };
}

/** There is somebody to follow an order. @throws HANDOVER_ERR_REFUSED_FLEET */
export function assertMachines(machines: readonly unknown[]): void {
  if (machines.length > 0) return;
  throw refuse(
    'Nobody is there to follow this',
    'no machine of this service is registered',
    'Start them with --etcd and --service'
  );
}

type RanBefore = Pick<Goal, 'previous' | 'earlier'>;

/** So many releases before the previous one are kept. */
const EARLIER_KEPT = 5;

/** What the fleet runs: what was deployed as a whole, or else the label that all machines have. */
function ranBefore(before: Goal | null, machines: readonly Running[], next: string): RanBefore {
  if (before !== null) {
    const { previous, earlier } = before;
    // Who deploys the same once more still goes back to what was before it.
    if (before.state !== 'done' || before.release.label === next) return { previous, earlier };
    const further = previous === null ? earlier : [previous, ...earlier];
    return { previous: before.release, earlier: further.slice(0, EARLIER_KEPT) };
  }
  const labels = new Set(machines.map(({ label }) => label));
  const [label = null] = labels;
  const isKnown = labels.size === 1 && label !== null && label !== next;
  return { previous: isKnown ? { label, entry: null, cwd: null, fetch: null } : null, earlier: [] };
}

/** Whether machines begin something as long as it stands like this, or wait to be let go on. */
export function isMoving({ state }: Goal): boolean {
  return ['canary', 'rolling', 'rolling-back', 'paused'].includes(state);
}

export function pause(goal: Goal, by: By): Goal {
  if (goal.state !== 'canary' && goal.state !== 'rolling') throw wrongState('pause', goal, 'no deploy is in progress');
  return { ...goal, state: 'paused', resumesTo: goal.state, by };
}

/** Goes on: also where it was stopped, and then machines that failed try again. */
export function resume(goal: Goal, by: By): Goal {
  if (goal.state === 'paused') return { ...goal, state: goal.resumesTo ?? 'rolling', resumesTo: null, by };
  if (goal.state !== 'stopped') throw wrongState('resume', goal, 'it is neither paused nor stopped');
  const attempt = { attempt: goal.attempt + 1, failed: [], resumesTo: null, by };
  return { ...goal, ...attempt, state: allBaked(goal) ? 'rolling' : 'canary' };
}

/** Ends it as it is: candidates are given up, nobody begins, and nobody goes back. */
export function abort(goal: Goal, by: By): Goal {
  if (!isMoving(goal) && goal.state !== 'stopped') throw wrongState('abort', goal, 'no deploy is in progress');
  return { ...goal, state: 'aborted', resumesTo: null, by };
}

export function rollBack(goal: Goal, by: By): Goal {
  if (goal.state === 'rolling-back' || goal.state === 'rolled-back')
    throw wrongState('roll back', goal, 'it was done already');
  return { ...goal, ...whereBack(goal), state: 'rolling-back', resumesTo: null, by };
}

/**
 * Where an operator goes back to: never to the release that is taken back.
 *
 * After a rollback, or a deploy that failed, the previous one may be deployed anew: what ran before it is further back. Only an
 * order goes there. Where that deploy itself fails, the machines that ran the release all along stay at it.
 */
function whereBack(goal: Goal): RanBefore {
  const { previous, earlier, release } = goal;
  if (previous?.label !== release.label) return { previous, earlier };
  // Of what can be started again: a label alone is known to nobody any more.
  const at = earlier.findIndex((one) => one.label !== release.label && isStartable(one));
  const found = earlier[at];
  if (found) return { previous: found, earlier: earlier.slice(at + 1) };
  throw refuse(
    `Cannot roll back the deploy of ${release.label}`,
    'the fleet came back to it before, and nobody knows what it ran earlier',
    'Deploy the release that you want'
  );
}

/** A machine has failed, or has gone away while it deployed: the fleet stops once there are enough. */
export function noteFailure(goal: Goal, failure: Failure): Goal {
  if (goal.failed.some(({ machine }) => machine === failure.machine)) return goal;
  const failed = { ...goal, failed: [...goal.failed, failure] };
  if (!['canary', 'rolling', 'paused'].includes(goal.state)) return goal;
  const noneLeft = goal.state === 'canary' && goal.canaries.every((one) => hasFailed(failed, one));
  if (failed.failed.length >= goal.failures || noneLeft)
    return { ...failed, state: goal.onFailure === 'rollback' ? 'rolling-back' : 'stopped', resumesTo: null };
  return goOn(failed);
}

/** A canary was watched for long enough. */
export function noteBaked(goal: Goal, machine: string): Goal {
  return goal.baked.includes(machine) ? goal : goOn({ ...goal, baked: [...goal.baked, machine] });
}

/** Every machine has come to its end. */
export function noteEnd(goal: Goal): Goal {
  if (goal.state === 'rolling') return { ...goal, state: 'done' };
  return goal.state === 'rolling-back' ? { ...goal, state: 'rolled-back' } : goal;
}

function goOn(goal: Goal): Goal {
  if (!allBaked(goal)) return goal;
  if (goal.state === 'canary') return { ...goal, state: 'rolling' };
  return goal.state === 'paused' ? { ...goal, resumesTo: 'rolling' } : goal;
}

function allBaked(goal: Goal): boolean {
  return goal.canaries.every((one) => goal.baked.includes(one) || hasFailed(goal, one));
}

function hasFailed({ failed }: Goal, one: string): boolean {
  return failed.some(({ machine }) => machine === one);
}

const SHOWN: Readonly<Record<GoalState, string>> = {
  canary: 'its canaries are deployed',
  rolling: 'it is in progress',
  'rolling-back': 'it is being rolled back',
  done: 'it is done',
  'rolled-back': 'it was rolled back',
  paused: 'it is paused',
  stopped: 'it has stopped',
  aborted: 'it was aborted'
};

export function describeGoal({ release, state }: Goal): string {
  return `the deploy of ${release.label}: ${SHOWN[state]}`;
}

function busy(goal: Goal): HandoverError {
  return refuse(
    'Another deploy of the fleet is in progress',
    describeGoal(goal),
    'Wait for its end, or end it with `handover fleet abort` or `handover fleet rollback`'
  );
}

function wrongState(order: string, goal: Goal, why: string): HandoverError {
  return refuse(
    `Cannot ${order} the deploy of the fleet`,
    `${describeGoal(goal)}, so ${why}`,
    'See `handover fleet status`'
  );
}

export function refuse(what: string, why: string, fix: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_REFUSED_FLEET', { what, why, fix: `${fix}; nothing was changed` });
}
