/** The kinds of connections that a service may have. */
export const KINDS = ['http1', 'tls', 'http2', 'websocket', 'event-stream', 'other'] as const;

export type Kind = (typeof KINDS)[number];

/**
 * How a connection leaves the version that it was opened to: it goes to another one, with its state or without; it is
 * ended by the means of its protocol, or told to end; or it stays.
 */
export type Leave = 'moved' | 'carried' | 'closed' | 'goaway' | 'told' | 'ended' | 'kept';

/** How many connections of each kind. */
export type ByKind = { readonly [K in Kind]?: number };

/** How many connections left in each way, and why those could not be carried that were to be. */
export type LeftOfKind = { readonly [L in Leave]?: number } & { readonly reasons?: Readonly<Record<string, number>> };
export type LeftByKind = { readonly [K in Kind]?: LeftOfKind };

/** What lets another process answer a request again whose connection moves in the middle of the answer. */
export interface Resume {
  readonly kind: 'event-stream' | 'websocket';
  /** The request's head, as latin1. */
  readonly request: string;
  /** The head that the client has got, which another one must agree with. */
  readonly answer: string;
  /** What the app has saved of a WebSocket, as JSON. */
  readonly state: string | null;
}

/** Writes it for a message; empty where there is none. */
export function sealResume(resume: Resume | null): string {
  return resume === null ? '' : JSON.stringify(resume);
}

/** Reads what {@link sealResume} wrote. */
export function openResume(sealed: string): Resume | null {
  return sealed === '' ? null : (JSON.parse(sealed) as Resume);
}

/** Adds what has left in two places, or at two times. */
export function addLeft(one: LeftByKind, other: LeftByKind): LeftByKind {
  const sum: { [K in Kind]?: LeftOfKind } = {};
  for (const kind of KINDS) {
    const [a, b] = [one[kind], other[kind]];
    if (!a && !b) continue;
    const { reasons = {}, ...counts } = a ?? {};
    const { reasons: more = {}, ...others } = b ?? {};
    const why = addCounts(reasons, more);
    sum[kind] = { ...addCounts(counts, others), ...(Object.keys(why).length > 0 ? { reasons: why } : {}) };
  }
  return sum;
}

function addCounts(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) {
  const sum: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
