import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { currentResponse } from '../../internals/http.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { type Detached, isIdle, takeOff } from '../connections/detached.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import { findAllIdle, isUntouched } from '../connections/idle.ts';
import { ReadingStopped } from '../connections/reading-stopped.ts';
import type { Connection, Registry } from '../connections/registry.ts';
import { Closing, sayClose } from './closing.ts';
import { HandoverBudget } from './handover-budget.ts';
import { InitiallyIdle } from './initially-idle.ts';
import { Lasting } from './lasting.ts';
import { Transit } from './transit.ts';

/**
 * How many connections may be on their way at once. More would wait unserved in the receiver's queue, while those not yet
 * detached are still served here.
 */
const WINDOW = 4;

/** The same for a connection that missed its turn before: it is hardly ever idle, so the moment is used. */
const WIDE_WINDOW = 16;

type Mode = 'serving' | 'handing' | 'ending';

interface Hands {
  /** Serves a connection here again, because it could not be sent. */
  takeBack(detached: Detached): void;
  /** The last connection is gone. */
  onEmpty(): void;
}

/**
 * Lets go of this worker's connections after a pause: idle ones move to the receivers, busy ones when their response ends.
 *
 * Nothing is ever reset. What cannot move, or has no receiver, gets `Connection: close` on its next response.
 */
export class Drain {
  #mode: Mode = 'serving';
  /** Connections that were held before the pause, or had to be made idle. Nobody reads them, so they go first. */
  readonly #held = new Set<Detached>();
  /** Connections that may be idle: since the pause, or since the end of a response. */
  readonly #queue = new Set<Connection>();
  /** Those whose clients send ahead without a pause, until what has been read is answered. */
  readonly #readingStopped = new ReadingStopped();
  readonly #initiallyIdle: InitiallyIdle;
  readonly #transit: Transit;
  readonly #closing: Closing;
  /** What is not waited for at the end of the service. */
  readonly lasting: Lasting;
  readonly #registry: Registry;
  readonly #budget: HandoverBudget;
  readonly #takeBack: (detached: Detached) => void;
  readonly #onEmpty: () => void;

  constructor(registry: Registry, channel: Channel, { budgetMs, drainMs, worker }: WorkerSettings, hands: Hands) {
    this.#registry = registry;
    this.lasting = new Lasting(registry);
    this.#closing = new Closing(registry, () => this.#look());
    this.#initiallyIdle = new InitiallyIdle(() => channel.send({ type: 'handed' }));
    this.#budget = new HandoverBudget(budgetMs, drainMs);
    this.#takeBack = hands.takeBack;
    this.#transit = new Transit(channel, worker, hands.takeBack);
    this.#onEmpty = hands.onEmpty;
  }

  /** Whether nothing is left here that has to be waited for. */
  get isEmpty(): boolean {
    if (this.#mode === 'ending') return this.#held.size + this.#transit.size === 0 && this.lasting.areAll();
    return this.#registry.connections.size + this.#held.size + this.#transit.size === 0;
  }

  /** Serves again; the connections that are still here stay. */
  cancel(): void {
    this.#mode = 'serving';
    this.#budget.reset();
    this.#queue.clear();
    this.#readingStopped.clear();
    this.#giveUpHeld();
    this.#initiallyIdle.finish();
    for (const connection of this.#registry.connections) {
      connection.movableAt = null;
      connection.stays = false;
    }
  }

  /** Begins to hand over to the receivers, the held connections first. */
  handOver(held: Iterable<Detached> = []): void {
    if (this.#mode === 'handing') return;
    this.#mode = 'handing';
    this.#budget.begin();
    for (const detached of held) this.#held.add(detached);
    const idle = findAllIdle(this.#registry);
    for (const connection of this.#registry.connections) {
      if (connection.moving) continue;
      if (connection.kind === 'http1' && idle.has(connection.socket)) {
        connection.movableAt = this.#budget.since;
        connection.idleMark = connection.socket.bytesRead;
        this.#queue.add(connection);
      } else this.#watch(connection);
    }
    this.#initiallyIdle.begin([...[...this.#held].map(({ connection }) => connection), ...this.#queue]);
    this.#pump();
  }

  /**
   * Lets go of every connection: with receivers they are handed over until the drain timeout, else they end here.
   */
  end(receivers: boolean, held: Iterable<Detached> = []): void {
    if (receivers) {
      if (this.#mode === 'serving') this.handOver(held);
      this.#budget.shorten();
      return;
    }
    this.#mode = 'ending';
    this.#readingStopped.clear();
    for (const detached of held) this.#held.add(detached);
    this.#giveUpHeld();
    this.#closing.begin();
  }

  #look(): void {
    this.lasting.look();
    if (this.isEmpty) this.#onEmpty();
  }

  /** A request began. If its connection should have moved by now, the response says `Connection: close`. */
  onRequest(connection: Connection | null, response: ServerResponse, server: net.Server): void {
    if (this.#mode === 'serving') return;
    const movable = connection?.kind === 'http1' && !connection.stays && speaksHttp1(server);
    const overdue = this.#mode === 'ending' || this.#budget.isOver(connection);
    // Not where a client sends ahead: requests that it has sent already would be lost.
    if ((overdue || connection?.stays) && !connection?.pipelines) sayClose(response);
    if (!connection) return;
    this.#initiallyIdle.drop(connection);
    if (this.#mode !== 'handing' || !movable) return;
    // A response that waits behind another one is watched when its turn comes.
    if (!currentResponse(connection.socket)) response.once('close', () => this.#onResponseEnd(connection));
    // Not before the rest of what was read with it is parsed.
    if (connection.pipelines) process.nextTick(() => this.#stopReading(connection));
  }

  onOpen(connection: Connection): void {
    if (this.#mode !== 'handing') return;
    if (isUntouched(connection)) this.#enqueue(connection); // accepted, or sent here, just before the pause
  }

  onClose(connection: Connection): void {
    this.#queue.delete(connection);
    this.#readingStopped.drop(connection);
    if (!connection.moving) this.#initiallyIdle.drop(connection);
    if (this.isEmpty) this.#onEmpty();
  }

  /** An idle connection arrived. If this worker has been paused meanwhile, it moves on. */
  onParked(connection: Connection): void {
    connection.parked = true;
    connection.idleMark = connection.socket.bytesRead;
    if (this.#mode === 'handing') this.#enqueue(connection);
  }

  /** The supervisor confirms that the receiver has it: only now it is forgotten here. */
  onMoved(id: string): void {
    const connection = this.#transit.onMoved(id);
    if (!connection) return;
    this.#budget.onMoved();
    this.#initiallyIdle.drop(connection);
    this.#pump();
    if (this.isEmpty) this.#onEmpty();
  }

  /** The supervisor is gone. */
  abandonTransit(): void {
    this.#transit.abandon();
  }

  #watch(connection: Connection): void {
    const response = currentResponse(connection.socket);
    if (response) response.once('close', () => this.#onResponseEnd(connection));
    else if (connection.kind === 'other') connection.movableAt = this.#budget.since;
  }

  #onResponseEnd(connection: Connection): void {
    if (this.#mode !== 'handing' || connection.socket.destroyed) return;
    if (currentResponse(connection.socket)) {
      this.#watch(connection); // a pipelined answer follows
      process.nextTick(() => this.#stopReading(connection));
    } else this.#enqueue(connection);
  }

  /**
   * A client that sends ahead without a pause is never idle, and must not be told to close. Once overdue, its connection is
   * not read any more: what was read is answered here, the rest waits in the kernel and is answered after the move.
   */
  #stopReading(connection: Connection): void {
    // Only while a response is in progress: without one, it is tried as an idle one.
    if (this.#mode !== 'handing' || connection.stays || !currentResponse(connection.socket)) return;
    if (this.#budget.isOver(connection)) this.#readingStopped.add(connection);
  }

  #enqueue(connection: Connection): void {
    if (connection.kind !== 'http1' || connection.stays) return;
    connection.movableAt ??= performance.now();
    this.#queue.add(connection);
    // Not at once, because the app's own listeners may still have to run. No byte is read before the next tick.
    process.nextTick(() => {
      if (this.#readingStopped.has(connection)) this.#holdStopped(connection);
      if (connection.missed) this.#offer(connection, WIDE_WINDOW);
      this.#pump();
    });
  }

  /** Detaches a connection that is not read, since Node's timeouts would end it; it then waits as held ones do. */
  #holdStopped(connection: Connection): void {
    if (isIdle(connection) && this.#queue.delete(connection)) this.#held.add(takeOff(connection));
    else this.#readingStopped.release(connection);
  }

  #pump(): void {
    if (this.#mode !== 'handing') return;
    for (const detached of this.#held) {
      if (this.#transit.size >= WINDOW) return;
      this.#held.delete(detached);
      this.#transit.send(detached);
    }
    for (const connection of this.#queue) {
      if (this.#transit.size >= WINDOW) return;
      this.#offer(connection, WINDOW);
    }
  }

  /** Moves a connection if it is idle; otherwise notes that it has missed its turn. */
  #offer(connection: Connection, window: number): void {
    if (this.#mode !== 'handing' || this.#transit.size >= window || !this.#queue.delete(connection)) return;
    if (connection.stays) return; // nobody else has its address: it came back while it was being counted as a new one
    if (isIdle(connection)) return this.#transit.send(takeOff(connection));
    connection.missed = true;
    this.#initiallyIdle.drop(connection);
  }

  /** Serves held connections here again that have not left. */
  #giveUpHeld(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const detached of held) this.#takeBack(detached);
  }
}
