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
import { Transit } from './transit.ts';

/**
 * How many connections may be on their way at once. More would wait in the receiver's queue, where nobody serves them;
 * those not yet detached are still served here.
 */
const WINDOW = 4;

/** How many may be where a connection has missed its turn before: it is hardly ever idle, and is now. */
const WIDE_WINDOW = 16;

type Mode = 'serving' | 'handing' | 'ending';

interface Hands {
  /** Serves a connection here again that could not be sent. */
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
  /** Connections that were held before the pause, or that had to be made idle. They are read by nobody, so they go first. */
  readonly #held = new Set<Detached>();
  /** Connections worth a look: idle at the pause, or at the end of a response since. */
  readonly #queue = new Set<Connection>();
  /** Those whose clients send ahead without a pause, while what they have sent is answered. */
  readonly #readingStopped = new ReadingStopped();
  readonly #initiallyIdle: InitiallyIdle;
  readonly #transit: Transit;
  readonly #closing: Closing;
  readonly #registry: Registry;
  readonly #budget: HandoverBudget;
  readonly #takeBack: (detached: Detached) => void;
  readonly #onEmpty: () => void;

  constructor(registry: Registry, channel: Channel, { budgetMs, drainMs, worker }: WorkerSettings, hands: Hands) {
    this.#registry = registry;
    this.#closing = new Closing(registry);
    this.#initiallyIdle = new InitiallyIdle(() => channel.send({ type: 'handed' }));
    this.#budget = new HandoverBudget(budgetMs, drainMs);
    this.#takeBack = hands.takeBack;
    this.#transit = new Transit(channel, worker, hands.takeBack);
    this.#onEmpty = hands.onEmpty;
  }

  get isEmpty(): boolean {
    return this.#registry.connections.size + this.#held.size + this.#transit.size === 0;
  }

  /** Serves again: what is still here stays here. */
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

  /** Begins to hand over to the receivers, beginning with what was held. */
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
   * Ends what is left, and what was held: it is handed over in the time there is for that, one connection after the
   * other, or ends here where there is no receiver to give it to.
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

  /** A request began on a connection that should have moved by now: this answer is its last here. */
  onRequest(connection: Connection | null, response: ServerResponse, server: net.Server): void {
    if (this.#mode === 'serving') return;
    const movable = connection?.kind === 'http1' && !connection.stays && speaksHttp1(server);
    const overdue = this.#mode === 'ending' || this.#budget.isOver(connection);
    // Never where a client sends ahead: what it has sent already would be lost behind the answer that says so.
    if ((overdue || connection?.stays) && !connection?.pipelines) sayClose(response);
    if (!connection) return;
    this.#initiallyIdle.drop(connection);
    if (this.#mode !== 'handing' || !movable) return;
    // One that was sent ahead is watched when it is its turn to be answered.
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

  /** A connection that came here to be idle is worth moving on, if this worker has been paused meanwhile. */
  onParked(connection: Connection): void {
    connection.parked = true;
    connection.idleMark = connection.socket.bytesRead;
    if (this.#mode === 'handing') this.#enqueue(connection);
  }

  /** The supervisor says the receiver has it: only now it is forgotten here. */
  onMoved(id: string): void {
    const connection = this.#transit.onMoved(id);
    if (!connection) return;
    this.#budget.onMoved();
    this.#initiallyIdle.drop(connection);
    this.#pump();
    if (this.isEmpty) this.#onEmpty();
  }

  /** The supervisor is gone, and with it the way to the receivers. */
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
   * A client that sends ahead without a pause is never idle, and cannot be told to close: once it is overdue, what it has
   * sent is answered here, and what it sends from then on waits in the kernel for whoever serves it next.
   */
  #stopReading(connection: Connection): void {
    // Only while an answer is in progress: at its end it is looked at again.
    if (this.#mode !== 'handing' || connection.stays || !currentResponse(connection.socket)) return;
    if (this.#budget.isOver(connection)) this.#readingStopped.add(connection);
  }

  #enqueue(connection: Connection): void {
    if (connection.kind !== 'http1' || connection.stays) return;
    connection.movableAt ??= performance.now();
    this.#queue.add(connection);
    // Not at once: the app may be in the middle of being told about it. No byte is read before the next tick.
    process.nextTick(() => {
      if (this.#readingStopped.has(connection)) this.#holdStopped(connection);
      if (connection.missed) this.#offer(connection, WIDE_WINDOW);
      this.#pump();
    });
  }

  /** One that is not read waits for its turn as those do that were held: it would time out here. */
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

  /** Moves a connection if it is its turn and it is idle. One that is not has missed its turn. */
  #offer(connection: Connection, window: number): void {
    if (this.#mode !== 'handing' || this.#transit.size >= window || !this.#queue.delete(connection)) return;
    if (isIdle(connection)) return this.#transit.send(takeOff(connection));
    connection.missed = true;
    this.#initiallyIdle.drop(connection);
  }

  /** What was held and has not left is served here again. */
  #giveUpHeld(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const detached of held) this.#takeBack(detached);
  }
}
