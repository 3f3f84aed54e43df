import type { ByKind, LeftByKind } from './kinds.ts';

/** An address as `server.address()` tells it: an object for TCP, a path for a unix socket. */
export type Address = { readonly address: string; readonly family: string; readonly port: number } | string;

/** What an app asked `listen()` for, as far as it matters to a bind. */
export interface ListenArguments {
  readonly port?: number;
  readonly host?: string;
  readonly path?: string;
  readonly ipv6Only?: boolean;
  readonly readableAll?: boolean;
  readonly writableAll?: boolean;
}

/** One request that keeps a worker busy. */
export interface Holding {
  readonly method: string;
  readonly url: string;
  readonly ageMs: number;
}

/** The id of connections for private requests, which do not count as requests of the service. */
export const PRIVATE_ID = 'private';

/** What the key of a listener begins with whose connections come back to the worker that sends them: it rehearses. */
export const REHEARSAL = 'rehearsal:';

/** What the parser checks of a field (`any` is not looked at), carrying the type of the field in `V`. */
type Field<V> = ('string' | 'number' | 'boolean' | 'array' | 'object' | 'any') & { readonly type?: V };

const text = 'string' as Field<string>;
const number = 'number' as Field<number>;
const flag = 'boolean' as Field<boolean>;

/** The fields of a connection that moves. */
const MOVING = {
  id: text,
  key: text,
  /** Whether it has never been used. */
  fresh: flag,
  /** Whether its client sends requests ahead, without waiting for the answers. */
  pipelines: flag,
  /** {@link Resume} as JSON, for a connection that moves in the middle of an answer; else empty. */
  resume: text
};

/** What a worker did under one route: `latency` as in a sample; `refused` with 4xx. */
export type RouteSample = readonly [
  route: string,
  requests: number,
  failed: number,
  latency: readonly number[],
  refused: number
];

/** What a worker did since it was last asked. */
const SAMPLE = {
  /** Responses that were finished. */
  requests: number,
  /** Of them with a status of 500 or above. */
  failed: number,
  /** Requests whose response was cut short; they are not among `requests`. */
  cut: number,
  uncaught: number,
  /** CPU time since the last sample, and resident memory now. */
  cpuMs: number,
  rssBytes: number,
  /** How long requests took: bucket, count, bucket, count, without the buckets that are empty. */
  latency: 'array' as Field<readonly number[]>,
  /** By how much the event loop was late at each measurement, in the same form. */
  loop: 'array' as Field<readonly number[]>,
  /** The same by method and pattern of the path, those without a response left out. */
  routes: 'array' as Field<readonly RouteSample[]>
};

/** What keeps the event loop of a worker going. */
const WAITING = {
  /** The ports and paths that its main thread listens on by itself, past the supervisor. */
  listens: 'array' as Field<readonly string[]>,
  /** What else it waits for, in words. */
  waits: 'array' as Field<readonly string[]>
};

/** The messages of the supervisor to a worker over the IPC channel, with their fields. */
const TO_WORKER = {
  /** The answers to `listen`. */
  bound: { ask: number, key: text, address: 'any' as Field<Address> },
  /** `ours`: it is an address of the service itself that is in the way. */
  unbound: { ask: number, code: text, message: text, ours: flag },
  accept: { key: text },
  /** Accept no more; with receivers, connections move to them, with `hurry` all at once. */
  pause: { receivers: flag, hurry: flag },
  drain: { receivers: flag },
  /** A connection from this local port is the supervisor's own: it is accepted, and closed unseen. `over`: no more. */
  expect: { port: number, over: flag },
  /**
   * Accept no more, finish what is in flight, and keep every other connection unread until `accept` or `pause`. With
   * `yields`, another version may serve from now on: this one must not, even if the supervisor is gone.
   */
  hold: { yields: flag },
  /** A copy of a listener for a worker that holds, to accept on only if the supervisor is gone. */
  keep: { key: text },
  /** Encrypt TLS session tickets with these keys, in base64. */
  tickets: { keys: text },
  /** Whether the app of every worker that may get its connections lets WebSockets be carried to it. */
  'receivers-carry': { all: flag },
  activate: {},
  deactivate: {},
  /** A connection that moves here. With `last`, no other worker can take it. */
  adopt: { ...MOVING, last: flag },
  /** Another worker has the connection now; so `busy`, 0-1, is its event loop. */
  moved: { id: text, busy: number },
  report: { ask: number },
  sample: { ask: number },
  /** Asks what it was asked for lately. */
  recall: { ask: number },
  /** Asks a worker that is not ready what it waits for. */
  explain: { ask: number }
};

/** The messages of a worker to the supervisor, with their fields. */
const TO_SUPERVISOR = {
  /** A server asks for an address. `preloaded`: it is not the app's, but that of a module that was loaded before it. */
  listen: { ask: number, wanted: 'object' as Field<ListenArguments>, preloaded: flag },
  listening: { key: text, secure: flag, preloaded: flag },
  unlisten: { key: text },
  /** The answer to `expect`. */
  expecting: { port: number },
  /** A connection that was expected has been accepted. */
  expected: { port: number },
  /** The answer to a `listen` has been handled, or is not needed any more; if the server listens, that was sent before. */
  'listen-done': { ask: number, refused: flag },
  signal: {},
  /** Its app lets WebSockets be carried to it. */
  carries: {},
  /** It has rehearsed a handover: from now on it may be told to accept. */
  rehearsed: {},
  paused: {},
  /** What could move at once has moved. `left`: how each connection has left, or is going to. */
  handed: { left: 'object' as Field<LeftByKind> },
  /** How connections have left since the pause. */
  left: { left: 'object' as Field<LeftByKind> },
  inactive: {},
  drained: {},
  /** A worker that holds has nothing in flight any more. */
  quiet: {},
  accepting: { key: text },
  'accept-failed': { key: text, code: text },
  connection: MOVING,
  /** `refused`: why the app did not go on with it, so that its client was told to come back; empty where it did. */
  adopted: { id: text, busy: number, refused: text },
  declined: { id: text },
  reported: {
    ask: number,
    connections: number,
    inFlight: number,
    requests: number,
    holding: 'array' as Field<readonly Holding[]>,
    /** The open connections by kind. */
    kinds: 'object' as Field<ByKind>,
    /** How others have left since the pause. */
    left: 'object' as Field<LeftByKind>
  },
  sampled: { ask: number, ...SAMPLE },
  /** Requests that anybody could make again, such as `GET /path`, the most frequent first. */
  recalled: { ask: number, requests: 'array' as Field<readonly string[]> },
  explained: { ask: number, ...WAITING },
  /** An uncaught exception of the app. */
  uncaught: {
    error: text,
    /** Whether it ends the process, because the app has no handler. */
    fatal: flag
  }
};

/** Every message by its name, with what the parser checks of its fields. */
export const MESSAGES = { ...TO_WORKER, ...TO_SUPERVISOR };

type Values<F> = { readonly [N in keyof F]: F[N] extends Field<infer V> ? V : never };
type MessageOf<T> = { readonly [N in keyof T]: { readonly type: N } & Values<T[N]> }[keyof T];

export type Moving = Values<typeof MOVING>;
export type Sample = Values<typeof SAMPLE>;
export type Waiting = Values<typeof WAITING>;
export type ToWorker = MessageOf<typeof TO_WORKER>;
export type ToSupervisor = MessageOf<typeof TO_SUPERVISOR>;
