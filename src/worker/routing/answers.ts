import type { IncomingMessage, ServerResponse } from 'node:http';
import { currentResponse } from '../../internals/http.ts';
import type { Channel } from '../channel.ts';
import type { Connection } from '../connections/connection.ts';
import type { Destinations } from './destinations.ts';
import { mayGiveUp } from './give-up.ts';

/** An answer of this version that may give way to that of another one. */
interface Passing {
  readonly to: string;
  /** Where the request goes back to unless it is answered with 2xx there; where that is its destination, any answer will do. */
  readonly tries: string;
  readonly isWanted: (status: number) => boolean;
}

interface Hands {
  /** Whether something of it waits to leave. */
  isWithheld(connection: Connection): boolean;
  /** Its request is to be answered elsewhere after all. */
  passOn(connection: Connection, request: IncomingMessage, response: ServerResponse, passing: Passing): void;
}

const isFound = (status: number) => status !== 404;
const isGood = (status: number) => status >= 200 && status <= 299;

/** What is to be known of requests that are answered here: whom they make known, and whether another version has what this one has not. */
export class Answers {
  readonly #destinations: Destinations;
  readonly #channel: Channel;
  readonly #own: string;
  readonly #hands: Hands;

  constructor(destinations: Destinations, channel: Channel, generation: number, hands: Hands) {
    this.#destinations = destinations;
    this.#channel = channel;
    this.#own = String(generation);
    this.#hands = hands;
  }

  /** @param hasCome whether another process has brought it, to be answered here */
  attend(connection: Connection, request: IncomingMessage, response: ServerResponse, hasCome: boolean): void {
    const { affinity } = this.#destinations;
    // Where nobody could say who knows it, whoever does is not to be forgotten.
    if (hasCome) affinity?.claim(affinity.find(request) ?? '');
    affinity?.watch(response);
    if (connection.kind === 'forwarded') return;
    const { tries } = connection;
    connection.tries = '';
    if (tries === this.#own) return; // it is back
    if (tries !== '') return this.#mayPassOn(connection, request, response, { to: tries, tries, isWanted: isGood });
    const other = this.#destinations.findOther(request);
    if (other !== null)
      this.#mayPassOn(connection, request, response, { to: other, tries: this.#own, isWanted: isFound });
  }

  #mayPassOn(connection: Connection, request: IncomingMessage, response: ServerResponse, passing: Passing): void {
    const { socket } = connection;
    mayGiveUp(response, socket, (status) => {
      const can = currentResponse(socket) === response && !connection.moving && !connection.pipelines;
      if (passing.isWanted(status) || !can || !this.#channel.isOpen || this.#hands.isWithheld(connection)) return false;
      this.#hands.passOn(connection, request, response, passing);
      return true;
    });
  }
}
