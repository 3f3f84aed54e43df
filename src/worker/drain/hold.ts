import type { ServerResponse } from 'node:http';
import { currentResponse } from '../../internals/http.ts';
import type { Connection } from '../connections/connection.ts';
import { type Detached, isIdle, takeOff } from '../connections/detached.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import { findAllIdle } from '../connections/idle.ts';
import { Immovable, isImmovable } from '../connections/immovable.ts';
import { ReadingStopped } from '../connections/reading-stopped.ts';
import type { Registry } from '../connections/registry.ts';
import { sayClose } from './closing.ts';
import type { LongLived } from './long-lived.ts';

/** How often connections are looked at that give no event: those that cannot move, uploads that outlive their response. */
const LOOK_MS = 500;

/**
 * Holds this worker's connections: requests in flight are answered, all other connections are kept and not read.
 *
 * An idle connection is taken off its server at once, a busy one at the end of its response. Requests that arrive then wait
 * in the kernel until the connection is served again, here or by another worker.
 */
export class Hold {
  readonly #kept = new Set<Detached>();
  /** Connections that are, or may be, busy: neither kept yet nor closed. */
  readonly #left = new Set<Connection>();
  /** Of them, those whose clients send ahead without a pause, until they are kept. */
  readonly #readingStopped = new ReadingStopped();
  readonly #watched = new WeakSet<ServerResponse>();
  readonly #registry: Registry;
  readonly #longLived: LongLived;
  readonly #onQuiet: () => void;
  #immovable: Immovable;
  #timer: NodeJS.Timeout | null = null;
  #told = false;

  constructor(registry: Registry, longLived: LongLived, onQuiet: () => void) {
    this.#registry = registry;
    this.#longLived = longLived;
    this.#immovable = new Immovable(registry);
    this.#onQuiet = onQuiet;
  }

  get isHolding(): boolean {
    return this.#timer !== null;
  }

  /** How many connections are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Begins to hold. `onQuiet` is called once, as soon as nothing is in flight. */
  begin(): void {
    if (this.#timer) return;
    this.#told = false;
    this.#immovable = new Immovable(this.#registry);
    for (const connection of this.#registry.connections) {
      if (connection.moving) continue;
      this.#left.add(connection);
      this.#watch(connection);
    }
    this.#longLived.endAll();
    for (const { response } of this.#registry.hiddenResponses()) sayClose(response);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
    this.#look();
  }

  /**
   * Ends the hold; requests in flight go on as usual.
   *
   * @returns the kept connections, which are the caller's from now on
   */
  end(): Detached[] {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#readingStopped.clear();
    this.#left.clear();
    const kept = [...this.#kept];
    this.#kept.clear();
    return kept;
  }

  /** A request began: a part of it had arrived before the hold, or its client had sent it ahead. */
  onRequest(connection: Connection | null, response: ServerResponse): void {
    if (!this.#timer) return;
    if (connection?.kind === 'forwarded') return;
    if (connection?.kind !== 'http1') return sayClose(response);
    // A response that waits behind another one is watched when its turn comes.
    if (!currentResponse(connection.socket)) this.#watch(connection, response);
    // Not before the rest of what was read with it is parsed.
    if (connection.pipelines) process.nextTick(() => this.#keepIfIdle(connection));
  }

  /** A connection arrived, or came back. */
  onOpen(connection: Connection): void {
    if (!this.#timer) return;
    this.#left.add(connection);
    // Not at once, because the app's own listeners still have to run. No byte is read before the next tick.
    process.nextTick(() => this.#keepIfIdle(connection));
  }

  onClose(connection: Connection): void {
    this.#drop(connection);
    this.#tellIfQuiet();
  }

  #look(): void {
    const idle = findAllIdle(this.#registry);
    for (const connection of this.#left) {
      if (idle.has(connection.socket)) connection.idleMark = connection.socket.bytesRead;
      this.#keepIfIdle(connection);
    }
    const lost = [...this.#left].filter(
      (one) => isImmovable(one) && one.kind !== 'forwarded' && !this.#longLived.isLeaving(one)
    );
    for (const ended of this.#immovable.sweep(lost)) this.#drop(ended);
    this.#tellIfQuiet();
  }

  #watch(connection: Connection, response = currentResponse(connection.socket)): void {
    if (!response || this.#watched.has(response)) return;
    this.#watched.add(response);
    response.once('close', () => this.#onResponseEnd(connection));
  }

  #onResponseEnd(connection: Connection): void {
    if (!this.#left.has(connection)) return;
    this.#watch(connection); // a pipelined answer may follow
    // Not at once, for the same reason as above.
    process.nextTick(() => this.#keepIfIdle(connection));
  }

  /** Keeps a connection if it is idle. */
  #keepIfIdle(connection: Connection): void {
    const { socket, server } = connection;
    if (!this.#left.has(connection) || socket.destroyed || !speaksHttp1(server)) return;
    if (!isIdle(connection)) return this.#readingStopped.add(connection);
    this.#drop(connection);
    this.#kept.add(takeOff(connection));
    this.#tellIfQuiet();
  }

  #drop(connection: Connection): void {
    this.#left.delete(connection);
    this.#readingStopped.drop(connection);
  }

  #tellIfQuiet(): void {
    if (!this.#timer || this.#told || this.#left.size > 0) return;
    this.#told = true;
    this.#onQuiet();
  }
}
