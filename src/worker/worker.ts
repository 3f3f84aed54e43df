import type net from 'node:net';
import { onQuietDisconnect } from '../internals/ipc.ts';
import { attachConnection, type Handle } from '../internals/net.ts';
import { PRIVATE_ID, type ToWorker } from '../protocol/messages.ts';
import type { Orders } from '../protocol/worker-settings.ts';
import { Channel } from './channel.ts';
import type { Detached } from './connections/detached.ts';
import { adopt, speaksHttp1 } from './connections/http1.ts';
import { Registry } from './connections/registry.ts';
import { Leaving } from './drain/drain.ts';
import { Hold } from './drain/hold.ts';
import { setSelf } from './globals.ts';
import { Servers } from './listen/servers.ts';
import { liveAsOrphan } from './orphan.ts';
import { Meter } from './vitals.ts';
import { Duty } from './while-active.ts';

/** A connection that comes from another process. */
interface Arrival {
  readonly key: string;
  readonly fresh: boolean;
  readonly pipelines: boolean;
  /** Whether nobody else would take it: it does not move on. */
  readonly last: boolean;
  /** Whether it is the supervisor that asks here. */
  readonly private: boolean;
}

/** Joins the rooms of a worker: what the supervisor says is done here, and nothing is decided. */
export class Life {
  readonly #orders: Orders;
  readonly #channel = new Channel();
  readonly #duty = new Duty();
  readonly #registry: Registry;
  readonly #leaving: Leaving;
  readonly #hold: Hold;
  readonly #servers: Servers;
  readonly #meter: Meter | null;
  readonly #lastRuns = new Set<() => void | Promise<void>>();
  /** Whether it was told to accept, and not to pause since: one that holds is to serve again, if nothing else is said. */
  #serving = false;
  /** Whether it holds for another version that may serve by now. */
  #yields = false;
  #onEmpty: (() => void) | null = null;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#meter = orders.measures ? new Meter() : null;
    this.#registry = new Registry(
      {
        onRequest: (connection, response, server) => {
          this.#leaving.onRequest(connection, response, server);
          this.#hold.onRequest(connection, response);
        },
        onOpen: (connection) => {
          this.#leaving.onOpen(connection);
          this.#hold.onOpen(connection);
        },
        onClose: (connection) => {
          this.#leaving.onClose(connection);
          this.#hold.onClose(connection);
        }
      },
      this.#meter
    );
    this.#leaving = new Leaving(this.#registry, this.#channel, orders, {
      takeBack: (detached) => this.#takeBack(detached),
      onEmpty: () => this.#onEmpty?.()
    });
    this.#hold = new Hold(this.#registry, () => this.#channel.send({ type: 'quiet' }));
    this.#servers = new Servers(this.#channel, orders, (server, gate) => this.#registry.watch(server, gate));
  }

  begin(): void {
    this.#meter?.begin();
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
      case 'hold':
        return this.#beginHold(message.yields);
      case 'keep':
        return this.#keep(message.key, handle);
      case 'activate':
        return this.#duty.activate();
      case 'deactivate':
        void this.#duty.deactivate().finally(() => this.#channel.send({ type: 'inactive' }));
        return;
      case 'adopt':
        return this.#adopt(message.id, { ...message, private: message.id === PRIVATE_ID }, handle);
      case 'moved':
        return this.#leaving.onMoved(message.id);
      case 'report':
        return this.#report(message.ask);
      case 'sample':
        return this.#sample(message.ask);
      default:
        message satisfies never;
    }
  }

  #accept(key: string, handle: Handle | undefined): void {
    if (!handle) return this.#channel.send({ type: 'accept-failed', key, code: 'ENOHANDLE' });
    this.#serving = true;
    this.#yields = false;
    this.#leaving.cancel();
    this.#resume();
    this.#servers.open(key, handle);
  }

  /** Serves again what was held. */
  #resume(): void {
    for (const detached of this.#hold.end()) this.#takeBack(detached);
  }

  #beginHold(yields: boolean): void {
    this.#yields = yields;
    if (yields) {
      this.#serving = false;
      return;
    }
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    this.#leaving.cancel();
    this.#hold.begin();
  }

  #keep(key: string, handle: Handle | undefined): void {
    if (this.#hold.isHolding && handle) this.#servers.keep(key, handle);
    else handle?.close();
  }

  #pause(heirs: boolean): void {
    this.#serving = false;
    this.#yields = false;
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    if (heirs) this.#leaving.handOver(this.#hold.end());
    else this.#resume();
  }

  #drain(heirs: boolean): void {
    this.#serving = false;
    this.#servers.shut();
    this.#finish(heirs, () => {
      const runs = [...this.#lastRuns].map(async (run) => run());
      // What the app throws here is its own business; it must not keep the worker from ending.
      void Promise.allSettled(runs).then(() => {
        this.#sample(0); // nobody will ask again
        this.#channel.send({ type: 'drained' });
      });
    });
  }

  #finish(heirs: boolean, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = null;
      done();
    };
    this.#leaving.end(heirs, this.#hold.end());
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

  #takeBack({ connection, handle, fresh }: Detached): void {
    this.#give(connection.server, handle, { ...connection, fresh, last: false });
  }

  #give(server: net.Server, handle: Handle, arrival: Arrival): void {
    if (!speaksHttp1(server)) {
      const socket = attachConnection(server, handle);
      this.#registry.add(server, socket, arrival.key).private = arrival.private;
      server.emit('connection', socket);
      return;
    }
    const { key, fresh, pipelines, last } = arrival;
    adopt(server, handle, fresh, (socket) => {
      const marks = { private: arrival.private, pipelines, stays: last };
      const connection = Object.assign(this.#registry.add(server, socket, key), marks);
      if (!fresh) this.#leaving.onParked(connection);
    });
  }

  #report(ask: number): void {
    const { count, holding } = this.#registry.inFlight();
    const connections = this.#registry.connections.size + this.#hold.size;
    this.#channel.send({
      type: 'reported',
      ask,
      connections,
      inFlight: count,
      requests: this.#registry.requests,
      holding
    });
  }

  #sample(ask: number): void {
    if (this.#meter) this.#channel.send({ type: 'sampled', ask, ...this.#meter.take() });
  }

  #orphan(): void {
    this.#channel.close();
    this.#leaving.abandonTransit();
    this.#leaving.cancel();
    // What it held is another version's to answer, or nobody's.
    if (this.#yields) for (const { handle } of this.#hold.end()) handle.close();
    this.#resume();
    if (this.#serving) this.#servers.reopen();
    liveAsOrphan(this.#orders, {
      isServing: () => this.#serving,
      finish: (done) => {
        this.#servers.shut();
        this.#finish(false, () => {
          void this.#duty.deactivate().finally(done);
        });
      }
    });
  }
}
