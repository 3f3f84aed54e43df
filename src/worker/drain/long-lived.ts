import type { ServerResponse } from 'node:http';
import { currentResponse, isEventStream } from '../../internals/http.ts';
import { addLeft, type Kind, type Leave, type LeftByKind } from '../../protocol/kinds.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import { type Connection, responseOf } from '../connections/connection.ts';
import { endEventStream, eventStreamOf } from '../connections/event-stream.ts';
import { kindOf } from '../connections/kind.ts';
import type { Registry } from '../connections/registry.ts';
import { WebSocketConnection } from '../connections/websocket.ts';
import type { Departures } from './departures.ts';
import { InAnswer } from './in-answer.ts';
import { Spread } from './spread.ts';

/** Of the drain timeout, so much at the most is used to end what is ended one by one: the rest is for the answers. */
const SHARE = 0.75;
/** How long that may take where a service stops: a container is killed after 10 s. */
const STOP_MS = 4_000;
/** Why a WebSocket of an app that carries them is closed all the same. */
const NOBODY_CARRIES = 'the new version has no carry';
/** How long an event stream may take to its first event before it is taken for one without. */
const NEW_MS = 2_000;
/** A WebSocket whose client has sent nothing for so long is closed; one that is used, when a message has just been answered. */
const SILENT_MS = 1_000;
/** The same where it has to be soon. */
const SHORTLY_MS = 200;

/**
 * Lets go of connections that outlive their requests: WebSockets, streams of server-sent events, HTTP/2 sessions.
 *
 * Each has one way, by the means of its protocol, so that its client comes back to the next version. Nothing is cut.
 */
export class LongLived {
  readonly #registry: Registry;
  readonly #settings: WorkerSettings;
  readonly #departures: Departures;
  readonly #inAnswer: InAnswer;
  /** Ends one by one what does not stay with its version. */
  readonly #leaving: Spread<Connection>;
  /** Ends one by one what has stayed until its version is retired. */
  readonly #retiring: Spread<Connection>;
  /** Those that were told to leave. */
  #told = new Set<Connection>();
  /** Of them, those that are counted as gone: their clients have still to close. */
  #counted = new WeakSet<Connection>();
  #hasBegun = false;
  #silentMs = SILENT_MS;
  #receiversCarry = false;

  constructor(registry: Registry, settings: WorkerSettings, departures: Departures) {
    this.#registry = registry;
    this.#settings = settings;
    this.#departures = departures;
    const leave = (connection: Connection) => this.#leave(connection);
    this.#leaving = new Spread(() => this.#find(false), leave);
    this.#retiring = new Spread(() => this.#find(true), leave);
    this.#inAnswer = new InAnswer(departures, (connection, why) => this.#close(connection, why));
  }

  /** @param carry whether whoever gets a WebSocket can go on with it */
  onReceivers(carry: boolean): void {
    this.#receiversCarry = carry;
  }

  /** Those that move in the middle of an answer, as soon as they can. */
  begin(): readonly Connection[] {
    this.#start();
    const moving = this.#findMovable();
    this.#inAnswer.begin(moving, () => this.#findMovable());
    this.#begin(this.#leaving, this.#settings.upgradeSpreadMs);
    return moving;
  }

  /** Ends what is still here, within the drain timeout. @param receivers whether another version serves */
  retire(receivers: boolean): void {
    this.#start();
    if (!receivers) this.#inAnswer.end();
    const { upgradeSpreadMs, drainMs } = this.#settings;
    const limitMs = Math.min(upgradeSpreadMs, receivers ? drainMs * SHARE : Math.min(drainMs / 2, STOP_MS));
    this.#begin(this.#leaving, limitMs);
    this.#begin(this.#retiring, limitMs);
  }

  /** Ends everything at once: nothing may stay. */
  endAll(): void {
    this.#start();
    this.#begin(this.#retiring, 0);
  }

  /** What is still here stays. */
  cancel(): void {
    this.#hasBegun = false;
    this.#leaving.end();
    this.#retiring.end();
    this.#inAnswer.end();
    this.#registry.sessions.stay();
    for (const connection of this.#told) {
      if (connection.upgraded instanceof WebSocketConnection) connection.upgraded.cancel();
      const response = responseOf(connection);
      if (response) eventStreamOf(response)?.cancel();
    }
    this.#told = new Set();
  }

  forget(connection: Connection): void {
    this.#told.delete(connection);
    this.#inAnswer.forget(connection);
  }

  /** Whether a connection is going to move, or to end, by itself: it is waited for. */
  isLeaving(connection: Connection): boolean {
    if (this.#told.has(connection) || this.#mayMove(connection)) return true;
    if (this.#retiring.isRunning) return this.#isToEnd(connection, true);
    return this.#leaving.isRunning && this.#isToEnd(connection, false);
  }

  /** How each connection has left, or is going to as far as it is known. */
  plan(): LeftByKind {
    let all = this.#registry.left.counts;
    for (const connection of this.#registry.own) {
      if (connection.private || connection.moving || this.#counted.has(connection)) continue;
      const kind = kindOf(connection);
      const how = this.#planFor(connection, kind);
      if (how) all = addLeft(all, { [kind]: { [how]: 1 } });
    }
    return all;
  }

  #planFor(connection: Connection, kind: Kind) {
    if (kind === 'tls') return 'told';
    if (kind === 'websocket') return this.isLeaving(connection) ? 'closed' : 'kept';
    if (kind === 'event-stream') return this.isLeaving(connection) ? 'ended' : 'kept';
    return kind === 'other' ? 'kept' : null;
  }

  #begin(spread: Spread<Connection>, limitMs: number): void {
    this.#silentMs = Math.min(SILENT_MS, Math.max(SHORTLY_MS, limitMs / 4));
    // Within the limit, also those whose client has to be waited for.
    spread.begin(Math.max(limitMs / 2, limitMs - this.#silentMs));
  }

  /** Sessions end whatever else does. */
  #start(): void {
    if (!this.#hasBegun) {
      this.#registry.left.reset();
      this.#counted = new WeakSet();
    }
    this.#hasBegun = true;
    const count = this.#registry.sessions.end();
    for (let told = 0; told < count; told += 1) this.#registry.left.note('http2', 'goaway');
  }

  /** Those that can move in the middle of an answer: some streams get their first id, and some WebSockets come, only later. */
  #findMovable(): readonly Connection[] {
    return [...this.#registry.connections].filter(
      (connection) => !connection.private && !this.#told.has(connection) && this.#isMovable(connection)
    );
  }

  #isMovable(connection: Connection): boolean {
    const { upgraded, kind, stays, moving } = connection;
    if (kind !== 'http1' || stays || moving) return false;
    if (upgraded instanceof WebSocketConnection)
      return this.#receiversCarry && upgraded.isOpen && upgraded.save !== null;
    const response = this.#findStream(connection);
    return response !== null && eventStreamOf(response)?.isResumable === true;
  }

  /** Whether it moves in the middle of an answer, or may soon: a stream that has just come, perhaps from another worker. */
  #mayMove(connection: Connection): boolean {
    const { kind, stays, requestAt } = connection;
    if (!this.#inAnswer.isRunning || kind !== 'http1' || stays) return false;
    if (this.#inAnswer.has(connection) || this.#isMovable(connection)) return true;
    const response = this.#findStream(connection);
    return response !== null && eventStreamOf(response) === null && performance.now() - requestAt < NEW_MS;
  }

  /** The response that is a stream of events, where those move. */
  #findStream({ upgraded, socket }: Connection): ServerResponse | null {
    if (upgraded || this.#settings.eventStreams !== 'move') return null;
    const response = currentResponse(socket);
    return response && isEventStream(response) ? response : null;
  }

  #find(isRetiring: boolean): readonly Connection[] {
    return [...this.#registry.connections].filter(
      (connection) => !this.#told.has(connection) && this.#isToEnd(connection, isRetiring)
    );
  }

  #isToEnd(connection: Connection, isRetiring: boolean): boolean {
    const { upgraded, moving } = connection;
    if (connection.private || moving || this.#mayMove(connection)) return false;
    const { websockets, eventStreams } = this.#settings;
    if (upgraded instanceof WebSocketConnection)
      return upgraded.isOpen && (isRetiring || websockets === 'close' || upgraded.save !== null);
    if (upgraded) return false;
    const response = responseOf(connection);
    return response !== null && isEventStream(response) && (isRetiring || eventStreams === 'end');
  }

  #leave(connection: Connection): void {
    const { upgraded } = connection;
    if (this.#told.has(connection) || connection.moving) return;
    if (upgraded instanceof WebSocketConnection)
      return this.#close(connection, upgraded.save === null || this.#receiversCarry ? undefined : NOBODY_CARRIES);
    const response = responseOf(connection);
    if (!response) return;
    this.#told.add(connection);
    this.#count(connection, 'event-stream', 'ended');
    response.once('close', () => {
      this.#told.delete(connection);
      // Its client asks again on the same connection: by then that is to be with the next version.
      process.nextTick(() => this.#departures.sendIdle(connection));
    });
    endEventStream(response);
  }

  #close(connection: Connection, why?: string): void {
    this.#told.add(connection);
    if (connection.upgraded instanceof WebSocketConnection)
      connection.upgraded.close(this.#silentMs, () => this.#count(connection, 'websocket', 'closed', why));
  }

  #count(connection: Connection, kind: Kind, how: Leave, why?: string): void {
    this.#counted.add(connection);
    this.#registry.left.note(kind, how, why);
  }
}
