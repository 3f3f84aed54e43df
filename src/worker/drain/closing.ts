import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { currentResponse } from '../../internals/http.ts';
import { endGently, findAllIdle } from '../connections/idle.ts';
import type { Registry } from '../connections/registry.ts';

/** How often idle connections are looked at; one that was silent between two looks is ended. */
const SILENCE_MS = 500;

/**
 * Ends the connections of a service that stops, where no worker can take them over.
 *
 * Each response says `Connection: close`; an idle connection is ended by FIN after a moment of silence, so that a request
 * on its way is still answered. HTTP/2 clients are told to begin no other stream.
 */
export class Closing {
  readonly #registry: Registry;
  #silent = new Map<net.Socket, number>();
  #timer: NodeJS.Timeout | null = null;

  readonly #onLook: () => void;

  /** @param onLook called after each look, when fewer may be left that are waited for */
  constructor(registry: Registry, onLook: () => void) {
    this.#registry = registry;
    this.#onLook = onLook;
  }

  begin(): void {
    if (this.#timer) return;
    for (const { socket, pipelines } of this.#registry.connections) {
      const response = currentResponse(socket);
      if (response && !pipelines) sayClose(response);
    }
    this.#registry.sessions.end();
    this.#timer = setInterval(() => this.#sweep(), SILENCE_MS);
    this.#timer.unref();
    this.#sweep();
  }

  #sweep(): void {
    const silent = new Map<net.Socket, number>();
    for (const socket of findAllIdle(this.#registry)) {
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
