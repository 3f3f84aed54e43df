import type { Handle } from '../internals/net.ts';
import type { ToWorker } from '../protocol/messages.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { beAppChannel } from './app-channel.ts';
import { Arrivals } from './arrivals.ts';
import { Channel } from './channel.ts';
import type { Detached } from './connections/detached.ts';
import { watchEventStreams } from './connections/event-stream.ts';
import { Registry } from './connections/registry.ts';
import { Drain } from './drain/drain.ts';
import { Hold } from './drain/hold.ts';
import { Servers } from './listen/servers.ts';
import { openToApp } from './open-to-app.ts';
import { Orphan } from './orphan.ts';
import { Outputs } from './outputs.ts';
import { Router } from './routing/router.ts';
import { TlsSessions } from './tls-sessions.ts';
import { tellUncaught } from './uncaught.ts';
import { Meter } from './vitals.ts';
import { describeWaiting } from './waiting.ts';
import { WhileActiveTasks } from './while-active.ts';

/** Joins the parts of a worker: it carries out what the supervisor says, and decides nothing. */
export class Worker {
  readonly #settings: WorkerSettings;
  readonly #channel: Channel;
  readonly #orphan: Orphan;
  readonly #outputs = new Outputs();
  readonly #whileActive = new WhileActiveTasks();
  readonly #registry: Registry;
  readonly #drain: Drain;
  readonly #hold: Hold;
  readonly #router: Router;
  readonly #servers: Servers;
  readonly #meter: Meter | null;
  readonly #arrivals: Arrivals;
  readonly #tlsSessions = new TlsSessions();
  readonly #lastRuns = new Set<() => void | Promise<void>>();
  /** Whether it was told to accept, and not to pause since: also during a hold. */
  #serving = false;
  /** Whether it holds while another version may serve already. */
  #yields = false;
  #onEmpty: (() => void) | null = null;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#channel = new Channel(settings);
    this.#meter = settings.measures ? new Meter(settings.remembers) : null;
    this.#registry = new Registry(
      {
        onRequest: (connection, response, server) => {
          if (this.#router.onRequest(connection, response)) return;
          this.#drain.onRequest(connection, response, server);
          this.#hold.onRequest(connection, response);
        },
        onOpen: (connection) => void [this.#drain, this.#hold].map((one) => one.onOpen(connection)),
        onClose: (connection) => void [this.#drain, this.#hold, this.#router].map((one) => one.onClose(connection))
      },
      this.#meter
    );
    const takeBack = (detached: Detached) => this.#arrivals.takeBack(detached);
    const outgoing = () => this.#router.transit.size + this.#arrivals.forwarded.size;
    const onEmpty = () => this.#onEmpty?.();
    this.#drain = new Drain(this.#registry, this.#channel, settings, { takeBack, outgoing, onEmpty });
    this.#hold = new Hold(this.#registry, this.#drain.longLived, () => this.#channel.send({ type: 'quiet' }));
    this.#router = new Router(settings, this.#channel, this.#registry, {
      takeBack,
      isServing: () => this.#drain.isServing && !this.#hold.isHolding,
      onStaying: (connection, response) => this.#drain.onRequest(connection, response, connection.server)
    });
    this.#servers = new Servers(this.#channel, settings, (server, gate) => {
      this.#tlsSessions.watch(server);
      this.#registry.watch(server, gate);
      this.#router.watch(server);
      this.#arrivals.rehearse();
    });
    const hands = { channel: this.#channel, settings, registry: this.#registry, servers: this.#servers };
    this.#arrivals = new Arrivals(hands, this.#router, (connection) => this.#drain.onParked(connection));
    this.#orphan = new Orphan(settings, {
      isServing: () => this.#serving,
      wait: () => this.#drain.suspend(),
      actAlone: () => this.#actAlone(),
      finish: (done) => {
        this.#servers.shut();
        this.#servers.spares.dropAll();
        this.#finish(false, () => void this.#whileActive.deactivate().finally(done));
      }
    });
  }

  begin(): void {
    this.#meter?.begin(() => this.#sample(0));
    this.#servers.takeOver();
    this.#tlsSessions.begin();
    watchEventStreams();
    tellUncaught(this.#channel);
    this.#channel.begin({
      onMessage: (message, handle) => this.#onMessage(message, handle),
      onLost: () => this.#orphan.begin(),
      onTakenOver: () => this.#onTakenOver()
    });
    beAppChannel(this.#channel);
    const kept = { lastRuns: this.#lastRuns, whileActive: this.#whileActive, affinity: this.#router.affinity };
    openToApp(this.#settings, this.#channel, kept);
  }

  #onMessage(message: ToWorker, handle: Handle | undefined): void {
    switch (message.type) {
      case 'bound':
      case 'unbound':
        return this.#servers.onBound(message);
      case 'accept':
        return this.#accept(message.key, handle);
      case 'pause':
        return this.#pause(message);
      case 'drain':
        return this.#beginDrain(message.receivers);
      case 'expect':
        return this.#servers.expected.expect(message.port, message.over);
      case 'hold':
        return this.#beginHold(message.yields);
      case 'keep':
        return handle && this.#servers.spares.keep(message.key, handle);
      case 'drop':
        return this.#servers.spares.drop(message.key);
      case 'output':
        return handle && this.#outputs.keep(message.fd, handle);
      case 'receivers-carry':
        return this.#drain.longLived.onReceivers(message.all);
      case 'close-after-answer':
        return this.#drain.closing.closeAfterAnswers(message.on);
      case 'tickets':
        return this.#tlsSessions.onKeys(message.keys);
      case 'activate':
        return this.#whileActive.activate();
      case 'deactivate':
        void this.#whileActive.deactivate().finally(() => this.#channel.send({ type: 'inactive' }));
        return;
      case 'adopt':
        return this.#arrivals.adopt(message, handle);
      case 'moved':
        if (this.#router.onMoved(message.id)) return this.#drain.lookWhetherEmpty();
        return this.#drain.onMoved(message.id, message.busy);
      case 'route':
      case 'owner':
      case 'owner-gone':
        return this.#router.onMessage(message);
      case 'report':
        return this.#report(message.ask);
      case 'sample':
        return this.#sample(message.ask);
      case 'recall':
        return this.#channel.send({ type: 'recalled', ask: message.ask, requests: this.#meter?.recent?.list() ?? [] });
      case 'explain':
        return this.#channel.send({ type: 'explained', ask: message.ask, ...describeWaiting() });
      case 'welcome':
      case 'unwelcome':
      case 'remember':
      case 'relink':
        return; // the channel's own business
      default:
        message satisfies never;
    }
  }

  #accept(key: string, handle: Handle | undefined): void {
    if (!handle) return this.#channel.send({ type: 'accept-failed', key, code: 'ENOHANDLE' });
    [this.#serving, this.#yields] = [true, false];
    this.#drain.cancel();
    this.#resume();
    this.#servers.open(key, handle);
  }

  /** Serves the held connections again. */
  #resume(): void {
    for (const detached of this.#hold.end()) this.#arrivals.takeBack(detached);
  }

  #beginHold(yields: boolean): void {
    this.#yields = yields;
    this.#serving &&= !yields;
    if (yields) return;
    this.#servers.shut();
    this.#channel.send({ type: 'paused' });
    this.#drain.cancel();
    this.#hold.begin();
  }

  #pause({ receivers, hurry, last }: Extract<ToWorker, { type: 'pause' }>): void {
    [this.#serving, this.#yields] = [false, false];
    this.#servers.leaving.leave(last, () => {
      this.#channel.send({ type: 'paused' });
      if (receivers) this.#drain.handOver(this.#hold.end(), hurry ? 0 : this.#settings.rampMs);
      else this.#resume();
    });
  }

  #beginDrain(receivers: boolean): void {
    this.#serving = false;
    this.#servers.leaving.leave(false, () => {
      this.#servers.spares.dropAll();
      this.#finish(receivers, () => {
        this.#sample(0); // the last counts, since the supervisor will not ask again
        this.#channel.send({ type: 'left', left: this.#registry.left.counts });
        this.#channel.send({ type: 'drained' });
      });
    });
  }

  #finish(receivers: boolean, done: () => void): void {
    this.#onEmpty = () => {
      this.#onEmpty = null;
      // What the app throws here must not keep the worker from ending. Connections of its own protocols are still open.
      void Promise.allSettled([...this.#lastRuns].map(async (run) => run())).then(() => this.#drain.lasting.end(done));
    };
    this.#router.forwarder.end();
    this.#arrivals.forwarded.leave(() => this.#drain.lookWhetherEmpty());
    this.#drain.end(receivers, this.#hold.end());
    if (this.#drain.isEmpty) this.#onEmpty?.();
  }

  #report(ask: number): void {
    const { unrouted } = this.#router;
    this.#channel.send({ type: 'reported', ask, ...this.#registry.report(this.#hold.size), unrouted });
  }

  #sample(ask: number): void {
    if (this.#meter) this.#channel.send({ type: 'sampled', ask, ...this.#meter.take() });
  }

  /** The next supervisor gets what this one had lent, and hears again what nobody has answered. */
  #onTakenOver(): void {
    this.#orphan.cancel();
    this.#servers.give();
    this.#outputs.give(this.#channel);
    this.#drain.resume();
    this.#router.sendAgain();
  }

  /** No supervisor has come. What was on its way to another worker is not answered here: it may have arrived. */
  #actAlone(): void {
    this.#drain.departures.abandon();
    this.#router.transit.abandon();
    this.#drain.cancel();
    // If another version may serve already, the held connections must not be answered here.
    if (this.#yields) for (const { handle } of this.#hold.end()) handle.close();
    this.#resume();
    if (this.#serving) this.#servers.reopen();
  }
}
