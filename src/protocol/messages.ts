import type { Holding } from './holding.ts';
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
  resume: text,
  /** Who is to get it: the number of a generation, or the id of a worker; empty: whoever accepts. */
  to: text,
  /** What has been read of it and nobody has answered, as latin1: it comes before what waits in the kernel. */
  request: text,
  /** What was drawn for it, 0-1; -1 where nothing was. */
  lot: number,
  /** How often a request has taken it along to another process; not there from a version that does not count. */
  sides: 'any' as Field<number | undefined>,
  /** Where it goes back to unless it is answered with 2xx: the number of a generation; empty: any answer will do. */
  tries: text
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
  /** Of them with a status of 300 to 399, of 400 to 499, and of 500 or above. */
  redirected: number,
  refused: number,
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

/** What a worker says first on each link that it opens. */
const HELLO = {
  /** The secret of the service: whoever does not know it is none of its workers. */
  secret: text,
  worker: text,
  pid: number,
  /** Whether it has no supervisor at the moment. */
  isAlone: flag,
  /** Its last order that says whether it serves: `accept`, `pause`, `hold`, `drain`; empty where there was none. */
  told: text,
  /** Whether it holds while another version may serve already. */
  yields: flag,
  /** Whether its `whileActive` tasks were told to run. */
  isActive: flag,
  /** What it has said and still holds, as messages: `listening`, `accepting`, `paused` and so on. */
  statements: 'array' as Field<readonly unknown[]>,
  /** Connections that it has got from others lately, by their ids: whoever sent them may not have heard of it. */
  adopted: 'array' as Field<readonly string[]>,
  /** What the last supervisor wanted the next one to know. */
  memory: text,
  /** The keys of its TLS session tickets, in base64; empty where it has none. */
  tickets: text
};

/** The messages of the supervisor to a worker over their link, with their fields. */
const TO_WORKER = {
  /** The answer to `hello`, from a supervisor that was there before, or has just come. */
  welcome: { supervisor: text },
  /** It is to obey nobody here. */
  unwelcome: { why: text },
  /** What the next supervisor is to know. */
  remember: { memory: text },
  /** The next supervisor listens there: it is to say `hello` to it, and to obey this one until that says `welcome`. */
  relink: { path: text },
  /** The answers to `listen`. */
  bound: { ask: number, key: text, address: 'any' as Field<Address> },
  /** `ours`: it is an address of the service itself that is in the way. */
  unbound: { ask: number, code: text, message: text, ours: flag },
  accept: { key: text },
  /** Accept no more; with receivers, connections move to them, with `hurry` all at once; `last`: nobody accepts after it. */
  pause: { receivers: flag, hurry: flag, last: flag },
  drain: { receivers: flag },
  /** A connection from this local port is the supervisor's own: it is accepted, and closed unseen. `over`: no more. */
  expect: { port: number, over: flag },
  /**
   * Accept no more, finish what is in flight, and keep every other connection unread until `accept` or `pause`. With
   * `yields`, another version may serve from now on: this one must not, even if the supervisor is gone.
   */
  hold: { yields: flag },
  /** A copy of a listener that outlives the supervisor: to give to the next one. Only a worker that serves accepts on it. */
  keep: { key: text },
  /** Nobody serves that address any more: its copy is to be closed. */
  drop: { key: text },
  /** The other end of its own stdout (1) or stderr (2): kept so that nothing is lost, nor fails, while nobody reads it. */
  output: { fd: number },
  /** Encrypt TLS session tickets with these keys, in base64. */
  tickets: { keys: text },
  /** Whether the app of every worker that may get its connections lets WebSockets be carried to it. */
  'receivers-carry': { all: flag },
  /** By what it chooses who answers a request, as JSON; empty: whatever comes is answered here. */
  route: { routing: text },
  'close-after-answer': { on: flag }, // whether each answer says `Connection: close`, although this worker serves on
  /** The answer to `whose`; empty where nobody knows it. */
  owner: { ask: number, worker: text },
  /** A worker is gone, and with it what it knew of clients. */
  'owner-gone': { worker: text },
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
  hello: HELLO,
  /** After `welcome`: a copy of a listener. */
  kept: { key: text },
  /** After `welcome`: the other end of its stdout (1) or stderr (2). */
  'kept-output': { fd: number },
  /** After `welcome`: that was all. */
  resumed: {},
  /** The app's own `process.send()`. */
  'app-message': { message: 'any' as Field<unknown> },
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
  /** It knows these values of clients: their sessions, say. */
  claim: { values: 'array' as Field<readonly unknown[]> },
  /** Who knows a value? Where nobody does: this worker from now on, if it `claims` it. */
  whose: { ask: number, value: text, claims: flag },
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
    left: 'object' as Field<LeftByKind>,
    /** How many requests were answered there although they belonged to another generation, by reason. */
    unrouted: 'object' as Field<Readonly<Record<string, number>>>
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
export type Hello = Values<typeof HELLO>;
export type Sample = Values<typeof SAMPLE>;
export type Waiting = Values<typeof WAITING>;
export type ToWorker = MessageOf<typeof TO_WORKER>;
export type ToSupervisor = MessageOf<typeof TO_SUPERVISOR>;
