import type { KeyValue } from '../../src/fleet/etcd/key-values.ts';
import type { Guard, Operation, Transaction } from '../../src/fleet/etcd/transaction.ts';
import type { Change, OnChanges } from '../../src/fleet/etcd/watch-stream.ts';
import type { Store } from '../../src/fleet/fleet-ports.ts';
import type { Time } from './simulated-time.ts';

/** How long a request is on its way, and its answer. */
const WAY_MS = 2;

interface Watcher {
  readonly onChanges: OnChanges;
  readonly signal: AbortSignal;
}

/** Keys that share their first parts: looked through without all the others. */
interface Shelf {
  readonly keys: Set<string>;
  sorted: readonly string[] | null;
}

/** What an etcd does, without one, as far as machines that stay alive ask it; it counts what each second brings. */
export class CountingStore {
  /** Requests by the second in which they were sent. */
  readonly perSecond: number[] = [];
  /** What came through watches. */
  messages = 0;
  readonly #time: Time;
  readonly #kvs = new Map<string, KeyValue>();
  readonly #shelves = new Map<string, Shelf>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #revision = 1;
  #leases = 0;

  constructor(time: Time) {
    this.#time = time;
  }

  read(key: string): KeyValue | null {
    return this.#kvs.get(key) ?? null;
  }

  readonly store: Store = {
    get: (key) => this.#ask(() => this.read(key)),
    range: (prefix, { limit, order, until } = {}) =>
      this.#ask(() => {
        const keys = this.#reach(prefix, until);
        if (order === 'descend') keys.reverse();
        const kvs = keys.slice(0, limit ?? keys.length).flatMap((key) => this.read(key) ?? []);
        return { kvs, count: keys.length, revision: this.#revision };
      }),
    count: (prefix, until) => this.#ask(() => this.#reach(prefix, until).length),
    txn: (one) => this.#ask(() => this.change(one)),
    watch: ({ from = this.#revision + 1, ...reach }, onChanges, signal) => {
      if (!('key' in reach)) throw new Error('machines watch single keys');
      return this.#watch(reach.key, from, { onChanges, signal });
    },
    grant: () =>
      this.#ask(() => {
        this.#leases += 1;
        return String(this.#leases);
      }),
    keepAlive: () => this.#ask(() => ({ ttl: 20 })),
    revoke: () => this.#ask(() => {}),
    close: async () => {}
  };

  change({ compare = [], success, failure = [] }: Transaction) {
    const succeeded = compare.every((guard) => holds(guard, this.read(guard.key)));
    this.#revision += 1;
    const responses = (succeeded ? success : failure).map((one) => this.#operate(one));
    return { succeeded, revision: this.#revision, responses };
  }

  #ask<T>(act: () => T): Promise<T> {
    const second = Math.floor(this.#time.now / 1_000);
    this.perSecond[second] = (this.perSecond[second] ?? 0) + 1;
    return new Promise((resolve) => {
      this.#time.after(WAY_MS, () => {
        const answer = act();
        this.#time.after(WAY_MS, () => resolve(answer));
      });
    });
  }

  #operate(one: Operation): KeyValue[] {
    if ('read' in one) return 'key' in one.read ? [this.read(one.read.key)].flatMap((found) => found ?? []) : [];
    if ('delete' in one) {
      for (const key of 'key' in one.delete ? [one.delete.key] : this.#reach(one.delete.prefix)) this.#delete(key);
      return [];
    }
    const { put: key, value, lease = null } = one;
    const before = this.read(key);
    const kv = {
      key,
      value,
      createRevision: before?.createRevision ?? this.#revision,
      modRevision: this.#revision,
      lease
    };
    this.#kvs.set(key, kv);
    if (!before) this.#shelf(key, (keys) => keys.add(key));
    this.#tell({ ...kv, type: 'put' });
    return [];
  }

  #delete(key: string): void {
    if (!this.#kvs.delete(key)) return;
    this.#shelf(key, (keys) => keys.delete(key));
    this.#tell(this.#gone(key));
  }

  #gone(key: string): Change {
    return { key, value: '', createRevision: 0, modRevision: this.#revision, lease: null, type: 'delete' };
  }

  #shelf(key: string, change: (keys: Set<string>) => void): void {
    const name = nameShelf(key);
    const shelf = this.#shelves.get(name) ?? { keys: new Set(), sorted: null };
    this.#shelves.set(name, shelf);
    change(shelf.keys);
    shelf.sorted = null;
  }

  #reach(prefix: string, until?: string): string[] {
    const shelf = this.#shelves.get(nameShelf(prefix));
    if (!shelf) return [];
    shelf.sorted ??= [...shelf.keys].sort();
    return shelf.sorted.slice(find(shelf.sorted, prefix), find(shelf.sorted, until ?? `${prefix}\uffff`));
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers.get(change.key) ?? []) this.#send(watcher, change);
  }

  #send({ onChanges, signal }: Watcher, change: Change): void {
    this.messages += 1;
    this.#time.after(WAY_MS, () => {
      if (!signal.aborted) onChanges([change], change.modRevision);
    });
  }

  #watch(key: string, from: number, watcher: Watcher): Promise<'ended'> {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    const found = this.read(key);
    // What has happened since it was read is told first.
    if (found && found.modRevision >= from) this.#send(watcher, { ...found, type: 'put' });
    if (!found && key.includes('/queue/')) this.#send(watcher, this.#gone(key));
    return new Promise((done) => {
      watcher.signal.addEventListener('abort', () => {
        watchers.delete(watcher);
        done('ended');
      });
    });
  }
}

/** Whether what must be so of a key is. @param found what is there; nothing where there is no such key */
export function holds(guard: Guard, found: KeyValue | null | undefined): boolean {
  if ('modRevision' in guard) return (found?.modRevision ?? 0) === guard.modRevision;
  if ('createRevision' in guard) return (found?.createRevision ?? 0) === guard.createRevision;
  return found?.lease === guard.lease;
}

/** `/handover/shop/queue/` of whatever is below it. */
function nameShelf(key: string): string {
  return key.split('/', 4).join('/');
}

/** Where a key is or would be. */
function find(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
