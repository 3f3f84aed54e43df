import { HandoverError } from '../../errors.ts';
import { type Counts, type EtcdOptions, Gateway } from './gateway.ts';
import { decodePair, encode, encodeRange, type KeyValue, type Reach, type WirePair } from './key-values.ts';
import { decodeTransaction, encodeTransaction, type Transaction, type TransactionDone } from './transaction.ts';
import { follow, type OnChanges } from './watch-stream.ts';

/** What a range may be narrowed to. */
export interface RangeOrder {
  readonly limit?: number;
  /** By key; ascending unless said otherwise. */
  readonly order?: 'ascend' | 'descend';
  /** The first key that no longer belongs to it. */
  readonly until?: string;
  /** Leaves the values away: they are empty then. */
  readonly keysOnly?: boolean;
}

export interface Found {
  readonly kvs: readonly KeyValue[];
  /** How many there are, whatever the limit. */
  readonly count: number;
  /** Of the whole store, when it was read: watch from the next one, and nothing is missed. */
  readonly revision: number;
}

/**
 * What several machines agree on, in an etcd (3.4 or later), through its JSON gateway.
 *
 * Every request has a deadline and goes to the next endpoint where one does not answer. What was read may be asked again; a write
 * that may have arrived is not repeated: whoever gets HANDOVER_ERR_FLEET_UNREACHABLE for one has to read what became of it.
 *
 * @throws HANDOVER_ERR_FLEET_UNREACHABLE, HANDOVER_ERR_FLEET_DENIED, HANDOVER_ERR_FLEET_LEASE, HANDOVER_ERR_FLEET_ETCD from each method that asks
 */
export class Etcd {
  readonly #gateway: Gateway;

  constructor(options: EtcdOptions) {
    this.#gateway = new Gateway(options);
  }

  /** What was asked and received so far. */
  get counts(): Counts {
    return this.#gateway.counts;
  }

  async get(key: string): Promise<KeyValue | null> {
    const { kvs = [] } = (await this.#gateway.ask('/v3/kv/range', { key: encode(key) })) as WireRange;
    return kvs[0] ? decodePair(kvs[0]) : null;
  }

  /** Reads the keys that begin with a prefix, or those from the prefix on `until` another key. */
  async range(prefix: string, { limit, order, until, keysOnly }: RangeOrder = {}): Promise<Found> {
    const answer = (await this.#gateway.ask('/v3/kv/range', {
      ...encodeRange({ prefix, ...(until === undefined ? {} : { until }) }),
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(order === undefined ? {} : { sort_target: 'KEY', sort_order: order === 'ascend' ? 'ASCEND' : 'DESCEND' }),
      ...(keysOnly ? { keys_only: true } : {})
    })) as WireRange;
    const { kvs = [], count = '0', header } = answer;
    return { kvs: kvs.map(decodePair), count: Number(count), revision: Number(header.revision) };
  }

  /** Counts the keys that begin with a prefix, or those from the prefix on `until` another key. */
  async count(prefix: string, until?: string): Promise<number> {
    const reach = encodeRange({ prefix, ...(until === undefined ? {} : { until }) });
    const { count = '0' } = (await this.#gateway.ask('/v3/kv/range', { ...reach, count_only: true })) as WireRange;
    return Number(count);
  }

  /** Does `success`, all or nothing, if every guard holds, else `failure`. */
  async txn(transaction: Transaction): Promise<TransactionDone> {
    const body = encodeTransaction(transaction);
    // Without a guard it does the same however often it is done.
    const isGuarded = (transaction.compare ?? []).length > 0;
    return decodeTransaction(await this.#gateway.ask('/v3/kv/txn', body, { once: isGuarded }));
  }

  /**
   * Tells what changes, from a revision on, until the signal ends it.
   *
   * It goes on over restarts of etcd, endpoints that fail and tokens that expire: nothing is told twice, and nothing is left out.
   *
   * @returns 'ended' by the signal, or 'compacted' where etcd no longer knows what was to be told: then read anew, and watch from there
   */
  watch(reach: Reach & { readonly from?: number }, onChanges: OnChanges, signal: AbortSignal) {
    return follow(this.#gateway, reach, onChanges, signal);
  }

  /** @returns the lease: what is written under it goes when nobody has kept it alive for so long */
  async grant(ttlSeconds: number): Promise<string> {
    const { ID } = (await this.#gateway.ask('/v3/lease/grant', { TTL: String(ttlSeconds) })) as { ID: string };
    return ID;
  }

  /** @returns null where the lease is gone, and with it all that was written under it */
  async keepAlive(lease: string): Promise<{ readonly ttl: number } | null> {
    const { result } = (await this.#gateway.ask('/v3/lease/keepalive', { ID: lease })) as {
      result?: { TTL?: string };
    };
    const ttl = Number(result?.TTL ?? 0);
    return ttl > 0 ? { ttl } : null;
  }

  /** Gives a lease back, and removes what was written under it; one that is gone already is none the worse for it. */
  async revoke(lease: string): Promise<void> {
    try {
      await this.#gateway.ask('/v3/lease/revoke', { ID: lease });
    } catch (error) {
      if (!(HandoverError.is(error) && error.code === 'HANDOVER_ERR_FLEET_LEASE')) throw error;
    }
  }

  /** Ends all that is under way: requests fail, watches end. */
  async close(): Promise<void> {
    await this.#gateway.close();
  }
}

interface WireRange {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly WirePair[];
  readonly count?: string;
}

export type { EtcdOptions, KeyValue, Transaction, TransactionDone };
