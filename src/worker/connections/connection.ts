import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { type Ends, endsOf } from '../../internals/ends.ts';
import { currentResponse } from '../../internals/http.ts';
import { carrierOf } from '../../internals/tls.ts';
import type { Registry } from './registry.ts';
import type { Resumption } from './resumption.ts';
import type { WebSocketConnection } from './websocket.ts';

/** One open connection of a server that shares a listener. */
export interface Connection {
  readonly registry: Registry;
  readonly socket: net.Socket;
  readonly server: net.Server;
  /** The listener it came by. */
  readonly key: string;
  /** `http1` can move; `other` (TLS, HTTP/2, raw) stays until it ends; of a `forwarded` one another process has the client. */
  readonly kind: 'http1' | 'other' | 'forwarded';
  /** What an HTTPS server reads it by. */
  secured: net.Socket | null;
  /** What it was upgraded to, or a tunnel of `CONNECT`; null while it speaks HTTP. */
  upgraded: WebSocketConnection | 'other' | null;
  /** Set while the app is to go on with an answer that another process began. */
  resumption: Resumption | null;
  /** Whether an HTTP/2 session runs over it. */
  isHttp2: boolean;
  /** `performance.now()` at which it could first have moved, or null while it has been busy all the time. */
  movableAt: number | null;
  /** `bytesRead` when Node last called it idle: no byte since means still idle. */
  idleMark: number;
  /** Whether it came from another process and waits for its next request. */
  parked: boolean;
  /** Whether it is on its way to another process. */
  moving: boolean;
  /** Whether its client sends requests ahead, without waiting for the answers. */
  pipelines: boolean;
  /** Whether it was busy when it was its turn to move. */
  missed: boolean;
  /** Whether no other process can take it: it ends here. */
  stays: boolean;
  /** What was drawn for it where chance decides who answers, 0-1; -1 where nothing was. */
  lot: number;
  /** Its addresses, once somebody has asked for them. */
  ends: Ends | null;
  /** How often a request has taken it along to another process: even where it is at home. */
  sides: number;
  /** Whether another process answers its request, and the answer passes through here. */
  isForwarding: boolean;
  /** Called when a request that another process has forwarded is answered. */
  onAnswered: (() => void) | null;
  /** How many of its last requests were forwarded, one after the other. */
  forwards: number;
  /** Whether its next request is answered here, wherever it belongs. */
  isExempt: boolean;
  /** Whether the app is not to see its request, which is about to leave with it. */
  isWithheld: boolean;
  /** Where its next request goes back to unless it is answered with 2xx; empty: any answer will do. */
  tries: string;
  /** Whether the supervisor asks privately here; such requests are not measured. */
  private: boolean;
  /** `performance.now()` at the beginning of the last request. */
  requestAt: number;
}

/** The property by which a socket refers to its connection: the cheapest lookup for every request. */
export const CONNECTION = Symbol('handover.connection');
export type Marked = net.Socket & { [CONNECTION]?: Connection };

/** A connection that has just come, and is known by its socket from now on. */
export function describeConnection(
  one: Pick<Connection, 'registry' | 'server' | 'socket' | 'key' | 'kind'>
): Connection {
  const marks = {
    movableAt: null,
    idleMark: -1,
    parked: false,
    moving: false,
    private: false,
    requestAt: 0,
    secured: null,
    upgraded: null,
    resumption: null,
    isHttp2: false
  };
  const habits = {
    pipelines: false,
    missed: false,
    stays: false,
    lot: -1,
    isExempt: false,
    isWithheld: false,
    tries: ''
  };
  const forwarding = { ends: null, sides: 0, isForwarding: false, forwards: 0, onAnswered: null };
  const connection: Connection = { ...one, ...marks, ...habits, ...forwarding };
  (one.socket as Marked)[CONNECTION] = connection;
  return connection;
}

/** The connection of a socket, or of what stands for it or is carried by it. */
export function connectionOf(socket: net.Socket): Connection | undefined {
  return (carrierOf(socket) as Marked)[CONNECTION];
}

/** The response that is being written on a connection, over TLS or not; null where there is none. */
export function responseOf({ secured, socket }: Connection): ServerResponse | null {
  return currentResponse(secured ?? socket);
}

/** Where the client of a connection is, and where it came to. */
export function addressesOf(connection: Connection): Ends {
  connection.ends ??= endsOf(connection.socket);
  return connection.ends;
}
