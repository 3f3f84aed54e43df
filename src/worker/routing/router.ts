import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import type { ToWorker } from '../../protocol/messages.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { CONNECTION, type Connection, connectionOf } from '../connections/connection.ts';
import { type Detached, takeOff } from '../connections/detached.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import type { Registry } from '../connections/registry.ts';
import { Transit } from '../drain/transit.ts';
import { goAlong, isForwardable } from '../forwarding/forwardable.ts';
import { Forwarder } from '../forwarding/forwarder.ts';
import type { Affinity } from './affinity.ts';
import { Answers } from './answers.ts';
import { type Destination, Destinations } from './destinations.ts';
import { Emitting } from './emitting.ts';
import { takesUpgrade } from './upgrading.ts';
import { giveToApp, type Request, Withheld } from './withheld.ts';

interface Hands {
  /** Serves a connection here again, because it could not be sent. */
  takeBack(detached: Detached): void;
  /** Whether connections that are here stay. */
  isServing(): boolean;
  /** A request that was withheld is answered here after all. */
  onStaying(connection: Connection, response: ServerResponse): void;
}

/**
 * Brings each request to the process that is to answer it: the app does not see one that belongs elsewhere.
 *
 * Plain HTTP/1.1 is decided by the head of each request; whatever else, before anything is read of a connection.
 */
export class Router {
  /** How many requests were answered here although they belonged elsewhere, by reason. */
  readonly unrouted: Record<string, number> = {};
  /** The connections that are on their way with a request. */
  readonly transit: Transit;
  /** The requests that are answered elsewhere while their connections stay. */
  readonly forwarder: Forwarder;
  readonly #destinations: Destinations;
  readonly #worker: string;
  readonly #registry: Registry;
  readonly #hands: Hands;
  readonly #answers: Answers;
  readonly #emitting = new Emitting((server, event, args) => this.#takes(server, event, args));
  readonly #withheld = new Map<Connection, Withheld>();
  readonly #upgrading = {
    find: (connection: Connection, request: IncomingMessage) => this.#destinations.find(connection, request),
    count: (why: string) => this.#count(why),
    leave: (connection: Connection, bytes: string, to: string) => this.#leave(connection, bytes, to)
  };
  /** The request that Node is about to tell the app of. */
  #next: IncomingMessage | null = null;

  constructor(settings: WorkerSettings, channel: Channel, registry: Registry, hands: Hands) {
    const { worker, generation } = settings;
    this.#worker = worker;
    this.#registry = registry;
    this.#hands = hands;
    this.#destinations = new Destinations(settings, channel, (why) => this.#count(why));
    this.#answers = new Answers(this.#destinations, channel, generation, {
      isWithheld: (connection) => this.#withheld.has(connection),
      passOn: (connection, request, response, { to, tries }) => this.#withhold(connection, request, response, to, tries)
    });
    this.forwarder = new Forwarder(worker, channel, (connection, response) => {
      registry.requests += 1;
      this.#stay(connection, [{ request: response.req, response, event: 'request' }], 'nobody there');
    });
    if (this.#destinations.areMany) this.#emitting.begin();
    this.transit = new Transit(channel, `${worker}:r`, (detached) => {
      this.#count('not sent');
      hands.takeBack(detached);
    });
  }

  /** Which clients are known here; null where that does not matter. */
  get affinity(): Affinity | null {
    return this.#destinations.affinity;
  }

  onMessage(message: Extract<ToWorker, { type: 'route' | 'owner' | 'owner-gone' }>): void {
    if (message.type === 'route') this.#onRouting(message.routing);
    else if (message.type === 'owner') this.affinity?.onOwner(message.ask, message.worker);
    else this.affinity?.onOwnerGone(message.worker);
  }

  #onRouting(routing: string): void {
    this.#destinations.onRouting(routing);
    if (!this.#destinations.areMany) return this.#standBack();
    this.#emitting.begin();
  }

  /** Lets the servers tell their app as they would, once nothing is withheld and nothing belongs elsewhere. */
  #standBack(): void {
    if (!this.#destinations.areMany && this.#withheld.size === 0) this.#emitting.end();
  }

  watch(server: net.Server): void {
    this.#emitting.watch(server);
  }

  /** A request has begun. @returns whether it leaves: the app does not hear of it then */
  onRequest(connection: Connection | null, response: ServerResponse): boolean {
    // Also when everything is answered here again: what comes behind a request that leaves has to leave with it.
    const isOn = this.#destinations.areMany || this.#withheld.size > 0;
    return isOn && connection !== null && this.#withholds(connection, response);
  }

  /** A connection came with a request that is to be answered here, wherever it belongs. */
  onArrived(id: string): void {
    if (id.startsWith(`${this.#worker}:`)) this.#count('nobody there');
  }

  onClose(connection: Connection): void {
    this.#withheld.get(connection)?.end();
    this.#forget(connection);
    this.forwarder.forget(connection);
  }

  /** Whoever it was sent to has it. @returns whether it is one of these */
  onMoved(id: string): boolean {
    return this.transit.onMoved(id) !== null || this.forwarder.onMoved(id);
  }

  /** Another supervisor has taken over. */
  sendAgain(): void {
    this.transit.sendAgain();
    this.affinity?.claimAgain();
  }

  #withholds(connection: Connection, response: ServerResponse): boolean {
    const request = response.req as IncomingMessage;
    if (connection.kind === 'forwarded') this.#answers.attend(connection, request, response, true);
    if (connection.kind !== 'http1' || connection.private) return false;
    const before = this.#withheld.get(connection);
    if (before) {
      // Answers come in the order of their requests, so it waits behind the one before it.
      before.add(request, response);
      this.#next = request;
      return true;
    }
    const isFinal = connection.isExempt;
    connection.isExempt = false;
    const to = isFinal ? null : this.#destinations.find(connection, request);
    if (to === null) {
      connection.forwards = 0;
      this.#answers.attend(connection, request, response, isFinal);
      return false;
    }
    this.#withhold(connection, request, response, to);
    this.#next = request;
    return true;
  }

  #withhold(
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    to: NonNullable<Destination>,
    tries = ''
  ): void {
    const withheld = new Withheld(connection, to, {
      leave: (bytes, found) => this.#leave(connection, bytes, found, tries),
      mayForward: (one, found) => tries === '' && this.#mayForward(connection, one, found),
      forward: (one, bytes, found) => {
        this.#forget(connection);
        this.#registry.requests -= 1;
        this.forwarder.forward(connection, one.response, bytes, found);
      },
      stay: (requests, why) => {
        this.#forget(connection);
        this.#stay(connection, requests, why);
      },
      drop: () => this.#forget(connection)
    });
    withheld.add(request, response);
    this.#withheld.set(connection, withheld);
    connection.isWithheld = true;
  }

  /** @returns whether the app is not to hear of what its server tells */
  #takes(server: net.Server, event: string | symbol, args: readonly unknown[]): boolean {
    if (event === 'request' || event === 'checkContinue' || event === 'checkExpectation')
      return this.#takesRequest(event, args[0] as IncomingMessage);
    if (event === 'upgrade') return speaksHttp1(server) && takesUpgrade(server, args, this.#upgrading);
    return event === 'connection' && !speaksHttp1(server) && this.#takesUnread(server, args[0] as net.Socket);
  }

  #takesRequest(event: string, request: IncomingMessage): boolean {
    if (request !== this.#next || request === null) return false;
    this.#next = null;
    const connection = connectionOf(request.socket);
    if (connection) this.#withheld.get(connection)?.withhold(request, event);
    return true;
  }

  #takesUnread(server: net.Server, socket: net.Socket): boolean {
    if (CONNECTION in socket) return false;
    const lot = Math.random();
    const to = this.#destinations.findUnread(socket, lot);
    if (to === null) return false;
    const connection = this.#registry.add(server, socket, null);
    connection.lot = lot;
    this.transit.send(takeOff(connection), to);
    return true;
  }

  /** @param why they are answered here, although they belong elsewhere; null where they do not */
  #stay(connection: Connection, requests: readonly Request[], why: string | null): void {
    for (const one of requests) {
      if (why !== null) this.#count(why);
      this.#answers.attend(connection, one.request, one.response, false);
      this.#hands.onStaying(connection, one.response);
      giveToApp(connection, one);
    }
  }

  #mayForward(connection: Connection, { request, event }: Request, to: string): boolean {
    if (event !== 'request' || !this.#hands.isServing() || !isForwardable(connection, request)) return false;
    // Whoever has to ask another version is asked with its connection.
    return this.#destinations.findOther(request) === null && this.forwarder.canReach(to, connection.key);
  }

  #leave(connection: Connection, bytes: string, to: string, tries = ''): void {
    this.#forget(connection);
    this.#registry.requests -= 1;
    goAlong(connection);
    this.transit.send(takeOff(connection, null, bytes), to, tries);
  }

  #forget(connection: Connection): void {
    this.#withheld.delete(connection);
    connection.isWithheld = false;
    this.#standBack();
  }

  #count(why: string): false {
    this.unrouted[why] = (this.unrouted[why] ?? 0) + 1;
    return false;
  }
}
