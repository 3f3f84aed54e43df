import { decodePair, encode, encodeRange, type KeyValue, type Reach, type WirePair } from './key-values.ts';

/** What must hold: a revision of 0 says that there is no such key. */
export type Guard =
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly createRevision: number }
  | { readonly key: string; readonly lease: string };

export type Operation =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  | { readonly delete: Reach }
  | { readonly read: Reach };

export interface Transaction {
  readonly compare?: readonly Guard[];
  /** What is done if every guard holds, all at once. */
  readonly success: readonly Operation[];
  /** What is done else. */
  readonly failure?: readonly Operation[];
}

export interface TransactionDone {
  /** Whether every guard held. */
  readonly succeeded: boolean;
  readonly revision: number;
  /** For each operation in its order what it read; empty for those that do not read. */
  readonly responses: readonly (readonly KeyValue[])[];
}

export function encodeTransaction({ compare = [], success, failure = [] }: Transaction): object {
  return {
    compare: compare.map(encodeGuard),
    success: success.map(encodeOperation),
    failure: failure.map(encodeOperation)
  };
}

function encodeGuard(guard: Guard): object {
  const about = { key: encode(guard.key), result: 'EQUAL' };
  if ('modRevision' in guard) return { ...about, target: 'MOD', mod_revision: String(guard.modRevision) };
  if ('createRevision' in guard) return { ...about, target: 'CREATE', create_revision: String(guard.createRevision) };
  return { ...about, target: 'LEASE', lease: guard.lease };
}

function encodeOperation(operation: Operation): object {
  if ('read' in operation) return { request_range: encodeRange(operation.read) };
  if ('delete' in operation) return { request_delete_range: encodeRange(operation.delete) };
  const { put, value, lease } = operation;
  return { request_put: { key: encode(put), value: encode(value), ...(lease === undefined ? {} : { lease }) } };
}

export function decodeTransaction(answer: unknown): TransactionDone {
  const { header, succeeded = false, responses = [] } = answer as WireTransaction;
  return {
    succeeded,
    revision: Number(header.revision),
    responses: responses.map(({ response_range }) => (response_range?.kvs ?? []).map(decodePair))
  };
}

interface WireTransaction {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: { readonly kvs?: readonly WirePair[] } }[];
}
