import type { KeyValue } from './etcd/key-values.ts';
import type { Guard, Operation } from './etcd/transaction.ts';
import type { Store } from './fleet-ports.ts';
import type { Keys } from './keys.ts';
import type { Reader } from './reader.ts';
import { writeGoal } from './rules/goal.ts';
import type { Answer, Ask, Settle, Watched } from './rules/member-state.ts';
import { countPermits } from './rules/permits.ts';
import { type Outcome, readHolder, readOutcome } from './rules/records.ts';
import { takePermit } from './take-permit.ts';

/** What an ask is carried out with. */
export interface Asking {
  readonly store: Store;
  readonly keys: Keys;
  readonly me: string;
  readonly lease: string;
  readonly reader: Reader;
}

/**
 * Asks etcd one thing. Every write is guarded by what it follows from, so one that comes too late changes nothing.
 *
 * @throws HANDOVER_ERR_FLEET_*
 */
export function askStore(asking: Asking, ask: Ask): Promise<Answer> {
  switch (ask.ask) {
    case 'enqueue':
      return enqueue(asking, ask.place);
    case 'look':
      return look(asking, ask);
    case 'permit':
      return takePermit(asking, ask);
    case 'settle':
      return settle(asking, ask);
    case 'recover':
      return recover(asking, ask);
    case 'whether-lost':
      return findLost(asking, ask);
    case 'whether-ended':
      return findEnd(asking, ask);
    default:
      return ask satisfies never;
  }
}

async function enqueue({ store, keys, me, lease }: Asking, place: string): Promise<Answer> {
  const value = JSON.stringify({ machine: me, slot: null });
  await store.txn({ success: [{ put: keys.queue + place, value, lease }] });
  return { to: 'enqueue' };
}

async function look(
  { store, keys, reader }: Asking,
  { place, maxUnavailable, watched }: Extract<Ask, { ask: 'look' }>
): Promise<Answer> {
  const prefix = `${keys.queue}${place.split('/', 1)[0]}/`;
  const until = keys.queue + place;
  // How many machines there are is asked anew where it matters.
  const machines = 'share' in maxUnavailable ? await store.count(keys.machines) : null;
  const limit = countPermits(maxUnavailable, machines ?? 0);
  const stands = (ahead: number, next: Watched | null = null): Answer => ({
    to: 'look',
    machines,
    inQueue: { ahead, limit, watched: next, refused: false }
  });
  if (watched) {
    const [ahead, isThere] = await Promise.all([store.count(prefix, until), store.get(watched.key)]);
    if (ahead < limit) return stands(ahead);
    // As long as it is there, nobody else is waited for: each has one who takes its permit over, however they come to their ends.
    if (isThere) return stands(ahead, watched);
  }
  const { kvs, count, revision } = await store.range(prefix, { until, order: 'descend', limit, keysOnly: true });
  const key = kvs[limit - 1]?.key;
  if (key === undefined) return stands(count);
  const next = await store.get(key);
  // Some have gone since they were counted.
  if (!next) return stands(kvs.length);
  if (next.lease === null) await remove(store, reader, next);
  const holder = reader.read(next, readHolder);
  const machine = holder?.machine ?? next.key.slice(next.key.lastIndexOf('/') + 1);
  return stands(count, { key: next.key, machine, slot: holder?.slot ?? null, revision });
}

/** No machine wrote it, for theirs go with their leases: it would be waited for until the end of time. */
async function remove(store: Store, reader: Reader, { key, modRevision }: KeyValue): Promise<void> {
  reader.tell(key, 'it has no lease, so no machine of this fleet wrote it; it was removed');
  await store.txn({ compare: [{ key, modRevision }], success: [{ delete: { key } }] });
}

async function settle(asking: Asking, { of, outcome, leave, vacate, goal, revision }: Settle): Promise<Answer> {
  const { store, keys, me, reader } = asking;
  const compare: Guard[] = [];
  if (goal !== null) compare.push({ key: keys.goal, modRevision: revision });
  if (of !== me) compare.push({ key: keys.machine(of), createRevision: 0 });
  const then: Operation[] = [];
  if (outcome !== null) then.push({ put: keys.outcome(outcome.deploy, of), value: JSON.stringify(outcome) });
  if (leave !== null) then.push({ delete: { key: keys.queue + leave } });
  if (vacate !== null) then.push({ delete: { key: keys.permit(vacate) } });
  if (goal !== null) then.push({ put: keys.goal, value: writeGoal(goal) });
  const { succeeded, responses } = await store.txn({ compare, success: then, failure: [{ read: { key: keys.goal } }] });
  if (succeeded) return { to: 'settle', done: true };
  return { to: 'settle', done: false, goal: reader.goal(responses[0]?.[0] ?? null) };
}

/** Reads what is there of this machine. What it no longer stands for is removed. */
async function recover(
  { store, keys, me, lease, reader }: Asking,
  { deploy, place, earlier }: Extract<Ask, { ask: 'recover' }>
): Promise<Answer> {
  if (earlier !== null) await store.txn({ success: [{ delete: { key: keys.queue + earlier } }] });
  const [permits, queued, outcome, goal] = await Promise.all([
    store.range(keys.permits),
    store.get(keys.queue + place),
    store.get(keys.outcome(deploy, me)),
    store.get(keys.goal)
  ]);
  const own = permits.kvs.find((one) => one.lease === lease && reader.read(one, readHolder)?.machine === me);
  return {
    to: 'recover',
    slot: own ? (reader.read(own, readHolder)?.slot ?? null) : null,
    queued: queued?.lease === lease ? place : null,
    outcome: outcome && reader.read(outcome, readOutcome),
    goal: reader.goal(goal)
  };
}

async function findLost(
  { store, keys, reader }: Asking,
  { deploy, machines, evenDeployed }: Extract<Ask, { ask: 'whether-lost' }>
): Promise<Answer> {
  const isLost = async (machine: string) => {
    if ((await store.get(keys.machine(machine))) !== null) return false;
    if (evenDeployed) return true;
    const found = await store.get(keys.outcome(deploy, machine));
    return found !== null && reader.read(found, readOutcome)?.phase === 'deploying';
  };
  const found = await Promise.all(machines.map(isLost));
  return { to: 'whether-lost', lost: machines.filter((_, at) => found[at]) };
}

/** Reads everybody only when it looks as if that were worth it. */
async function findEnd(
  { store, keys, reader }: Asking,
  { deploy, attempt, way }: Extract<Ask, { ask: 'whether-ended' }>
): Promise<Answer> {
  const outcomes = keys.outcomes(deploy);
  const open = { to: 'whether-ended', ended: false, lost: [] } as const;
  if ((await store.count(`${keys.queue}${deploy}/`)) > 0) return open;
  const [known, registered] = await Promise.all([
    store.count(outcomes),
    store.range(keys.machines, { keysOnly: true })
  ]);
  const machines = registered.kvs.filter(({ lease }) => lease !== null);
  // What no machine wrote would be counted as one that never comes to its end.
  for (const one of registered.kvs) if (one.lease === null) await remove(store, reader, one);
  if (known < machines.length) return open;
  const written = await store.range(outcomes);
  const name = ({ key }: KeyValue) => key.slice(key.lastIndexOf('/') + 1);
  const byMachine = new Map<string, Outcome | null>(
    written.kvs.map((one) => [name(one), reader.read(one, readOutcome)])
  );
  const names = new Set(machines.map(name));
  const isOver = (one: Outcome | null | undefined) =>
    one?.way === way &&
    (way === 'back' || one.attempt === attempt) &&
    (one.phase === 'deployed' || one.phase === 'failed');
  const lost = [...byMachine].filter(([one, outcome]) => outcome?.phase === 'deploying' && !names.has(one));
  const ended = lost.length === 0 && [...names].every((one) => isOver(byMachine.get(one)));
  return { to: 'whether-ended', ended, lost: lost.map(([one]) => one) };
}
