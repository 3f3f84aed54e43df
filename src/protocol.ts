/**
 * What supervisor and workers say to each other over the IPC channel.
 *
 * Every message carries `cmd: 'NODE_HANDOVER'`. Node delivers messages whose `cmd` begins with `NODE_` as
 * `internalMessage`, so the app's own `process.on('message')` never sees ours, and ours never see the app's.
 */
const CMD = 'NODE_HANDOVER';

/** Raised whenever the meaning of a message changes. */
export const PROTOCOL_VERSION = 1;

/** Environment variable that carries {@link Orders} to a worker; the worker removes it before the app is loaded. */
export const ORDERS_VARIABLE = 'HANDOVER_WORKER_ORDERS';

/** File descriptor of a worker that leads to the supervisor's own stderr, for the last words of an orphan. */
export const LAST_WORDS_FD = 4;

/** The id of a connection by which a worker is asked privately: what is asked there is nobody's request. */
export const PRIVATE_ID = 'private';

/** An address as `server.address()` tells it: an object for TCP, a path for a unix socket. */
export type Address = { readonly address: string; readonly family: string; readonly port: number } | string;

/** A listener that the supervisor already holds. */
export interface Lent {
  readonly key: string;
  readonly address: Address;
  /** Whether it was named with `--listen`, so that it is given to the app's servers in order, whatever they ask for. */
  readonly named: boolean;
}

/** What a worker knows when it starts. */
export interface Orders {
  readonly version: number;
  readonly worker: string;
  readonly generation: number;
  readonly lent: readonly Lent[];
  readonly backlog: number;
  readonly budgetMs: number;
  readonly drainMs: number;
  readonly orphanMs: number;
  /** Whether it counts what `sample` asks for. */
  readonly measures: boolean;
}

/** What an app asked `listen()` for, as far as it matters to a bind. */
export interface Wanted {
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

/** What a worker did since it was last asked. */
export interface Sample {
  /** Responses that were finished. */
  readonly requests: number;
  /** Of them with a status of 500 or above. */
  readonly failed: number;
  /** Requests whose response was cut short; they are not among `requests`. */
  readonly cut: number;
  readonly uncaught: number;
  /** How long requests took: bucket, count, bucket, count, without the buckets that are empty. */
  readonly latency: readonly number[];
  /** By how much the event loop was late, look by look, in the same form. */
  readonly loop: readonly number[];
}

/** What is said of a connection that moves. */
export interface Moving {
  readonly id: string;
  readonly key: string;
  /** Whether it has never been used. */
  readonly fresh: boolean;
  /** Whether its client sends requests ahead, without waiting for the answers. */
  readonly pipelines: boolean;
}

export type ToWorker =
  | { readonly type: 'bound'; readonly ask: number; readonly key: string; readonly address: Address }
  | { readonly type: 'unbound'; readonly ask: number; readonly code: string; readonly message: string }
  | { readonly type: 'accept'; readonly key: string }
  | { readonly type: 'pause' | 'drain'; readonly heirs: boolean }
  /**
   * Accept no more, finish what is in flight, and keep every other connection unread until `accept` or `pause`. Where it
   * yields, another version may serve from now on: this one must not, not even if the supervisor goes.
   */
  | { readonly type: 'hold'; readonly yields: boolean }
  /** A copy of a listener for a worker that holds: not to accept on, unless the supervisor is gone. */
  | { readonly type: 'keep'; readonly key: string }
  | { readonly type: 'activate' | 'deactivate' }
  /** Where it is the last one, nobody else would take it. */
  | ({ readonly type: 'adopt'; readonly last: boolean } & Moving)
  | { readonly type: 'moved'; readonly id: string }
  | { readonly type: 'report' | 'sample'; readonly ask: number };

export type ToSupervisor =
  | { readonly type: 'listen'; readonly ask: number; readonly wanted: Wanted }
  | { readonly type: 'listening'; readonly key: string; readonly secure: boolean }
  | { readonly type: 'unlisten'; readonly key: string }
  /** What came of a `listen` has been dealt with; if it listens, that was said before. */
  | { readonly type: 'settled'; readonly ask: number }
  | { readonly type: 'signal' | 'paused' | 'handed' | 'inactive' | 'drained' }
  /** Of a worker that holds: nothing is in flight any more. */
  | { readonly type: 'quiet' }
  | { readonly type: 'accepting'; readonly key: string }
  | { readonly type: 'accept-failed'; readonly key: string; readonly code: string }
  | ({ readonly type: 'connection' } & Moving)
  | { readonly type: 'adopted' | 'declined'; readonly id: string }
  | {
      readonly type: 'reported';
      readonly ask: number;
      readonly connections: number;
      readonly inFlight: number;
      readonly requests: number;
      readonly holding: readonly Holding[];
    }
  | ({ readonly type: 'sampled'; readonly ask: number } & Sample);

/** Field by field, what a message must have: the parser and nothing else reads this. */
const SHAPES: Record<ToSupervisor['type'] | ToWorker['type'], Readonly<Record<string, string>>> = {
  bound: { ask: 'number', key: 'string' },
  unbound: { ask: 'number', code: 'string', message: 'string' },
  accept: { key: 'string' },
  pause: { heirs: 'boolean' },
  drain: { heirs: 'boolean' },
  hold: { yields: 'boolean' },
  keep: { key: 'string' },
  activate: {},
  deactivate: {},
  adopt: { id: 'string', key: 'string', fresh: 'boolean', pipelines: 'boolean', last: 'boolean' },
  moved: { id: 'string' },
  report: { ask: 'number' },
  sample: { ask: 'number' },
  sampled: {
    ask: 'number',
    requests: 'number',
    failed: 'number',
    cut: 'number',
    uncaught: 'number',
    latency: 'array',
    loop: 'array'
  },
  reported: { ask: 'number', connections: 'number', inFlight: 'number', requests: 'number', holding: 'array' },
  listen: { ask: 'number', wanted: 'object' },
  unlisten: { key: 'string' },
  settled: { ask: 'number' },
  listening: { key: 'string', secure: 'boolean' },
  signal: {},
  paused: {},
  handed: {},
  quiet: {},
  inactive: {},
  drained: {},
  accepting: { key: 'string' },
  'accept-failed': { key: 'string', code: 'string' },
  connection: { id: 'string', key: 'string', fresh: 'boolean', pipelines: 'boolean' },
  adopted: { id: 'string' },
  declined: { id: 'string' }
};

/** Wraps a message for the wire. */
export function seal<M extends ToWorker | ToSupervisor>(message: M): M & { cmd: string; v: number } {
  return { cmd: CMD, v: PROTOCOL_VERSION, ...message };
}

export type Parsed<M> = { readonly message: M } | { readonly garbage: string } | null;

/** Reads a message off the wire: null where it is not ours at all, `garbage` where it claims to be and is not. */
export function parse<M extends ToWorker | ToSupervisor>(raw: unknown): Parsed<M> {
  if (typeof raw !== 'object' || raw === null || (raw as { cmd?: unknown }).cmd !== CMD) return null;
  const fields = raw as Record<string, unknown>;
  const { v, type } = fields;
  if (v !== PROTOCOL_VERSION) {
    return { garbage: `protocol version ${typeof v === 'number' ? v : `(a ${typeof v})`} is not ${PROTOCOL_VERSION}` };
  }
  const shape =
    typeof type === 'string' && Object.hasOwn(SHAPES, type) ? SHAPES[type as keyof typeof SHAPES] : undefined;
  if (!shape) return { garbage: `no message is called ${JSON.stringify(type)?.slice(0, 60)}` };
  for (const [field, kind] of Object.entries(shape)) {
    if (kindOf(fields[field]) !== kind) return { garbage: `${type}.${field} is not a ${kind}` };
  }
  if (type === 'listen' && !isWanted(fields.wanted as Wanted)) return { garbage: 'listen.wanted is no address' };
  return { message: fields as unknown as M };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Whether it can be bound as it stands: anything else would be bound to an address that nobody asked for. */
function isWanted({ port, host, path, ...flags }: Wanted): boolean {
  if (!Object.values(flags).every((flag) => typeof flag === 'boolean')) return false;
  if (port === undefined) return typeof path === 'string' && path !== '' && host === undefined;
  const inRange = Number.isInteger(port) && port > 0 && port <= 65_535;
  return inRange && path === undefined && (host === undefined || (typeof host === 'string' && host !== ''));
}
