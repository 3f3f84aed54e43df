import tls from 'node:tls';
import { isEventStream } from '../../internals/http.ts';
import type { Kind } from '../../protocol/kinds.ts';
import { type Connection, responseOf } from './connection.ts';
import type { Registry } from './registry.ts';

/** What a connection is used for at the moment, by what was seen on the wire. */
export function kindOf(connection: Connection): Kind {
  const { server, kind, upgraded, isHttp2 } = connection;
  if (upgraded) return upgraded === 'other' || !upgraded.isOpen ? 'other' : 'websocket';
  const response = responseOf(connection);
  if (response && isEventStream(response)) return 'event-stream';
  if (kind === 'http1') return 'http1';
  if (isHttp2) return 'http2';
  return server instanceof tls.Server ? 'tls' : 'other';
}

/** How many connections of each kind there are. */
export function countKinds(registry: Registry): { [K in Kind]?: number } {
  const counts: { [K in Kind]?: number } = {};
  for (const connection of registry.own) {
    if (connection.private) continue;
    const kind = kindOf(connection);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
