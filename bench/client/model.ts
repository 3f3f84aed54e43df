import { randomInt } from 'node:crypto';

/** What a client does with its connection; `startLoad` takes a count of each. */
export const CLIENT_KINDS = [
  'idle',
  'thinking',
  'busy',
  'fresh',
  'slow',
  'streaming',
  'uploading',
  'pipelining',
  'slowReader',
  'halfHead'
] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Every way a request can be lost. A failed request has exactly one. */
export const FAILURE_KINDS = [
  'refused',
  'reset',
  'closedWithoutAnswer',
  'cutShort',
  'serverError',
  'badAnswer',
  'timeout',
  'answeredTwice',
  'wrongVersion'
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Why a kept-alive client had to open another connection although nothing was lost. */
export const RECONNECT_CAUSES = ['asked', 'closed', 'reset'] as const;
export type ReconnectCause = (typeof RECONNECT_CAUSES)[number];

export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/** Every number that can be set, with its default. */
export const DEFAULTS = {
  /** A request that has no full answer after this long has failed. */
  requestTimeoutMs: 15_000,
  /** How long `warm()` waits for the first answer of every client. */
  warmTimeoutMs: 15_000,
  /** How long a closing connection may wait for the other side's FIN. */
  lingerMs: 1000,
  /** Rest after a failed request, so that a dead server is not hammered. */
  afterFailureMs: 10,
  idleEveryMs: 1500,
  thinkMaxMs: 100,
  /** 0 sends the next request at once; more spares the processor. */
  busyPauseMs: 0,
  freshPauseMs: 5,
  slowMs: 250,
  streamChunks: 10,
  streamEveryMs: 20,
  uploadBytes: 1_000_000,
  uploadPieces: 32,
  uploadPauseMinMs: 6,
  uploadPauseMaxMs: 12,
  pipelinePauseMs: 10,
  pipelineSplitShare: 0.3,
  downloadBytes: 8_000_000,
  /** The slow reader stops reading for `readPauseMs` after each `readBytes`. */
  readBytes: 256_000,
  readPauseMs: 30,
  halfHeadMinMs: 50,
  halfHeadMaxMs: 300
};
export type Settings = Readonly<typeof DEFAULTS> & { readonly seed: number };

export type LoadOptions = Partial<Settings> & {
  readonly target: Target;
  readonly clients: Partial<Record<ClientKind, number>>;
};

/** Fills in the defaults, and a random seed when none was given. */
export function settingsFrom(options: LoadOptions): Settings {
  const { target: _target, clients, ...given } = options;
  for (const [kind, count] of Object.entries(clients)) {
    if (!isClientKind(kind)) throw new TypeError(`unknown client kind "${kind}": one of ${CLIENT_KINDS.join(', ')}`);
    if (!Number.isInteger(count) || count < 0) throw new TypeError(`${kind}: ${count} is not a count of clients`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (name !== 'seed' && !(name in DEFAULTS)) throw new TypeError(`unknown load option "${name}"`);
    if (!Number.isFinite(value) || value < 0) throw new TypeError(`${name}: ${value} is not a number of 0 or more`);
  }
  return { ...DEFAULTS, seed: randomInt(2 ** 31), ...given };
}

function isClientKind(name: string): name is ClientKind {
  return (CLIENT_KINDS as readonly string[]).includes(name);
}

/** Builds a record with one fresh value for each key. */
export function recordOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}

/** A load with every kind of client in it, light enough to share two cores with what it loads. */
export const EVERY_KIND: Readonly<Record<ClientKind, number>> = {
  idle: 25,
  thinking: 25,
  busy: 3,
  fresh: 3,
  slow: 6,
  streaming: 2,
  uploading: 3,
  pipelining: 2,
  slowReader: 1,
  halfHead: 4
};
