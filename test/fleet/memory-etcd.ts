import { holds } from '../../bench/scale/counting-store.ts';
import { HandoverError } from '../../src/errors.ts';
import type { KeyValue, Reach } from '../../src/fleet/etcd/key-values.ts';
import type { Operation, Transaction } from '../../src/fleet/etcd/transaction.ts';
import type { Change } from '../../src/fleet/etcd/watch-stream.ts';
import type { Store } from '../../src/fleet/fleet-ports.ts';

/** One request on its way: the test says when it arrives, whether, and whether its answer does. */
export interface Pending {
  readonly client: string;
  arrive(): void;
  /** @param after whether it was carried out before the answer was lost */
  fail(after: boolean): void;
}

interface Watching {
  readonly client: string;
  readonly reach: Reach;
  readonly queue: Change[];
  readonly onChanges: (changes: readonly Change[], revision: number) => void;
  readonly end: () => void;
}

const UNREACHABLE = () =>
  new HandoverError('HANDOVER_ERR_FLEET_UNREACHABLE', { what: 'No etcd', why: 'the test says so', fix: 'Wait' });
const NO_LEASE = () =>
  new HandoverError('HANDOVER_ERR_FLEET_LEASE', { what: 'No lease', why: 'it has ended', fix: 'Wait' });

/** What an etcd does, in memory, with every request and every news in the hands of a test. */
export class MemoryEtcd {
  revision = 1;
  readonly kvs = new Map<string, KeyValue>();
  readonly leases = new Map<string, { ttlMs: number; until: number; client: string }>();
  readonly watches = new Set<Watching>();
  pending: Pending[] = [];
  readonly #now: () => number;
  #granted = 0;
  readonly #log: Change[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Ends the leases whose time is over. */
  expire(): void {
    for (const [id, { until }] of this.leases) if (until <= this.#now()) this.#end(id);
  }

  /** A client that is gone asks no more, and hears no more. */
  drop(client: string): void {
    this.pending = this.pending.filter((one) => one.client !== client);
    for (const one of this.watches) if (one.client === client) this.watches.delete(one);
  }

  store(client: string): Store {
    const ask = <T>(act: () => T) =>
      new Promise<T>((resolve, reject) => {
        const arrive = () => {
          try {
            resolve(act());
          } catch (error) {
            reject(error);
          }
        };
        const fail = (after: boolean) => {
          try {
            if (after) act();
          } catch {
            // its answer is lost, too
          }
          reject(UNREACHABLE());
        };
        this.pending.push({ client, arrive, fail });
      });
    return {
      get: (key) => ask(() => this.kvs.get(key) ?? null),
      range: (prefix, { limit, order, until } = {}) =>
        ask(() => {
          const all = this.#reach({ prefix, ...(until === undefined ? {} : { until }) });
          if (order === 'descend') all.reverse();
          return { kvs: all.slice(0, limit ?? all.length), count: all.length, revision: this.revision };
        }),
      count: (prefix, until) => ask(() => this.#reach({ prefix, ...(until === undefined ? {} : { until }) }).length),
      txn: (one) => ask(() => this.txn(one)),
      watch: (reach, onChanges, signal) => this.#watch(client, reach, onChanges, signal),
      grant: (seconds) =>
        ask(() => {
          this.#granted += 1;
          const id = String(this.#granted);
          this.leases.set(id, { ttlMs: seconds * 1_000, until: this.#now() + seconds * 1_000, client });
          return id;
        }),
      keepAlive: (id) =>
        ask(() => {
          const lease = this.leases.get(id);
          if (!lease) return null;
          lease.until = this.#now() + lease.ttlMs;
          return { ttl: lease.ttlMs / 1_000 };
        }),
      revoke: (id) => ask(() => this.#end(id)),
      close: async () => this.drop(client)
    };
  }

  txn({ compare = [], success, failure = [] }: Transaction) {
    const succeeded = compare.every((guard) => holds(guard, this.kvs.get(guard.key)));
    const operations = succeeded ? success : failure;
    for (const one of operations) if ('put' in one && one.lease && !this.leases.has(one.lease)) throw NO_LEASE();
    const next = this.revision + 1;
    const changes: Change[] = [];
    const responses = operations.map((one) => this.#operate(one, next, changes));
    this.#tell(changes, next);
    return { succeeded, revision: this.revision, responses };
  }

  #operate(one: Operation, revision: number, changes: Change[]): KeyValue[] {
    if ('read' in one) return this.#reach(one.read);
    if ('delete' in one) {
      for (const found of this.#reach(one.delete)) {
        this.kvs.delete(found.key);
        changes.push({ ...found, type: 'delete', value: '', modRevision: revision });
      }
      return [];
    }
    const { put: key, value, lease = null } = one;
    const kv = {
      key,
      value,
      createRevision: this.kvs.get(key)?.createRevision ?? revision,
      modRevision: revision,
      lease
    };
    this.kvs.set(key, kv);
    changes.push({ ...kv, type: 'put' });
    return [];
  }

  #end(id: string): void {
    this.leases.delete(id);
    const gone = [...this.kvs.values()].filter(({ lease }) => lease === id);
    if (gone.length > 0) this.txn({ success: gone.map(({ key }) => ({ delete: { key } })) });
  }

  #tell(changes: readonly Change[], revision: number): void {
    if (changes.length === 0) return;
    this.revision = revision;
    this.#log.push(...changes);
    for (const { reach, queue } of this.watches) queue.push(...changes.filter(({ key }) => fits(reach, key)));
  }

  #reach(reach: Reach): KeyValue[] {
    const all = [...this.kvs.values()].filter(({ key }) => fits(reach, key));
    return all.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  #watch(
    client: string,
    { from = this.revision + 1, ...reach }: Reach & { readonly from?: number },
    onChanges: Watching['onChanges'],
    signal: AbortSignal
  ): Promise<'ended'> {
    return new Promise((done) => {
      const queue = this.#log.filter((one) => one.modRevision >= from && fits(reach, one.key));
      const end = () => {
        this.watches.delete(watching);
        done('ended');
      };
      const watching: Watching = { client, reach, queue, onChanges, end };
      this.watches.add(watching);
      signal.addEventListener('abort', end);
    });
  }
}

function fits(reach: Reach, key: string): boolean {
  if ('key' in reach) return key === reach.key;
  return reach.until === undefined ? key.startsWith(reach.prefix) : key >= reach.prefix && key < reach.until;
}
