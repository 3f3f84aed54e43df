import { HandoverError } from '../../errors.ts';
import type { Picture } from '../../fleet/observer.ts';
import type { Goal } from '../../fleet/rules/goal.ts';
import type { MachineRecord } from '../../fleet/rules/records.ts';
import type { Io } from '../io.ts';
import { firstLine, showMs } from '../print.ts';
import { describePicture, showMachines } from './fleet-table.ts';
import type { OpenFleet } from './open-fleet.ts';

/** How long the lines of machines may come after the end that they have made. */
const LAST_LINES_MS = 3_000;
/** How long a fleet may be without any machine before nobody waits for it any more: their leases last 20 s. */
const EMPTY_MS = 30_000;

/** How a deploy came out. */
export interface Ended {
  readonly picture: Picture;
  readonly state: Goal['state'] | 'replaced' | 'empty';
  readonly tookMs: number;
}

const OVER: readonly string[] = ['done', 'rolled-back', 'stopped', 'aborted'];

function isUnderWay({ phase }: MachineRecord): boolean {
  return phase === 'deploying' || phase === 'rolling-back' || phase === 'baking';
}

/** Whether the line of a machine says what is to be expected at the end of a deploy. */
function isAtEnd({ phase }: MachineRecord, { state }: Goal): boolean {
  const isOut = phase === 'failed' || phase === 'by-hand';
  if (state === 'done') return isOut || phase === 'deployed';
  if (state === 'rolled-back') return isOut || phase === 'rolled-back';
  return phase !== 'deploying' && phase !== 'rolling-back' && phase !== 'waiting';
}

/** Shows the phases of a deploy, machine by machine, until its end. An etcd that is away meanwhile is waited for. */
async function followDeploy({ observer }: OpenFleet, begun: Goal, io: Io, quiet: boolean): Promise<Ended> {
  const { id } = begun;
  const since = performance.now();
  const end = new AbortController();
  const leave = () => end.abort();
  io.unread.addEventListener('abort', leave);
  const say = quiet ? () => {} : (text: string) => io.out(`${showMs(performance.now() - since).padStart(8)}  ${text}`);
  const lines = new Map<string, string>();
  let last = describeTurn(begun);
  let ended: Ended['state'] | null = null;
  let empty: NodeJS.Timeout | undefined;
  const finish = (how: Ended['state']) => {
    ended ??= how;
    end.abort();
  };
  const onChange = (picture: Picture) => {
    const { goal, machines } = picture;
    if (goal?.id !== id) return finish('replaced');
    const turn = describeTurn(goal);
    if (turn !== last) say(io.paint('bold', turn));
    last = turn;
    for (const machine of machines.filter(({ deploy }) => deploy === id)) {
      const line = showMachine(machine);
      if (lines.get(machine.machine) !== line && machine.phase !== 'steady') say(line);
      lines.set(machine.machine, line);
    }
    clearTimeout(empty);
    if (machines.length === 0) empty = setTimeout(() => finish('empty'), EMPTY_MS);
    if (!OVER.includes(goal.state)) return;
    const open = machines.filter((one) => one.deploy === id && !isAtEnd(one, goal));
    if (open.length === 0) finish(goal.state);
    else if (open.every((one) => !isUnderWay(one))) setTimeout(finish, LAST_LINES_MS, goal.state).unref();
  };
  try {
    await observer.follow(onChange, end.signal);
  } finally {
    clearTimeout(empty);
    io.unread.removeEventListener('abort', leave);
  }
  return { picture: observer.picture, state: ended ?? 'replaced', tookMs: Math.round(performance.now() - since) };
}

export function showMachine({ machine, phase, label, state, why }: MachineRecord): string {
  const isThere = phase === 'deployed' || phase === 'rolled-back';
  // It was, and is being stopped: it runs nothing any more.
  if (isThere && label === null && state.startsWith('stop')) return `${machine}  ${state}`;
  return `${machine}  ${phase}${isThere && label !== null ? ` (${label})` : ''}${why === null ? '' : `: ${firstLine(why)}`}`;
}

function describeTurn({ state, failed }: Goal): string {
  const [failure] = failed.slice(-1);
  const because = failure !== undefined && !['rolled-back', 'done'].includes(state);
  return `the fleet: ${state}${because ? `, for ${failure.machine} failed: ${firstLine(failure.why)}` : ''}`;
}

interface Answering {
  readonly json: boolean;
  readonly wanted: Goal['state'] | null;
  readonly tell: (ended: Ended | null) => string;
  readonly also?: object;
}

/**
 * Answers an order to the fleet: at once, or when every machine has followed it.
 *
 * @param wanted the end that it is to come to; null: it is not waited for
 * @param tell what a person reads at the end; before any, at once
 * @param also what a program reads besides
 * @throws HANDOVER_ERR_CANDIDATE_FLEET where it came to another end
 */
export async function answerOrder(
  fleet: OpenFleet,
  goal: Goal,
  io: Io,
  { json, wanted, tell, also = {} }: Answering
): Promise<void> {
  const ended = wanted === null ? null : await followDeploy(fleet, goal, io, json);
  if (ended && !json) io.out(`\n${showMachines(ended.picture, io)}`);
  if (ended && ended.state !== wanted) throw notDeployed(ended, goal);
  const { service, observer } = fleet;
  const about = { ok: true, deploy: goal.id, ...(ended ? { tookMs: ended.tookMs } : {}), ...also };
  if (json) io.out(JSON.stringify({ ...about, ...describePicture(service, observer.picture) }));
  else io.out(`${ended ? '\n' : ''}${tell(ended)}`);
}

/** What a deploy that did not come to its end is told as. */
function notDeployed({ picture, state }: Ended, { release }: Goal): HandoverError {
  const { goal } = picture;
  const what = `Release ${release.label} was not deployed to the whole fleet`;
  if (state === 'replaced') return failure(what, 'another deploy took its place', 'See `handover fleet status`');
  if (state === 'empty')
    return failure(what, 'no machine is registered any more', 'Look at the machines, and deploy again');
  const why =
    goal?.failed.map(({ machine, why }) => `${machine} failed: ${firstLine(why)}`).join('; ') || 'an operator said so';
  const fix: Readonly<Record<string, string>> = {
    'rolled-back': `Mend it and deploy again; every machine that had it runs ${goal?.previous?.label ?? 'what it ran before'} again`,
    stopped: 'Mend it and `handover fleet resume`, or go back with `handover fleet rollback`; nobody else has begun',
    aborted: 'Go back with `handover fleet rollback`, or deploy another release; nobody else has begun'
  };
  return failure(`${what}: ${state}`, why, fix[state] ?? 'See `handover fleet status`');
}

function failure(what: string, why: string, fix: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_CANDIDATE_FLEET', { what, why, fix });
}
