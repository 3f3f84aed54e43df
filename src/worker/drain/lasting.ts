import type net from 'node:net';
import tls from 'node:tls';
import { currentResponse, isEventStream } from '../../internals/http.ts';
import type { Connection } from '../connections/connection.ts';
import { endResponse } from '../connections/event-stream.ts';
import { endGently, findIdle } from '../connections/idle.ts';
import { isImmovable, isUpgradedBehindTls } from '../connections/immovable.ts';
import type { Registry } from '../connections/registry.ts';
import type { LongLived } from './long-lived.ts';

/** How long what was ended may take to leave before its connection is ended too. */
const FLUSH_MS = 200;
/** So many looks, of half a second each, a connection of an unknown protocol may go on before it is ended. */
const RAW_LOOKS = 4;
/** How long connections that were ended are waited for. */
const CLOSE_MS = 1_000;
/** How long an app that hears SIGTERM may take to say goodbye on its connections. */
const GOODBYE_MS = 500;

/**
 * Connections that last although no request holds them: upgraded ones, event streams, HTTP/2 sessions without another
 * stream, and silent ones of an unknown protocol. A service that stops does not wait for them.
 */
export class Lasting {
  readonly #registry: Registry;
  /** Bytes at the last look, of connections that do not show their requests. */
  readonly #leaving: Pick<LongLived, 'isLeaving'>;
  #seen = new Map<Connection, number>();
  #silent = new Set<Connection>();
  #ended = false;
  #looks = 0;

  /** @param leaving tells which of them are ended by the means of their protocol, and are waited for */
  constructor(registry: Registry, leaving: Pick<LongLived, 'isLeaving'>) {
    this.#registry = registry;
    this.#leaving = leaving;
  }

  /** Notes which connections have been silent since the last look. */
  look(): void {
    this.#looks += 1;
    const seen = new Map<Connection, number>();
    const silent = new Set<Connection>();
    for (const connection of this.#registry.connections) {
      const { socket, kind } = connection;
      if (kind === 'http1') continue;
      const bytes = socket.bytesRead + socket.bytesWritten;
      if (this.#seen.get(connection) === bytes) silent.add(connection);
      seen.set(connection, bytes);
    }
    this.#seen = seen;
    this.#silent = silent;
  }

  /** Whether no open connection is waited for. */
  areAll(): boolean {
    if (this.#ended) return true; // not looked at again for each of them that closes
    let answering: ReadonlySet<net.Server> | null = null;
    return [...this.#registry.connections].every((connection) => {
      const { socket, server, kind, moving, pipelines, upgraded } = connection;
      if (moving || kind === 'forwarded' || this.#leaving.isLeaving(connection)) return false;
      if (upgraded === 'other') return true;
      if (kind === 'http1') {
        const response = currentResponse(socket);
        return response ? isEventStream(response) && !pipelines : isImmovable(connection);
      }
      if (isUpgradedBehindTls(connection)) return true;
      answering ??= this.#findAnswering();
      return !answering.has(server) && (this.#silent.has(connection) || this.#isLate(connection));
    });
  }

  /** Ends them: where the app hears SIGTERM once it has, else now. `done` is called when it may hear SIGTERM. */
  end(done: () => void): void {
    this.#ended = true;
    if (this.#registry.connections.size === 0) return done();
    if (process.listenerCount('SIGTERM') > 0) {
      process.once('SIGTERM', () => setTimeout(() => this.#endAll(), GOODBYE_MS));
      return done();
    }
    this.#endAll();
    const since = performance.now();
    const timer = setInterval(() => {
      if (this.#registry.connections.size > 0 && performance.now() - since < CLOSE_MS) return;
      clearInterval(timer);
      done();
    }, 20);
  }

  /** A connection of an unknown protocol that is never silent: the app has had its time. */
  #isLate({ server, isHttp2 }: Connection): boolean {
    return this.#looks > RAW_LOOKS && !isHttp2 && !(server instanceof tls.Server);
  }

  /** The servers that do not show whose requests are in progress, and have some or may have them soon. */
  #findAnswering(): Set<net.Server> {
    const { connections, sessions } = this.#registry;
    const hidden = this.#registry.hiddenResponses().filter(({ response }) => !isEventStream(response));
    const answering = new Set(hidden.map(({ server }) => server));
    const others = [...connections].filter(({ kind }) => kind === 'other');
    // Idle HTTPS connections are ended one by one, each after a moment of silence.
    for (const server of new Set(others.map(({ server }) => server)))
      if (sessions.isBusy(server) || findIdle(server).size > 0) answering.add(server);
    return answering;
  }

  #endAll(): void {
    const { connections, sessions } = this.#registry;
    sessions.endStreams();
    for (const { response } of this.#registry.hiddenResponses()) endResponse(response);
    for (const { socket } of connections) {
      socket.on('error', () => {}); // what the app still writes fails, which must not end the process
      const response = currentResponse(socket);
      if (response) endResponse(response);
      setTimeout(() => socket.destroyed || endGently(socket), FLUSH_MS);
    }
  }
}
