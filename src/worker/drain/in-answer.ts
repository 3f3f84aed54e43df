import { currentResponse } from '../../internals/http.ts';
import type { Connection } from '../connections/connection.ts';
import { eventStreamOf } from '../connections/event-stream.ts';
import { WebSocketConnection } from '../connections/websocket.ts';
import type { Departures } from './departures.ts';

/** How often it is looked who can leave. */
const LOOK_MS = 10;
/** Others that may have become movable are looked for less often: it means to look at every connection. */
const SEARCH_MS = 1_000;
/** How long it is tried to find a WebSocket between two messages before it is closed instead. */
const TRY_MS = 2_000;
/** For how much of that the app is given time to answer the last message. */
const PATIENT_MS = 1_000;

/** Moves connections in the middle of an answer: streams between two events, and WebSockets between two messages. */
export class InAnswer {
  /** Those that may leave, and since when it is tried. */
  readonly #left = new Map<Connection, number>();
  readonly #departures: Departures;
  readonly #onGivenUp: (connection: Connection, why: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #searchedAt = 0;

  /** @param onGivenUp called with a WebSocket that cannot be carried, and why */
  constructor(departures: Departures, onGivenUp: (connection: Connection, why: string) => void) {
    this.#departures = departures;
    this.#onGivenUp = onGivenUp;
  }

  /** @param search finds further ones */
  begin(connections: readonly Connection[], search: () => readonly Connection[]): void {
    this.#add(connections);
    this.#timer ??= setInterval(() => this.#look(search), LOOK_MS);
    this.#timer.unref();
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    for (const { upgraded } of this.#left.keys()) if (upgraded instanceof WebSocketConnection) upgraded.readAgain();
    this.#left.clear();
  }

  /** Whether connections can move at all at the moment. */
  get isRunning(): boolean {
    return this.#timer !== null;
  }

  has(connection: Connection): boolean {
    return this.#left.has(connection);
  }

  forget(connection: Connection): void {
    this.#left.delete(connection);
  }

  #add(connections: readonly Connection[]): void {
    const now = performance.now();
    for (const connection of connections) if (!this.#left.has(connection)) this.#left.set(connection, now);
    this.#searchedAt = now;
  }

  #look(search: () => readonly Connection[]): void {
    if (performance.now() - this.#searchedAt > SEARCH_MS) this.#add(search());
    for (const [connection, since] of this.#left) {
      if (!this.#departures.hasRoom) return;
      const { upgraded } = connection;
      if (upgraded instanceof WebSocketConnection) this.#tryWebSocket(connection, upgraded, since);
      else this.#tryStream(connection, since);
    }
  }

  #tryStream(connection: Connection, since: number): void {
    const response = currentResponse(connection.socket);
    const stream = response && eventStreamOf(response);
    if (!stream?.isResumable) return this.#drop(connection);
    const resume = stream.resume();
    if (!resume) {
      if (performance.now() - since > TRY_MS) this.#departures.forgetInAnswer(connection); // tried on, not waited for
      return;
    }
    this.#left.delete(connection);
    this.#departures.sendInAnswer(connection, resume);
  }

  #tryWebSocket(connection: Connection, socket: WebSocketConnection, since: number): void {
    if (socket.isClosing) return this.#drop(connection);
    const found = socket.resume(performance.now() - since < PATIENT_MS);
    if (found === null) {
      if (performance.now() - since < TRY_MS) return;
      socket.readAgain();
      return this.#giveUp(connection, 'it was never between two messages');
    }
    if (typeof found === 'string') {
      socket.readAgain();
      return this.#giveUp(connection, found);
    }
    this.#left.delete(connection);
    this.#departures.sendInAnswer(connection, found);
  }

  #giveUp(connection: Connection, why: string): void {
    this.#drop(connection);
    this.#onGivenUp(connection, why);
  }

  #drop(connection: Connection): void {
    this.#left.delete(connection);
    this.#departures.forgetInAnswer(connection);
  }
}
