import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { type Ends, endsOf } from '../../internals/ends.ts';
import { currentResponse } from '../../internals/http.ts';
import { carrierOf } from '../../internals/tls.ts';
import type { Registry } from './registry.ts';
import type { Resumption } from './resumption.ts';
import type { WebSocketConnection } from './websocket.ts';

/** The property by which a socket refers to its connection: the cheapest lookup for every request. */
export const CONNECTION = Symbol('handover.connection');
export type Marked = net.Socket & { [CONNECTION]?: Connection };

type Given = Pick<Connection, 'registry' | 'server' | 'socket' | 'key' | 'kind'>;

/** One open connection of a server that shares a listener. A class: one is made for each connection, and read at each request. */
export class Connection {
  readonly registry: Registry;
  readonly socket: net.Socket;
  readonly server: net.Server;
  /** The listener it came by. */
  readonly key: string;
  /** `http1` can move; `other` (TLS, HTTP/2, raw) stays until it ends; of a `forwarded` one another process has the client. */
  readonly kind: 'http1' | 'other' | 'forwarded';
  /** What an HTTPS server reads it by. */
  secured: net.Socket | null = null;
  /** What it was upgraded to, or a tunnel of `CONNECT`; null while it speaks HTTP. */
  upgraded: WebSocketConnection | 'other' | null = null;
  /** Set while the app is to go on with an answer that another process began. */
  resumption: Resumption | null = null;
  /** Whether an HTTP/2 session runs over it. */
  isHttp2 = false;
  /** `performance.now()` at which it could first have moved, or null while it has been busy all the time. */
  movableAt: number | null = null;
  /** `bytesRead` when Node last called it idle: no byte since means still idle. */
  idleMark = -1;
  /** Whether it came from another process and waits for its next request. */
  parked = false;
  /** Whether it is on its way to another process. */
  moving = false;
  /** Whether its client sends requests ahead, without waiting for the answers. */
  pipelines = false;
  /** Whether it was busy when it was its turn to move. */
  missed = false;
  /** Whether no other process can take it: it ends here. */
  stays = false;
  /** What was drawn for it where chance decides who answers, 0-1; -1 where nothing was. */
  lot = -1;
  /** Its addresses, once somebody has asked for them. */
  ends: Ends | null = null;
  /** How often a request has taken it along to another process: even where it is at home. */
  sides = 0;
  /** Whether another process answers its request, and the answer passes through here. */
  isForwarding = false;
  /** Called when a request that another process has forwarded is answered. */
  onAnswered: (() => void) | null = null;
  /** How many of its last requests were forwarded, one after the other. */
  forwards = 0;
  /** Whether its next request is answered here, wherever it belongs. */
  isExempt = false;
  /** Whether the app is not to see its request, which is about to leave with it. */
  isWithheld = false;
  /** Where its next request goes back to unless it is answered with 2xx; empty: any answer will do. */
  tries = '';
  /** Whether the supervisor asks privately here; such requests are not measured. */
  private = false;
  /** `performance.now()` at the beginning of the last request. */
  requestAt = 0;

  constructor({ registry, server, socket, key, kind }: Given) {
    this.registry = registry;
    this.socket = socket;
    this.server = server;
    this.key = key;
    this.kind = kind;
    (socket as Marked)[CONNECTION] = this;
  }
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
