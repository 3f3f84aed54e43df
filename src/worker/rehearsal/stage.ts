import { EventEmitter } from 'node:events';
import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { beginListening, type Handle, insideServer } from '../../internals/net.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import type { Arrival } from '../connections/arrival.ts';
import { giveConnection } from '../connections/give.ts';
import { Registry } from '../connections/registry.ts';
import { Drain } from '../drain/drain.ts';
import { Expected } from '../listen/expected.ts';
import { Gate } from '../listen/gate.ts';

// As it is before anything else is loaded: the agent of a monitoring service may replace that of `http.Server`.
const { emit } = EventEmitter.prototype;

const BACKLOG = 16;
const BUDGET_MS = 60_000;

/** A server of our own with everything that handles the app's connections, for requests of our own. */
export class Stage {
  readonly key: string;
  readonly registry: Registry;
  readonly drain: Drain;
  readonly #server: Server;
  readonly #gate: Gate;
  #onEmpty = () => {};

  constructor(key: string, channel: Channel, settings: WorkerSettings) {
    this.key = key;
    this.registry = new Registry(
      {
        onRequest: (connection, response, server) => this.drain.onRequest(connection, response, server),
        onOpen: (connection) => this.drain.onOpen(connection),
        onClose: (connection) => this.drain.onClose(connection)
      },
      null
    );
    this.drain = new Drain(
      this.registry,
      channel,
      { ...settings, worker: key, budgetMs: BUDGET_MS, drainMs: BUDGET_MS },
      { takeBack: ({ handle }) => handle.close(), outgoing: () => 0, onEmpty: () => this.#onEmpty() }
    );
    this.#server = new Server(answer);
    this.#server.emit = emit;
    this.#server.on('upgrade', (_request, socket) => socket.end(SWITCHED));
    this.#gate = new Gate(new Expected(channel), () => {});
    this.#gate.key = key;
    this.registry.watch(this.#server, this.#gate);
    insideServer(this.#server)._handle = this.#gate;
    beginListening(this.#server, '127.0.0.1', 0, BACKLOG);
  }

  open(listener: Handle): void {
    this.#gate.open(this.key, listener, BACKLOG);
  }

  shut(): void {
    this.#gate.shut();
  }

  adopt(arrival: Arrival, handle: Handle): void {
    const here = { ...arrival, key: this.key };
    giveConnection(this.registry, this.#server, handle, here, (connection) => this.drain.onParked(connection));
  }

  /** Hands every connection over: at once, or slowly until told to hurry. */
  leave(atOnce: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = () => {
        this.#onEmpty = () => {};
        this.drain.cancel();
        resolve();
      };
      this.drain.handOver([], atOnce ? 0 : BUDGET_MS);
    });
  }

  hurry(): void {
    this.drain.end(true);
  }

  close(): void {
    this.registry.close();
    this.drain.cancel();
    this.#server.close();
    // Also those that wait for a next request, which the server does not know.
    for (const { socket } of this.registry.connections) socket.destroy();
  }
}

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: rehearsal\r\n\r\n';

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') request.on('data', () => {}).on('end', () => reply(response));
  else if (request.url === '/later') setImmediate(reply, response);
  else reply(response);
}

function reply(response: ServerResponse): void {
  const body = '{"rehearsed":true}';
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
