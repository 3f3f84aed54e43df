import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import tls from 'node:tls';
import { type Connection, responseOf } from '../connections/connection.ts';
import { endGently, findAllIdle } from '../connections/idle.ts';
import type { Registry } from '../connections/registry.ts';

/** How often idle connections are looked at; one that was silent between two looks is ended. */
const SILENCE_MS = 500;

/**
 * Ends the connections that no worker can take over: all where a service stops, and those over TLS where a version is retired.
 *
 * Each response says `Connection: close`; an idle connection is ended by FIN after a moment of silence, so that a request
 * on its way is still answered.
 */
export class Closing {
  readonly #registry: Registry;
  #silent = new Map<net.Socket, number>();
  #timer: NodeJS.Timeout | null = null;
  #all = true;
  /** Whether each answer ends its connection, although this worker serves. */
  closesAnswers = false;

  readonly #onLook: () => void;

  /** @param onLook called after each look, when fewer may be left that are waited for */
  constructor(registry: Registry, onLook: () => void) {
    this.#registry = registry;
    this.#onLook = onLook;
  }

  /** @param all whether also those end that could move */
  begin(all: boolean): void {
    this.#all = all;
    this.#say((connection) => all || connection.secured !== null);
    this.#timer ??= setInterval(() => this.#sweep(), SILENCE_MS);
    this.#timer.unref();
    this.#sweep();
  }

  /** Has each connection end after its next answer. What is idle is left alone: a request may be on its way. */
  closeAfterAnswers(on: boolean): void {
    this.closesAnswers = on;
    if (on) this.#say(() => true);
    if (on) this.#registry.sessions.end();
    else if (!this.#timer) this.#registry.sessions.stay();
  }

  onRequest(connection: Connection | null, response: ServerResponse): void {
    // Not where a client sends ahead: requests that it has sent already would be lost.
    if (this.closesAnswers && !connection?.pipelines && !connection?.private) sayClose(response);
  }

  /** Says `Connection: close` in the answers in progress whose head has not been sent. */
  #say(isMeant: (connection: Connection) => boolean): void {
    for (const connection of this.#registry.connections) {
      const response = isMeant(connection) ? responseOf(connection) : null;
      if (response && !connection.pipelines && !connection.private) sayClose(response);
    }
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    if (this.closesAnswers) this.#registry.sessions.end(); // those that are opened from now on
  }

  #sweep(): void {
    const silent = new Map<net.Socket, number>();
    for (const socket of findAllIdle(this.#registry)) {
      if (!this.#all && !(socket instanceof tls.TLSSocket)) continue;
      if (this.#silent.get(socket) === socket.bytesRead) endGently(socket);
      else silent.set(socket, socket.bytesRead);
    }
    this.#silent = silent;
    this.#onLook();
  }
}

/** Adds `Connection: close` to a response, if its head has not been sent. */
export function sayClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
