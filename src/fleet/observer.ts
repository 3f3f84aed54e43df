import type { Operation } from './etcd/transaction.ts';
import type { Store } from './fleet-ports.ts';
import { keysOf } from './keys.ts';
import { Reader } from './reader.ts';
import { type Goal, writeGoal } from './rules/goal.ts';
import { refuse } from './rules/goal-changes.ts';
import type { KnownGoal } from './rules/member-state.ts';
import { type MachineRecord, readMachine } from './rules/records.ts';

/** A fleet as people see it. */
export interface Picture {
  readonly goal: Goal | null;
  /** By their names. */
  readonly machines: readonly MachineRecord[];
  /** What is under the keys of the service and cannot be read. */
  readonly unreadable: readonly { readonly key: string; readonly reason: string }[];
}

/** Looks at a fleet from outside, and changes what it is to run: an operator's side. */
export class Observer {
  readonly #store: Store;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #reader: Reader;
  readonly #unreadable = new Map<string, string>();
  readonly #machines = new Map<string, MachineRecord>();
  #goal: KnownGoal | null = null;
  /** Whether there is a goal that cannot be read: it must be seen before it is written over. */
  #goalRevision = 0;

  constructor(store: Store, service: string) {
    this.#store = store;
    this.#keys = keysOf(service);
    this.#reader = new Reader((key, reason) => void this.#unreadable.set(key, reason));
  }

  get picture(): Picture {
    const machines = [...this.#machines.values()].sort((one, other) => (one.machine < other.machine ? -1 : 1));
    const unreadable = [...this.#unreadable].map(([key, reason]) => ({ key, reason }));
    return { goal: this.#goal?.doc ?? null, machines, unreadable };
  }

  /** Reads everything. @returns the revision that it was at */
  async read(): Promise<number> {
    const { goal, machines } = this.#keys;
    const [found, all] = [await this.#store.range(goal, { limit: 1 }), await this.#store.range(machines)];
    this.#keepGoal(found.kvs.find(({ key }) => key === goal) ?? null);
    this.#machines.clear();
    for (const one of all.kvs) this.#keepMachine(one);
    return found.revision;
  }

  /**
   * Changes the goal, unless somebody else has done so since it was read.
   *
   * @throws HANDOVER_ERR_REFUSED_FLEET, HANDOVER_ERR_FLEET_*
   */
  async change(change: (goal: Goal | null, machines: readonly MachineRecord[]) => Goal): Promise<Goal> {
    await this.read();
    const before = this.#goal?.doc ?? null;
    const next = change(before, this.picture.machines);
    const { goal, outcomes } = this.#keys;
    const success: Operation[] = [{ put: goal, value: writeGoal(next) }];
    // What became of an earlier deploy is nobody's question any more.
    if (before && before.id !== next.id) success.push({ delete: { prefix: outcomes(before.id) } });
    const compare = [{ key: goal, modRevision: this.#goalRevision }];
    const { succeeded, revision } = await this.#store.txn({ compare, success });
    if (!succeeded)
      throw refuse(
        'Somebody else was first',
        'what the fleet is to run was changed since it was read',
        'See `handover fleet status`, and try again if you still want to'
      );
    this.#goal = { doc: next, revision };
    return next;
  }

  /** Tells of each change, and once at the beginning. It ends with the signal, and goes on over an etcd that is away. */
  async follow(onChange: (picture: Picture) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = (await this.read()) + 1;
      onChange(this.picture);
      if (signal.aborted) return;
      const round = new AbortController();
      const end = () => round.abort();
      signal.addEventListener('abort', end);
      const { goal, machines } = this.#keys;
      const watches = [
        this.#store.watch(
          { key: goal, from },
          (changes) => {
            const last = changes.at(-1);
            if (last) this.#keepGoal(last.type === 'delete' ? null : last);
            onChange(this.picture);
          },
          round.signal
        ),
        this.#store.watch(
          { prefix: machines, from },
          (changes) => {
            for (const change of changes) {
              if (change.type === 'delete') this.#machines.delete(change.key);
              else this.#keepMachine(change);
            }
            onChange(this.picture);
          },
          round.signal
        )
      ];
      try {
        await Promise.race(watches);
      } finally {
        signal.removeEventListener('abort', end);
        round.abort();
        await Promise.allSettled(watches);
      }
    }
  }

  #keepGoal(found: Parameters<Reader['goal']>[0]): void {
    this.#unreadable.delete(this.#keys.goal);
    this.#goalRevision = found?.modRevision ?? 0;
    this.#goal = this.#reader.goal(found);
  }

  #keepMachine(found: { readonly key: string; readonly value: string }): void {
    const record = this.#reader.read(found, readMachine);
    if (record) this.#machines.set(found.key, record);
    else this.#machines.delete(found.key);
  }
}
