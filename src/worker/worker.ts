import type net from 'node:net';
import { onQuietDisconnect } from '../internals/ipc.ts';
import { attachConnection, type Handle } from '../internals/net.ts';
import { PRIVATE_ID, type ToWorker } from '../protocol/messages.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { Channel } from './channel.ts';
import type { Arrival } from './connections/arrival.ts';
import type { Detached } from './connections/detached.ts';
import { adopt, speaksHttp1 } from './connections/http1.ts';
import { Registry } from './connections/registry.ts';
import { Drain } from './drain/drain.ts';
import { Hold } from './drain/hold.ts';
import { setWorkerGlobal } from './globals.ts';
import { keepChannel } from './keep-channel.ts';
import { Servers } from './listen/servers.ts';
import { liveAsOrphan } from './orphan.ts';
import { tellUncaught } from './uncaught.ts';
import { Meter } from './vitals.ts';
import { describeWaiting } from './waiting.ts';
import { WhileActiveTasks } from './while-active.ts';

/** Joins the parts of a worker: it carries out what the supervisor says, and decides nothing. */
export class Worker {
  readonly #settings: WorkerSettings;
  readonly #channel = new Channel();
  readonly #whileActive = new WhileActiveTasks();
  readonly #registry: Registry;
  readonly #drain: Drain;
  readonly #hold: Hold;
  readonly #servers: Servers;
  readonly #meter: Meter | null;
  readonly #lastRuns = new Set<() => void | Promise<void>>();
  /** Whether it was told to accept, and not to pause since. Stays true during a hold. */
  #serving = false;
  /** Whether it holds while another version may serve already. */
  #yields = false;
  #onEmpty: (() => void) | null = null;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#meter = settings.measures ? new Meter() : null;
    this.#registry = new Registry(
      {
        onRequest: (connection, response, server) => {
          this.#drain.onRequest(connection, response, server);
          this.#hold.onRequest(connection, response);
        },
        onOpen: (connection) => {
          this.#drain.onOpen(connection);
          this.#hold.onOpen(connection);
        },
        onClose: (connection) => {
          this.#drain.onClose(connection);
          this.#hold.onClose(connection);
        }
      },
      this.#meter
    );
    this.#drain = new Drain(this.#registry, this.#channel, settings, {
      takeBack: (detached) => this.#takeBack(detached),
      onEmpty: () => this.#onEmpty?.()
    });
    this.#hold = new Hold(this.#registry, () => this.#channel.send({ type: 'quiet' }));
    this.#servers = new Servers(this.#channel, settings, (server, gate) => this.#registry.watch(server, gate));
  }

  begin(): void {
    this.#meter?.begin(() => this.#sample(0));
    this.#servers.takeOver();
    tellUncaught(this.#channel);
    this.#channel.listen((message, handle) => this.#onMessage(message, handle));
    keepChannel();
    onQuietDisconnect(() => this.#orphan());
    setWorkerGlobal({
      worker: this.#settings.worker,
      generation: this.#settings.generation,
      ready: () => this.#channel.send({ type: 'signal' }),
      onDrain: (run) => {
        this.#lastRuns.add(run);
        return () => this.#lastRuns.delete(run);
      },
      whileActive: (start) => this.#whileActive.add(start)
    });
  }

  #onMessage(message: ToWorker, handle: Handle | undefined): void {
    switch (message.type) {
      case 'bound':
      case 'unbound':
        return this.#servers.onBound(message);
      case 'accept':
        return this.#accept(message.key, handle);
      case 'pause':
        return this.#pause(message.receivers);
      case 'drain':
        return this.#beginDrain(message.receivers);
      case 'expect':
        return this.#servers.expected.expect(message.port, message.over);
      case 'hold':
        return this.#beginHold(message.yields);
      case 'keep':
        return this.#keep(message.key, handle);
      case 'activate':
        return this.#whileActive.activate();
      case 'deactivate':
        void this.#whileActive.deactivate().finally(() => this.#channel.send({ type: 'inactive' }));
        return;
      case 'adopt':
        return this.#adopt(message.id, { ...message, private: message.id === PRIVATE_ID }, handle);
      case 'moved':
        return this.#drain.onMoved(message.id);
      case 'report':
        return this.#report(message.ask);
      case 'sample':
        return this.#sample(message.ask);
      case 'explain':
        return this.#channel.send({ type: 'explained', ask: message.ask, ...describeWaiting() });
      default:
        message satisfies never;
    }
  }

  #accept(key: string, handle: Handle | undefined): void {
    if (!handle) return this.#channel.send({ type: 'accept-failed', key, code: 'ENOHANDLE' });
    this.#serving = true;
    this.#yields = false;
    this.#drain.cancel();
    this.#resume();
    this.#servers.open(key, handle);
  }

  /** Serves the held connections again. */
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
    this.#drain.cancel();
    this.#hold.begin();
  }

  #keep(key: string, handle: Handle | undefined): void {
    if (this.#hold.isHolding && handle) this.#servers.keep(key, handle);
    else handle?.close();
  }

  #pause(receivers: boolean): void {
    this.#serving = false;
    this.#yields = false;
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    if (receivers) this.#drain.handOver(this.#hold.end());
    else this.#resume();
  }

  #beginDrain(receivers: boolean): void {
    this.#serving = false;
    this.#servers.shut();
    this.#finish(receivers, () => {
      const runs = [...this.#lastRuns].map(async (run) => run());
      // What the app throws here must not keep the worker from ending.
      void Promise.allSettled(runs).then(() => {
        this.#sample(0); // the last counts, since the supervisor will not ask again
        this.#channel.send({ type: 'drained' });
      });
    });
  }

  #finish(receivers: boolean, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = null;
      this.#drain.lasting.end(done);
    };
    this.#drain.end(receivers, this.#hold.end());
    if (this.#drain.isEmpty) this.#onEmpty?.();
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
      if (!fresh) this.#drain.onParked(connection);
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
    this.#drain.abandonTransit();
    this.#drain.cancel();
    // If another version may serve already, the held connections must not be answered here.
    if (this.#yields) for (const { handle } of this.#hold.end()) handle.close();
    this.#resume();
    if (this.#serving) this.#servers.reopen();
    liveAsOrphan(this.#settings, {
      isServing: () => this.#serving,
      finish: (done) => {
        this.#servers.shut();
        this.#finish(false, () => {
          void this.#whileActive.deactivate().finally(done);
        });
      }
    });
  }
}
