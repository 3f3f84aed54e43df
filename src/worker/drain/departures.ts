import type { Resume } from '../../protocol/kinds.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import { type Detached, isIdle, takeOff } from '../connections/detached.ts';
import { findMovable } from '../connections/idle.ts';
import type { Registry } from '../connections/registry.ts';
import { InitiallyIdle } from './initially-idle.ts';
import { Ramp } from './ramp.ts';
import { Transit } from './transit.ts';

/**
 * How many connections may be on their way at once. More would wait unserved in the receiver's queue, while those not yet
 * detached are still served here.
 */
const WINDOW = 4;

/** The same for a connection that missed its turn before: it is hardly ever idle, so the moment is used. */
const WIDE_WINDOW = 16;

interface Hands {
  /** Serves a connection here again, because it could not be sent. */
  takeBack(detached: Detached): void;
  /** What could move at once has moved. */
  onHanded(): void;
  /** The ramp is over: each connection may leave as soon as it can. */
  onAllMayGo(): void;
}

/** A connection without a request for so long: most servers would have ended it. */
const RESTED_MS = 5_000;

/** The connections that leave: those that wait to, and those on their way. */
export class Departures {
  /** Connections that were held before the pause, or had to be made idle. Nobody reads them, so they go first. */
  readonly #held = new Set<Detached>();
  /** Connections that have not been used for a while: whoever gets them has hardly anything to do for them. */
  readonly #rested = new Set<Connection>();
  /** Connections that may be idle: since the pause, or since the end of a response. */
  readonly #queue = new Set<Connection>();
  readonly #initiallyIdle: InitiallyIdle;
  readonly #transit: Transit;
  readonly #ramp = new Ramp(() => this.#onRamp());
  readonly #registry: Registry;
  readonly #hands: Hands;
  #open = false;

  constructor(registry: Registry, channel: Channel, worker: string, hands: Hands) {
    this.#registry = registry;
    this.#initiallyIdle = new InitiallyIdle(() => hands.onHanded());
    this.#transit = new Transit(channel, worker, hands.takeBack);
    this.#hands = hands;
  }

  /** How many are detached and have not arrived. */
  get size(): number {
    return this.#held.size + this.#transit.size;
  }

  /** Whether each connection may leave as soon as it can. Until then nobody watches the others, which would cost each request. */
  get mayAllGo(): boolean {
    return this.#open && this.#ramp.isOver;
  }

  /**
   * @param rampMs how long those that are not held may take, as fast as they can be served
   * @param inAnswer those that may leave in the middle of an answer, which are waited for too
   */
  begin(kept: Iterable<Detached>, rampMs: number, inAnswer: readonly Connection[]): void {
    this.#open = true;
    for (const detached of kept) this.#held.add(detached);
    const now = performance.now();
    for (const connection of findMovable(this.#registry)) {
      const isRested = now - connection.requestAt > RESTED_MS;
      (isRested ? this.#rested : this.#queue).add(connection);
    }
    const held = [...this.#held].map(({ connection }) => connection);
    this.#initiallyIdle.begin([...held, ...this.#rested, ...this.#queue, ...inAnswer]);
    this.#ramp.begin(this.#registry.connections.size - this.#rested.size, rampMs);
    if (this.#ramp.isOver) this.#hands.onAllMayGo();
    else this.pump();
  }

  /** Ends the ramp. */
  hurry(): void {
    if (this.#ramp.isOver) return;
    this.#ramp.end();
    this.#findMore();
    this.#hands.onAllMayGo();
  }

  /** Nobody leaves any more. Those that are held, and those given, are served here again. */
  end(alsoHeld: Iterable<Detached> = []): void {
    this.#open = false;
    this.#ramp.end();
    this.#rested.clear();
    this.#queue.clear();
    const held = [...this.#held, ...alsoHeld];
    this.#held.clear();
    for (const detached of held) this.#hands.takeBack(detached);
    this.#initiallyIdle.finish();
  }

  has(connection: Connection): boolean {
    return this.#queue.has(connection) || this.#rested.has(connection);
  }

  /** It may be idle. */
  add(connection: Connection): void {
    this.#queue.add(connection);
  }

  /** Whether one more can be on its way that leaves in the middle of an answer. */
  get hasRoom(): boolean {
    return this.#open && this.#transit.size < WINDOW;
  }

  /** Sends a connection that has just become idle, whatever the others do. */
  sendIdle(connection: Connection): void {
    if (!this.#open || connection.moving || connection.stays || connection.kind !== 'http1') return;
    this.#queue.add(connection);
    this.#offer(connection, Number.POSITIVE_INFINITY, true);
  }

  /** Sends a connection in the middle of an answer. */
  sendInAnswer(connection: Connection, resume: Resume): void {
    this.#transit.send(takeOff(connection, resume));
  }

  /** It does not leave in the middle of an answer, or not soon. */
  forgetInAnswer(connection: Connection): void {
    this.#initiallyIdle.drop(connection);
  }

  /** It was taken off because it is not read. */
  hold(connection: Connection): void {
    this.#queue.delete(connection);
    this.#held.add(takeOff(connection));
  }

  /** It is gone. */
  forget(connection: Connection): void {
    this.#rested.delete(connection);
    this.#queue.delete(connection);
    if (!connection.moving) this.touch(connection);
  }

  /** A request has come on it: it is idle no more. */
  touch(connection: Connection): void {
    this.#initiallyIdle.drop(connection);
  }

  /** The supervisor confirms that the receiver has it: only now it is forgotten here. @param busy of the receiver, 0-1 */
  onMoved(id: string, busy: number): Connection | null {
    const connection = this.#transit.onMoved(id);
    if (!connection) return null;
    this.#ramp.onMoved(busy);
    this.#initiallyIdle.drop(connection);
    return connection;
  }

  /** Another supervisor has taken over. */
  sendAgain(): void {
    this.#transit.sendAgain();
  }

  /** The supervisor is gone, and no other has come. */
  abandon(): void {
    this.#transit.abandon();
  }

  pump(): void {
    if (!this.#open) return;
    for (const detached of this.#held) {
      if (this.#transit.size >= WINDOW) return;
      this.#held.delete(detached);
      this.#transit.send(detached);
    }
    for (const connection of this.#rested) {
      if (this.#transit.size >= WINDOW) return;
      this.#rested.delete(connection);
      this.#queue.add(connection);
      this.#offer(connection, WINDOW, true);
    }
    for (const connection of this.#queue) {
      if (this.#transit.size >= WINDOW || !this.#ramp.isOpen) return;
      this.#offer(connection, WINDOW);
    }
  }

  /** Moves a connection that has missed its turn before the others. */
  pumpMissed(connection: Connection): void {
    if (this.#open && connection.missed) this.#offer(connection, WIDE_WINDOW);
    this.pump();
  }

  /** Moves a connection if it is idle; otherwise notes that it has missed its turn. */
  #offer(connection: Connection, window: number, rested = false): void {
    if (this.#transit.size >= window || !this.#queue.delete(connection)) return;
    if (connection.stays) return; // nobody else has its address: it came back while it was being counted as a new one
    if (isIdle(connection)) {
      if (!rested) this.#ramp.onSent();
      this.#transit.send(takeOff(connection));
    } else if (this.#ramp.isOver) {
      connection.missed = true;
      this.#initiallyIdle.drop(connection);
    }
  }

  #onRamp(): void {
    if (this.#ramp.isOver || this.#queue.size === 0) this.#findMore();
    if (this.#ramp.isOver) this.#hands.onAllMayGo();
    else this.pump();
  }

  #findMore(): void {
    for (const connection of findMovable(this.#registry)) this.#queue.add(connection);
  }
}
