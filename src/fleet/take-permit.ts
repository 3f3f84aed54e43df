import type { Asking } from './ask-store.ts';
import type { KeyValue } from './etcd/key-values.ts';
import type { Operation } from './etcd/transaction.ts';
import type { Answer, Ask, KnownGoal } from './rules/member-state.ts';
import { readHolder } from './rules/records.ts';

type AskPermit = Extract<Ask, { ask: 'permit' }>;

/** So many permits are tried that somebody else takes at the same moment, before it waits. */
const TRIES = 3;

/** Takes a permit, as long as the goal is the one that it is taken for: it is given back by itself if the machine dies. */
export async function takePermit(asking: Asking, ask: AskPermit): Promise<Answer> {
  const { hint, held, limit } = ask;
  let slot: number | null = held ?? (hint !== null && hint <= limit ? hint : 1);
  for (let tries = 0; tries <= TRIES && slot !== null; tries += 1) {
    const done = await tryPermit(asking, ask, slot, null);
    if (done.taken) return { to: 'permit', slot };
    if (done.goal !== undefined) return { to: 'permit', slot: null, goal: done.goal };
    const free = await findFree(asking, limit);
    if (free?.stray) {
      const again = await tryPermit(asking, ask, free.slot, free.stray);
      if (again.taken) return { to: 'permit', slot: free.slot };
    }
    slot = free?.slot ?? null;
  }
  return { to: 'permit', slot: null };
}

interface Tried {
  readonly taken: boolean;
  /** The goal, where it is another one by now. */
  readonly goal?: KnownGoal | null;
}

async function tryPermit(asking: Asking, ask: AskPermit, slot: number, stray: KeyValue | null): Promise<Tried> {
  const { store, keys, me, lease, reader } = asking;
  const { revision, outcome, place, held } = ask;
  const key = keys.permit(slot);
  const value = JSON.stringify({ machine: me, slot });
  const then: Operation[] = [{ put: key, value, lease }];
  if (place !== null) then.push({ put: keys.queue + place, value, lease });
  if (outcome !== null) {
    const begun = JSON.stringify({ ...outcome, slot });
    then.push({ put: keys.outcome(outcome.deploy, me), value: begun });
  }
  const free = stray === null ? { key, createRevision: 0 } : { key, modRevision: stray.modRevision };
  const guard = held === slot ? { key, lease } : free;
  const current = { key: keys.goal, modRevision: revision };
  const otherwise: Operation[] = [{ read: { key: keys.goal } }, { read: { key } }];
  const { succeeded, responses } = await store.txn({ compare: [current, guard], success: then, failure: otherwise });
  if (succeeded) return { taken: true };
  const [[goal = null] = [], [permit = null] = []] = responses;
  if (goal?.modRevision !== revision) return { taken: false, goal: reader.goal(goal) };
  // An answer that was lost: it was taken, by this very machine. All is written once more, under the guard that it is.
  const isOurs = permit !== null && permit.lease === lease && reader.read(permit, readHolder)?.machine === me;
  return isOurs && held !== slot ? tryPermit(asking, { ...ask, held: slot }, slot, null) : { taken: false };
}

/** A permit that nobody has, by lot: several may be looking. One without a lease is not a machine's. */
async function findFree({ store, keys, reader }: Asking, limit: number) {
  const { kvs } = await store.range(keys.permits);
  const taken = new Map(kvs.map((one) => [one.key, one]));
  const free: { slot: number; stray: KeyValue | null }[] = [];
  for (let slot = 1; slot <= limit; slot += 1) {
    const found = taken.get(keys.permit(slot)) ?? null;
    if (found?.lease === null) reader.tell(found.key, 'it has no lease, so no machine of this fleet wrote it');
    if (found === null || found.lease === null) free.push({ slot, stray: found });
  }
  return free[Math.floor(Math.random() * free.length)] ?? null;
}
