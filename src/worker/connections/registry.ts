import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import { onRequestChannel } from '../../internals/diagnostics.ts';
import { currentResponse } from '../../internals/http.ts';
import { carrierOf } from '../../internals/tls.ts';
import type { Holding } from '../../protocol/messages.ts';
import type { Gate } from '../listen/gate.ts';
import type { Meter } from '../vitals.ts';
import { speaksHttp1 } from './http1.ts';
import { Sessions } from './http2.ts';

/** How many of the requests that hold a worker are named. */
const HOLDING_SHOWN = 10;

/** One open connection of a server that shares a listener. */
export interface Connection {
  readonly registry: Registry;
  readonly socket: net.Socket;
  readonly server: net.Server;
  /** The listener it came by. */
  readonly key: string;
  /** `http1` can move; `other` (TLS, HTTP/2, raw) stays until it ends. */
  readonly kind: 'http1' | 'other';
  /** What an HTTPS server reads it by. */
  secured: net.Socket | null;
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
  /** Whether the supervisor asks privately here; such requests are not measured. */
  private: boolean;
  /** `performance.now()` at the beginning of the last request. */
  requestAt: number;
}

/** The property by which a socket refers to its connection: the cheapest lookup for every request. */
const CONNECTION = Symbol('handover.connection');
type Marked = net.Socket & { [CONNECTION]?: Connection };

/** The property for a response's start time, used only if another one was in progress on its connection. */
const STARTED_AT = Symbol('handover.started-at');
type Pipelined = ServerResponse & { [STARTED_AT]?: number };

interface Started {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: net.Socket;
  readonly server: net.Server;
}

interface HiddenRequest {
  readonly request: IncomingMessage;
  readonly server: net.Server;
  readonly startedAt: number;
}

interface Listeners {
  /** A request has begun; its response has not. */
  onRequest(connection: Connection | null, response: ServerResponse, server: net.Server): void;
  /** A connection was opened, or came from another process. */
  onOpen(connection: Connection): void;
  onClose(connection: Connection): void;
}

/** Knows every connection and counts every request, at the cost of one listener each. */
export class Registry {
  readonly connections = new Set<Connection>();
  readonly sessions = new Sessions();
  requests = 0;
  readonly #gates = new WeakMap<net.Server, Gate>();
  /** Requests of servers whose sockets do not show their requests, such as TLS. */
  readonly #hidden = new Map<ServerResponse, HiddenRequest>();
  readonly #listeners: Listeners;
  readonly #meter: Meter | null;

  constructor(listeners: Listeners, meter: Meter | null) {
    this.#listeners = listeners;
    this.#meter = meter;
    listenOnce();
    registries.push(this);
  }

  /** Counts no request any more. */
  close(): void {
    registries.splice(registries.indexOf(this), 1);
  }

  watch(server: net.Server, gate: Gate): void {
    const known = this.#gates.has(server);
    this.#gates.set(server, gate);
    if (known) return;
    if (!speaksHttp1(server)) this.#watchSecured(server);
    server.on('connection', (socket: net.Socket) => {
      if (!(CONNECTION in socket)) this.add(server, socket, this.#gates.get(server)?.arriving ?? null);
    });
  }

  #watchSecured(server: net.Server): void {
    this.sessions.watch(server);
    server.on('secureConnection', (socket: net.Socket) => {
      const connection = (carrierOf(socket) as Marked)[CONNECTION];
      if (connection) connection.secured = socket;
    });
  }

  add(server: net.Server, socket: net.Socket, key: string | null): Connection {
    const kind = speaksHttp1(server) ? 'http1' : 'other';
    const listener = key ?? this.#gates.get(server)?.key ?? '';
    const marks = {
      movableAt: null,
      idleMark: -1,
      parked: false,
      moving: false,
      private: false,
      requestAt: 0,
      secured: null
    };
    const habits = { pipelines: false, missed: false, stays: false };
    const connection: Connection = { registry: this, socket, server, key: listener, kind, ...marks, ...habits };
    this.connections.add(connection);
    (socket as Marked)[CONNECTION] = connection;
    socket.once('close', () => {
      this.connections.delete(connection);
      if (!connection.private && currentResponse(socket)) this.#meter?.countCut();
      this.#listeners.onClose(connection);
    });
    this.#listeners.onOpen(connection);
    return connection;
  }

  /** What the supervisor asks for. @param held how many connections are kept unread */
  report(held: number): { connections: number; inFlight: number; requests: number; holding: Holding[] } {
    const { count: inFlight, holding } = this.#inFlight();
    return { connections: this.connections.size + held, inFlight, requests: this.requests, holding };
  }

  /** The requests in progress, counted anew for every report: keeping a list would cost something for each request. */
  #inFlight(): { count: number; holding: Holding[] } {
    const found: Omit<HiddenRequest, 'server'>[] = [...this.#hidden.values()];
    for (const { socket, requestAt } of this.connections) {
      const response = currentResponse(socket);
      if (response) found.push({ request: response.req, startedAt: requestAt });
    }
    const now = performance.now();
    const holding = found.slice(0, HOLDING_SHOWN).map(({ request, startedAt }) => ({
      method: request.method ?? '',
      // Never the query: it may hold a secret.
      url: (request.url ?? '').split('?', 1)[0] ?? '',
      ageMs: Math.round(now - startedAt)
    }));
    return { count: found.length, holding };
  }

  /** The responses in progress whose connections are not known, with their servers. */
  hiddenResponses(): { readonly response: ServerResponse; readonly server: net.Server }[] {
    return [...this.#hidden].map(([response, { server }]) => ({ response, server }));
  }

  /** Whether requests of a server whose connections are not known are counted here. */
  has(server: net.Server): boolean {
    return this.#gates.has(server);
  }

  start({ request, response, socket, server }: Started, connection: Connection | null): void {
    this.requests += 1;
    const now = performance.now();
    if (connection) {
      const earlier: Pipelined | null = currentResponse(socket);
      if (earlier) {
        connection.pipelines = true; // the last answer has not left yet
        earlier[STARTED_AT] ??= connection.requestAt;
        (response as Pipelined)[STARTED_AT] = now;
      }
      connection.requestAt = now;
    } else {
      this.#hidden.set(response, { request, server, startedAt: now });
      response.once('close', () => this.#close(response, socket));
    }
    this.#listeners.onRequest(connection, response, server);
  }

  /** Counts a response that has left. Those of TLS and the like are counted when they close. */
  finish({ request, response }: Started, connection: Connection): void {
    if (this.#meter === null || connection.private) return;
    const startedAt = (response as Pipelined)[STARTED_AT] ?? connection.requestAt;
    this.#meter.countAnswer(response.statusCode, performance.now() - startedAt, request);
  }

  #close(response: ServerResponse, socket: net.Socket): void {
    const { startedAt = 0, request = {} } = this.#hidden.get(response) ?? {};
    this.#hidden.delete(response);
    if ((carrierOf(socket) as Marked)[CONNECTION]?.private) return;
    if (response.writableFinished)
      this.#meter?.countAnswer(response.statusCode, performance.now() - startedAt, request);
    else this.#meter?.countCut();
  }
}

/** Those that count requests: more than one while a worker rehearses. */
const registries: Registry[] = [];
let listens = false;

/** One subscription for all: a second one would slow down every request, even when it is gone. */
function listenOnce(): void {
  if (listens) return;
  listens = true;
  onRequestChannel('http.server.request.start', (message) => {
    const started = message as Started;
    const connection = (started.socket as Marked)[CONNECTION] ?? null;
    const registry = connection ? connection.registry : registries.find((one) => one.has(started.server));
    registry?.start(started, connection);
  });
  onRequestChannel('http.server.response.finish', (message) => {
    const started = message as Started;
    const connection = (started.socket as Marked)[CONNECTION];
    connection?.registry.finish(started, connection);
  });
}
