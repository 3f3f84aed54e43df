/** A key as etcd keeps it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** The store's revision when the key came to be; another one once it was deleted and made again. */
  readonly createRevision: number;
  /** The store's revision when it was last written: what a guard compares. */
  readonly modRevision: number;
  /** Null where it stays whoever dies. */
  readonly lease: string | null;
}

/** One key, or those that begin with a prefix, or those from the prefix on until another key, which is not among them. */
export type Reach = { readonly key: string } | { readonly prefix: string; readonly until?: string };

/** As the gateway writes it: bytes in base64, 64-bit integers as text, and nothing where it is 0 or empty. */
export interface WirePair {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(text = ''): string {
  return Buffer.from(text, 'base64').toString();
}

export function decodePair({ key, value, create_revision, mod_revision, lease }: WirePair): KeyValue {
  return {
    key: decode(key),
    value: decode(value),
    // The store would have to be written a million times each second for 285 years before a number is too small for these.
    createRevision: Number(create_revision ?? 0),
    modRevision: Number(mod_revision ?? 0),
    lease: lease === undefined || lease === '0' ? null : lease
  };
}

export function encodeRange(reach: Reach): { readonly key: string; readonly range_end?: string } {
  if ('key' in reach) return { key: encode(reach.key) };
  const { prefix, until } = reach;
  return { key: encode(prefix), range_end: until === undefined ? encodeEnd(prefix) : encode(until) };
}

/** The first key that does not begin with the prefix any more. */
function encodeEnd(prefix: string): string {
  const bytes = Buffer.from(prefix);
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0xff) continue;
    bytes[at] = byte + 1;
    return bytes.subarray(0, at + 1).toString('base64');
  }
  return Buffer.of(0).toString('base64'); // no end: every key from there on
}
