import type net from 'node:net';
import { onQuietDisconnect } from '../internals/ipc.ts';
import type { Handle } from '../internals/net.ts';
import { openResume } from '../protocol/kinds.ts';
import { PRIVATE_ID, REHEARSAL, type ToWorker } from '../protocol/messages.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { Busy } from './busy.ts';
import { carryFor } from './carry.ts';
import { Channel } from './channel.ts';
import type { Arrival } from './connections/arrival.ts';
import type { Detached } from './connections/detached.ts';
import { watchEventStreams } from './connections/event-stream.ts';
import { giveConnection } from './connections/give.ts';
import { Registry } from './connections/registry.ts';
import { Drain } from './drain/drain.ts';
import { Hold } from './drain/hold.ts';
import { setWorkerGlobal } from './globals.ts';
import { keepChannel } from './keep-channel.ts';
import { Servers } from './listen/servers.ts';
import { liveAsOrphan } from './orphan.ts';
import { Rehearsal } from './rehearsal/rehearsal.ts';
import { TlsSessions } from './tls-sessions.ts';
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
  readonly #busy = new Busy();
  readonly #tlsSessions = new TlsSessions();
  readonly #lastRuns = new Set<() => void | Promise<void>>();
  /** Whether it was told to accept, and not to pause since. Stays true during a hold. */
  #serving = false;
  /** Whether it holds while another version may serve already. */
  #yields = false;
  #onEmpty: (() => void) | null = null;
  #rehearsal: Rehearsal | null = null;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#meter = settings.measures ? new Meter(settings.remembers) : null;
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
    this.#hold = new Hold(this.#registry, this.#drain.longLived, () => this.#channel.send({ type: 'quiet' }));
    this.#servers = new Servers(this.#channel, settings, (server, gate) => {
      this.#tlsSessions.watch(server);
      this.#registry.watch(server, gate);
      this.#rehearse();
    });
  }

  begin(): void {
    this.#meter?.begin(() => this.#sample(0));
    this.#servers.takeOver();
    this.#tlsSessions.begin();
    watchEventStreams();
    tellUncaught(this.#channel);
    this.#channel.listen((message, handle) => this.#onMessage(message, handle));
    keepChannel();
    onQuietDisconnect(() => this.#orphan());
    setWorkerGlobal({
      worker: this.#settings.worker,
      generation: this.#settings.generation,
      ready: () => this.#channel.send({ type: 'signal' }),
      onDrain: (run) => this.#lastRuns.add(run) && (() => this.#lastRuns.delete(run)),
      whileActive: (start) => this.#whileActive.add(start),
      carry: carryFor(() => this.#channel.send({ type: 'carries' }))
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
        return this.#pause(message.receivers, message.hurry);
      case 'drain':
        return this.#beginDrain(message.receivers);
      case 'expect':
        return this.#servers.expected.expect(message.port, message.over);
      case 'hold':
        return this.#beginHold(message.yields);
      case 'keep':
        return this.#hold.isHolding && handle ? this.#servers.keep(message.key, handle) : handle?.close();
      case 'receivers-carry':
        return this.#drain.longLived.onReceivers(message.all);
      case 'tickets':
        return this.#tlsSessions.onKeys(message.keys);
      case 'activate':
        return this.#whileActive.activate();
      case 'deactivate':
        void this.#whileActive.deactivate().finally(() => this.#channel.send({ type: 'inactive' }));
        return;
      case 'adopt':
        return this.#adopt(message, handle);
      case 'moved':
        return this.#drain.onMoved(message.id, message.busy);
      case 'report':
        return this.#channel.send({ type: 'reported', ask: message.ask, ...this.#registry.report(this.#hold.size) });
      case 'sample':
        return this.#sample(message.ask);
      case 'recall':
        return this.#channel.send({ type: 'recalled', ask: message.ask, requests: this.#meter?.recent?.list() ?? [] });
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

  #pause(receivers: boolean, hurry: boolean): void {
    this.#serving = false;
    this.#yields = false;
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    if (receivers) this.#drain.handOver(this.#hold.end(), hurry ? 0 : this.#settings.rampMs);
    else this.#resume();
  }

  #beginDrain(receivers: boolean): void {
    this.#serving = false;
    this.#servers.shut();
    this.#finish(receivers, () => {
      this.#sample(0); // the last counts, since the supervisor will not ask again
      this.#channel.send({ type: 'left', left: this.#registry.left.counts });
      this.#channel.send({ type: 'drained' });
    });
  }

  #finish(receivers: boolean, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = null;
      const runs = [...this.#lastRuns].map(async (run) => run());
      // What the app throws here must not keep the worker from ending. Connections of its own protocols are still open.
      void Promise.allSettled(runs).then(() => this.#drain.lasting.end(done));
    };
    this.#drain.end(receivers, this.#hold.end());
    if (this.#drain.isEmpty) this.#onEmpty?.();
  }

  #adopt(moving: Extract<ToWorker, { type: 'adopt' }>, handle: Handle | undefined): void {
    const { id, key } = moving;
    if (handle && key.startsWith(REHEARSAL)) return this.#rehearsal?.onReturned(moving, handle);
    const owner = this.#servers.ownerOf(key);
    if (!owner || !handle) {
      handle?.close();
      return this.#channel.send({ type: 'declined', id });
    }
    const adopted = (refused: string) => this.#channel.send({ type: 'adopted', id, busy: this.#busy.take(), refused });
    const resume = openResume(moving.resume);
    this.#give(owner.server, handle, { ...moving, resume, private: id === PRIVATE_ID }, adopted);
    if (!resume) adopted('');
  }

  /** Before the first server of the app accepts. */
  #rehearse(): void {
    if (this.#rehearsal || !this.#settings.rehearses) return;
    this.#rehearsal = new Rehearsal(this.#channel, this.#settings);
    void this.#rehearsal.run();
  }

  #takeBack({ connection, handle, fresh, resume }: Detached): void {
    this.#give(connection.server, handle, { ...connection, fresh, resume, last: false });
  }

  #give(server: net.Server, handle: Handle, arrival: Arrival, onSettled?: (refused: string) => void): void {
    giveConnection(this.#registry, server, handle, arrival, (one) => this.#drain.onParked(one), onSettled);
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
