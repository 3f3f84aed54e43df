import { setTimeout as delay } from 'node:timers/promises';
import { HandoverError } from '../../errors.ts';
import { isAboutToken, Refusal, toError, Unanswered } from './etcd-failures.ts';
import type { Gateway } from './gateway.ts';
import { decodePair, encodeRange, type KeyValue, type Reach, type WirePair } from './key-values.ts';

/** Of a key that was deleted only the key and the revision are known. */
export interface Change extends KeyValue {
  readonly type: 'put' | 'delete';
}

/** @param revision of the store with these changes */
export type OnChanges = (changes: readonly Change[], revision: number) => void;

/** How long is waited before a watch that broke is opened again: at first, and at the most. Each time a part of it, by lot. */
const AGAIN_MS = { first: 100, most: 5_000 };
/** So often in a row an etcd may be behind what was seen: one that was restored from an older copy always is. */
const BEHIND = 5;

/** See `Etcd.watch`. */
export async function follow(
  gateway: Gateway,
  { from, ...reach }: Reach & { readonly from?: number },
  onChanges: OnChanges,
  signal: AbortSignal
): Promise<'ended' | 'compacted'> {
  const seen: Seen = { next: from ?? null, behind: 0, waitMs: AGAIN_MS.first, renewed: false };
  while (!signal.aborted && !gateway.closed) {
    try {
      if ((await readOnce(gateway, reach, seen, onChanges, signal)) === 'compacted') return 'compacted';
    } catch (error) {
      if (signal.aborted || gateway.closed) break;
      await survive(gateway, error, seen);
    }
    // The loop sees when the wait was ended.
    await delay(seen.waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    seen.waitMs = Math.min(2 * seen.waitMs, AGAIN_MS.most);
  }
  return 'ended';
}

/** What a watch has to know when it is opened again. */
interface Seen {
  /** The first revision that was not told yet; null before etcd has said where it is. */
  next: number | null;
  /** How often in a row etcd was behind it. */
  behind: number;
  waitMs: number;
  /** Whether this token is new, and was refused too. */
  renewed: boolean;
}

/** Reads one stream until it ends. */
async function readOnce(gateway: Gateway, reach: Reach, seen: Seen, onChanges: OnChanges, signal: AbortSignal) {
  const about = { ...encodeRange(reach), progress_notify: true };
  const create_request = seen.next === null ? about : { ...about, start_revision: String(seen.next) };
  for await (const message of gateway.stream('/v3/watch', { create_request }, signal)) {
    const { header, created, canceled, compact_revision = '0', cancel_reason = '', events = [] } = message as WireWatch;
    const revision = Number(header.revision ?? 0);
    if (compact_revision !== '0') return 'compacted';
    if (canceled) throw Refusal.from(cancel_reason);
    if (created) {
      seen.next ??= revision + 1; // where it was told from where on, what was before is still to come
      // It will tell nothing before it has come to that revision, which it may never do.
      if (revision + 1 < seen.next) {
        seen.behind += 1;
        return seen.behind < BEHIND ? 'again' : 'compacted';
      }
      Object.assign(seen, { behind: 0, waitMs: AGAIN_MS.first, renewed: false });
      continue;
    }
    const changes = events.map(decodeEvent);
    // While it catches up, the revision of the answer is ahead of what it tells. One revision is never told in two parts.
    const told = changes.length === 0 ? revision : Math.max(...changes.map((change) => change.modRevision));
    seen.next = Math.max(seen.next ?? 0, told + 1);
    if (changes.length > 0) onChanges(changes, told);
  }
  return 'again';
}

/** @throws what trying again does not help against */
async function survive(gateway: Gateway, error: unknown, seen: Seen): Promise<void> {
  if (error instanceof Unanswered || isUnreachable(error)) return;
  if (!isAboutToken(error) || seen.renewed) throw toError(gateway.endpoints, error);
  seen.renewed = true;
  try {
    await gateway.renew();
  } catch (failure) {
    if (!isUnreachable(failure)) throw failure;
  }
}

function isUnreachable(error: unknown): boolean {
  return HandoverError.is(error) && error.code === 'HANDOVER_ERR_FLEET_UNREACHABLE';
}

function decodeEvent({ type, kv }: WireEvent): Change {
  return { type: type === 'DELETE' ? 'delete' : 'put', ...decodePair(kv) };
}

interface WireEvent {
  /** Not written where it is PUT. */
  readonly type?: 'PUT' | 'DELETE';
  readonly kv: WirePair;
}

interface WireWatch {
  readonly header: { readonly revision?: string };
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  readonly compact_revision?: string;
  readonly events?: readonly WireEvent[];
}
