import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import { onRequestChannel } from '../../internals/diagnostics.ts';
import { currentResponse } from '../../internals/http.ts';
import type { Holding } from '../../protocol/holding.ts';
import type { ToSupervisor } from '../../protocol/messages.ts';
import type { Gate } from '../listen/gate.ts';
import type { Meter } from '../vitals.ts';
import { CONNECTION, Connection, connectionOf, type Marked } from './connection.ts';
import { speaksHttp1 } from './http1.ts';
import { Sessions } from './http2.ts';
import { countKinds } from './kind.ts';
import { Left } from './left.ts';
import { hearUpgrades } from './upgrades.ts';
import { WebSocketConnection } from './websocket.ts';

/** How many of the requests that hold a worker are named. */
const HOLDING_SHOWN = 10;

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
  /** How connections have left since the last pause. */
  left = new Left();
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
    hearUpgrades(server, (request, socket, head) => this.#upgrade(request, socket, head));
    server.prependListener('connection', (socket: net.Socket) => {
      if (!(CONNECTION in socket)) this.add(server, socket, null);
    });
  }

  #watchSecured(server: net.Server): void {
    this.sessions.watch(server, connectionOf);
    server.on('secureConnection', (socket: net.Socket) => {
      const connection = connectionOf(socket);
      if (connection) connection.secured = socket;
    });
  }

  #upgrade({ method, headers }: IncomingMessage, socket: net.Socket, head: Buffer): void {
    const connection = connectionOf(socket);
    if (!connection) return;
    const isWebSocket = method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
    connection.upgraded = isWebSocket ? new WebSocketConnection(socket, head) : 'other';
  }

  add(server: net.Server, socket: net.Socket, key: string | null): Connection {
    const connection = this.#describe(server, socket, key, speaksHttp1(server) ? 'http1' : 'other');
    this.connections.add(connection);
    socket.once('close', () => {
      this.connections.delete(connection);
      this.#countCut(connection);
      this.#listeners.onClose(connection);
    });
    this.#listeners.onOpen(connection);
    return connection;
  }

  /** One whose client another process has: it is among the connections while a request of it is answered here. */
  addForwarded(server: net.Server, socket: net.Socket, key: string, onAnswered: () => void): Connection {
    const connection = this.#describe(server, socket, key, 'forwarded');
    // Whoever has the client says when its connection ends.
    connection.pipelines = true;
    connection.onAnswered = onAnswered;
    return connection;
  }

  /** @returns whether a request of it was being answered */
  endForwarded(connection: Connection, isCut: boolean): boolean {
    if (!this.connections.delete(connection)) return false;
    if (isCut) this.#countCut(connection);
    this.#listeners.onClose(connection);
    return true;
  }

  #describe(server: net.Server, socket: net.Socket, key: string | null, kind: Connection['kind']): Connection {
    const gate = this.#gates.get(server);
    return new Connection({ registry: this, server, socket, key: key ?? gate?.arriving ?? gate?.key ?? '', kind });
  }

  #countCut({ private: isPrivate, moving, isForwarding, socket }: Connection): void {
    if (!isPrivate && !moving && !isForwarding && currentResponse(socket)) this.#meter?.countCut();
  }

  /** Those whose clients are here. */
  get own(): readonly Connection[] {
    return [...this.connections].filter(({ kind }) => kind !== 'forwarded');
  }

  /** What the supervisor asks for. @param held how many connections are kept unread */
  report(held: number): Omit<Extract<ToSupervisor, { type: 'reported' }>, 'type' | 'ask' | 'unrouted'> {
    const { count: inFlight, holding } = this.#inFlight();
    const connections = this.own.length + held;
    return { connections, inFlight, requests: this.requests, holding, kinds: countKinds(this), left: this.left.counts };
  }

  /** The requests in progress, counted anew for every report: keeping a list would cost something for each request. */
  #inFlight(): { count: number; holding: Holding[] } {
    const found: Omit<HiddenRequest, 'server'>[] = [...this.#hidden.values()];
    for (const { socket, requestAt, isForwarding } of this.connections) {
      const response = isForwarding ? null : currentResponse(socket);
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
    if (connection.isForwarding) return;
    connection.onAnswered?.();
    if (this.#meter === null || connection.private) return;
    const startedAt = (response as Pipelined)[STARTED_AT] ?? connection.requestAt;
    this.#meter.countAnswer(response.statusCode, performance.now() - startedAt, request);
  }

  #close(response: ServerResponse, socket: net.Socket): void {
    const { startedAt = 0, request = {} } = this.#hidden.get(response) ?? {};
    this.#hidden.delete(response);
    if (connectionOf(socket)?.private) return;
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
