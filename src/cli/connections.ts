import type { Status, WorkerStatus } from '../core/status.ts';

type Left = NonNullable<Status['lastHandover']>['connections'];

/** Each kind of connection, as one and as several of them are called. */
const NAMES: Readonly<Record<string, readonly [one: string, many: string]>> = {
  http1: ['HTTP/1.1 connection', 'HTTP/1.1 connections'],
  tls: ['TLS connection', 'TLS connections'],
  http2: ['HTTP/2 session', 'HTTP/2 sessions'],
  websocket: ['WebSocket', 'WebSockets'],
  'event-stream': ['event stream', 'event streams'],
  other: ['other', 'others']
};

/** How connections leave, in words that follow their number and kind. */
const WAYS: Readonly<Record<string, string>> = {
  moved: 'moved',
  carried: 'carried',
  closed: 'closed with 1012',
  goaway: 'ended by GOAWAY',
  told: 'told to close',
  ended: 'ended',
  kept: 'kept'
};

/** The open connections of workers by kind, such as `40 WebSockets, 1 event stream`; empty where there is only HTTP/1.1. */
export function showKinds(workers: readonly Pick<WorkerStatus, 'kinds'>[]): string {
  const sum: Record<string, number> = {};
  for (const { kinds } of workers)
    for (const [kind, count] of Object.entries(kinds ?? {})) sum[kind] = (sum[kind] ?? 0) + count;
  const all = Object.entries(sum);
  return all.every(([kind]) => kind === 'http1') ? '' : all.map(([kind, count]) => showCount(kind, count)).join(', ');
}

/** How connections left, such as `40 WebSockets closed with 1012`; without those of `except`. */
export function showLeft(connections: Left, except: readonly string[] = []): string {
  const parts: string[] = [];
  for (const [kind, { reasons, ...ways }] of Object.entries(connections)) {
    if (except.includes(kind)) continue;
    for (const [way, count] of Object.entries(ways))
      parts.push(`${showCount(kind, Number(count))} ${WAYS[way] ?? way}`);
    for (const [why, count] of Object.entries((reasons ?? {}) as Record<string, number>))
      parts.push(`${count} as ${why}`);
  }
  return parts.join(', ');
}

function showCount(kind: string, count: number): string {
  const [one, many] = NAMES[kind] ?? [kind, kind];
  return `${count} ${count === 1 ? one : many}`;
}
