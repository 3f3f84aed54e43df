import type net from 'node:net';
import { attachConnection, type Handle, onQuietDisconnect } from '../internals.ts';
import type { Orders, ToWorker } from '../protocol.ts';
import { Channel } from './channel.ts';
import { adopt, speaksHttp1 } from './connections/http1.ts';
import { Registry } from './connections/registry.ts';
import { Duty } from './duty.ts';
import { Leaving } from './leaving.ts';
import { Servers } from './listen.ts';
import { liveAsOrphan } from './orphan.ts';
import { setSelf } from './self.ts';

/** A connection that comes from another process. */
interface Arrival {
  readonly key: string;
  readonly fresh: boolean;
  /** Whether nobody else would take it: it does not move on. */
  readonly last: boolean;
}

/** Joins the rooms of a worker: what the supervisor says is done here, and nothing is decided. */
export class Life {
  readonly #orders: Orders;
  readonly #channel = new Channel();
  readonly #duty = new Duty();
  readonly #registry: Registry;
  readonly #leaving: Leaving;
  readonly #servers: Servers;
  readonly #lastRuns = new Set<() => void | Promise<void>>();
  #accepting = false;
  #onEmpty: (() => void) | null = null;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#registry = new Registry({
      onRequest: (connection, response, server) => this.#leaving.onRequest(connection, response, server),
      onOpen: (connection) => this.#leaving.onOpen(connection),
      onClose: (connection) => this.#leaving.onClose(connection)
    });
    this.#leaving = new Leaving(this.#registry, this.#channel, orders, {
      takeBack: (connection, handle, fresh) =>
        this.#give(connection.server, handle, { key: connection.key, fresh, last: false }),
      onEmpty: () => this.#onEmpty?.()
    });
    this.#servers = new Servers(this.#channel, orders, (server, gate) => this.#registry.watch(server, gate));
  }

  begin(): void {
    this.#servers.takeOver();
    this.#channel.listen((message, handle) => this.#obey(message, handle));
    onQuietDisconnect(() => this.#orphan());
    setSelf({
      worker: this.#orders.worker,
      generation: this.#orders.generation,
      ready: () => this.#channel.send({ type: 'signal' }),
      onDrain: (run) => {
        this.#lastRuns.add(run);
        return () => this.#lastRuns.delete(run);
      },
      whileActive: (start) => this.#duty.add(start)
    });
  }

  #obey(message: ToWorker, handle: Handle | undefined): void {
    switch (message.type) {
      case 'bound':
      case 'unbound':
        return this.#servers.settle(message.ask, message);
      case 'accept':
        return this.#accept(message.key, handle);
      case 'pause':
        return this.#pause(message.heirs);
      case 'drain':
        return this.#drain(message.heirs);
      case 'activate':
        return this.#duty.activate();
      case 'deactivate':
        void this.#duty.deactivate().finally(() => this.#channel.send({ type: 'inactive' }));
        return;
      case 'adopt':
        return this.#adopt(message.id, message, handle);
      case 'moved':
        return this.#leaving.onMoved(message.id);
      case 'report':
        return this.#report(message.ask);
      default:
        message satisfies never;
    }
  }

  #accept(key: string, handle: Handle | undefined): void {
    if (!handle) return this.#channel.send({ type: 'accept-failed', key, code: 'ENOHANDLE' });
    this.#accepting = true;
    this.#leaving.cancel();
    this.#servers.open(key, handle);
  }

  #pause(heirs: boolean): void {
    this.#accepting = false;
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    if (heirs) this.#leaving.handOver();
  }

  #drain(heirs: boolean): void {
    this.#accepting = false;
    this.#servers.shut();
    this.#finish(heirs, () => {
      const runs = [...this.#lastRuns].map(async (run) => run());
      // What the app throws here is its own business; it must not keep the worker from ending.
      void Promise.allSettled(runs).then(() => this.#channel.send({ type: 'drained' }));
    });
  }

  #finish(heirs: boolean, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = null;
      done();
    };
    this.#leaving.end(heirs);
    if (this.#leaving.isEmpty) this.#onEmpty?.();
  }

  #adopt(id: string, arrival: Arrival, handle: Handle | undefined): void {
    const owner = this.#servers.ownerOf(arrival.key);
    if (!owner || !handle) {
      handle?.close();
      return this.#channel.send({ type: 'declined', id });
    }
    this.#give(owner.server, handle, arrival);
    this.#channel.send({ type: 'adopted', id });
  }

  #give(server: net.Server, handle: Handle, { key, fresh, last }: Arrival): void {
    if (!speaksHttp1(server)) {
      server.emit('connection', attachConnection(server, handle));
      return;
    }
    adopt(server, handle, fresh, (socket) => {
      const connection = this.#registry.add(server, socket, key);
      if (last) connection.stays = true;
      if (!fresh) this.#leaving.onParked(connection);
    });
  }

  #report(ask: number): void {
    const { count, holding } = this.#registry.inFlight();
    const connections = this.#registry.connections.size;
    this.#channel.send({
      type: 'reported',
      ask,
      connections,
      inFlight: count,
      requests: this.#registry.requests,
      holding
    });
  }

  #orphan(): void {
    this.#channel.close();
    this.#leaving.abandonTransit();
    this.#leaving.cancel();
    liveAsOrphan(this.#orders, {
      isServing: () => this.#accepting,
      finish: (done) => {
        this.#servers.shut();
        this.#finish(false, () => {
          void this.#duty.deactivate().finally(done);
        });
      }
    });
  }
}
