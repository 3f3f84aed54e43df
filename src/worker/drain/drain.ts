import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { currentResponse } from '../../internals/http.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import { type Detached, isIdle } from '../connections/detached.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import { isUntouched } from '../connections/idle.ts';
import { ReadingStopped } from '../connections/reading-stopped.ts';
import type { Registry } from '../connections/registry.ts';
import { Closing, sayClose } from './closing.ts';
import { Departures } from './departures.ts';
import { HandoverBudget } from './handover-budget.ts';
import { Lasting } from './lasting.ts';
import { LongLived } from './long-lived.ts';

interface Hands {
  /** Serves a connection here again, because it could not be sent. */
  takeBack(detached: Detached): void;
  /** How many connections are on their way to whoever is to answer their request: they may come back. */
  readonly outgoing: () => number;
  /** The last connection is gone. */
  onEmpty(): void;
}

/**
 * Lets go of this worker's connections after a pause: idle ones move to the receivers, busy ones when their response ends.
 *
 * Nothing is ever reset. What cannot move, or has no receiver, gets `Connection: close` on its next response.
 */
export class Drain {
  #mode: 'serving' | 'handing' | 'ending' = 'serving';
  /** Whether it ends although others serve. */
  #isRetiring = false;
  /** Those whose clients send ahead without a pause, until what has been read is answered. */
  readonly #readingStopped = new ReadingStopped();
  readonly departures: Departures;
  readonly closing: Closing;
  /** What is not waited for at the end of the service. */
  readonly lasting: Lasting;
  /** What outlives its requests. */
  readonly longLived: LongLived;
  readonly #registry: Registry;
  readonly #budget: HandoverBudget;
  readonly #hands: Hands;
  readonly #rampMs: number;

  constructor(registry: Registry, channel: Channel, settings: WorkerSettings, hands: Hands) {
    const { budgetMs, drainMs, rampMs, worker } = settings;
    this.#registry = registry;
    this.closing = new Closing(registry, () => this.#look());
    this.#budget = new HandoverBudget(budgetMs, drainMs);
    // Where the worker is to end, its clients need time to hear of it.
    this.#rampMs = Math.min(rampMs, drainMs / 4);
    this.departures = new Departures(registry, channel, worker, {
      takeBack: hands.takeBack,
      onAllMayGo: () => this.#watchAll(),
      onHanded: () => channel.send({ type: 'handed', left: this.longLived.plan() })
    });
    this.longLived = new LongLived(registry, settings, this.departures);
    this.lasting = new Lasting(registry, this.longLived);
    this.#hands = hands;
  }

  /** Whether nothing is left here that has to be waited for. */
  get isEmpty(): boolean {
    const leaving = this.departures.size + this.#hands.outgoing();
    if (this.#mode === 'ending' || this.#isRetiring) return leaving === 0 && this.lasting.areAll();
    return this.#registry.connections.size + leaving === 0;
  }

  /** Whether connections stay here, and are not told to end. */
  get isServing(): boolean {
    return this.#mode === 'serving' && !this.closing.closesAnswers;
  }

  /** Serves again; the connections that are still here stay. */
  cancel(): void {
    this.#mode = 'serving';
    this.#isRetiring = false;
    this.#budget.reset();
    this.#readingStopped.clear();
    this.departures.end();
    this.longLived.cancel();
    this.closing.end();
    for (const connection of this.#registry.connections) {
      connection.movableAt = null;
      connection.stays = false;
    }
  }

  /**
   * Begins to hand over to the receivers, the held connections first.
   *
   * @param rampMs how long the others may take, as fast as they can be served
   */
  handOver(held: Iterable<Detached>, rampMs: number): void {
    if (this.#mode === 'handing') return;
    this.#mode = 'handing';
    this.#budget.begin();
    for (const connection of this.#registry.connections) if (connection.kind === 'other') this.#watch(connection);
    this.departures.begin(held, rampMs, this.longLived.begin());
  }

  /** From now on each connection moves as soon as it can. */
  #watchAll(): void {
    this.#budget.begin();
    for (const connection of this.#registry.connections) {
      if (this.departures.has(connection)) connection.movableAt = this.#budget.since;
      else if (connection.kind === 'http1' && !connection.moving) this.#watch(connection);
    }
    this.departures.pump();
  }

  /**
   * Lets go of every connection: with receivers they are handed over until the drain timeout, else they end here.
   */
  end(receivers: boolean, held: Iterable<Detached> = []): void {
    if (receivers) {
      if (this.#mode === 'serving') this.handOver(held, this.#rampMs);
      else this.departures.hurry();
      this.#budget.shorten();
      this.#isRetiring = true;
      this.longLived.retire(true);
      this.closing.begin(false);
      return;
    }
    this.#mode = 'ending';
    this.#readingStopped.clear();
    this.departures.end(held);
    this.longLived.retire(false);
    this.closing.begin(true);
  }

  /** The supervisor is gone: until the next one comes, nothing can move, and nothing is ended for that. */
  suspend(): void {
    this.#budget.suspend();
  }

  /** Another supervisor has taken over: it is offered again what is on its way. */
  resume(): void {
    this.#budget.resume();
    this.departures.sendAgain();
  }

  /** Whether each connection moves as soon as it can. */
  get #isWatching(): boolean {
    return this.#mode === 'handing' && this.departures.mayAllGo;
  }

  #look(): void {
    this.lasting.look();
    this.lookWhetherEmpty();
  }

  lookWhetherEmpty(): void {
    if (this.isEmpty) this.#hands.onEmpty();
  }

  /** A request began. If its connection should have moved by now, the response says `Connection: close`. */
  onRequest(connection: Connection | null, response: ServerResponse, server: net.Server): void {
    if (this.#mode !== 'serving' || this.closing.closesAnswers) this.#onLateRequest(connection, response, server);
  }

  /** Apart from the above, which is part of every request: V8 would discard it when it first comes to this. */
  #onLateRequest(connection: Connection | null, response: ServerResponse, server: net.Server): void {
    this.closing.onRequest(connection, response);
    if (this.#mode === 'serving') return;
    const movable = connection?.kind === 'http1' && !connection.stays && speaksHttp1(server);
    const overdue = this.#mode === 'ending' || this.#budget.isOver(connection);
    // Not where a client sends ahead: requests that it has sent already would be lost.
    if ((overdue || connection?.stays) && !connection?.pipelines) sayClose(response);
    if (!connection) return;
    this.departures.touch(connection);
    if (!this.#isWatching || !movable) return;
    // A response that waits behind another one is watched when its turn comes.
    if (!currentResponse(connection.socket)) response.once('close', () => this.#onResponseEnd(connection));
    // Not before the rest of what was read with it is parsed.
    if (connection.pipelines) process.nextTick(() => this.#stopReading(connection));
  }

  onOpen(connection: Connection): void {
    if (!this.#isWatching) return;
    if (isUntouched(connection)) this.#enqueue(connection); // accepted, or sent here, just before the pause
  }

  onClose(connection: Connection): void {
    this.longLived.forget(connection);
    this.departures.forget(connection);
    this.#readingStopped.drop(connection);
    this.lookWhetherEmpty();
  }

  /** An idle connection arrived. If this worker has been paused meanwhile, it moves on. */
  onParked(connection: Connection): void {
    connection.parked = true;
    connection.idleMark = connection.socket.bytesRead;
    if (this.#isWatching) this.#enqueue(connection);
  }

  /** The supervisor confirms that the receiver has it: only now it is forgotten here. */
  onMoved(id: string, busy: number): void {
    if (!this.departures.onMoved(id, busy)) return;
    this.#budget.onMoved();
    this.departures.pump();
    this.lookWhetherEmpty();
  }

  #watch(connection: Connection): void {
    const response = currentResponse(connection.socket);
    if (response) response.once('close', () => this.#onResponseEnd(connection));
    else if (connection.kind === 'other') connection.movableAt = this.#budget.since;
  }

  #onResponseEnd(connection: Connection): void {
    if (!this.#isWatching || connection.socket.destroyed) return;
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
    this.departures.add(connection);
    // Not at once, because the app's own listeners may still have to run. No byte is read before the next tick.
    process.nextTick(() => {
      if (this.#readingStopped.has(connection)) this.#holdStopped(connection);
      this.departures.pumpMissed(connection);
    });
  }

  /** Detaches a connection that is not read, since Node's timeouts would end it; it then waits as held ones do. */
  #holdStopped(connection: Connection): void {
    if (isIdle(connection) && this.departures.has(connection)) this.departures.hold(connection);
    else this.#readingStopped.release(connection);
  }
}
