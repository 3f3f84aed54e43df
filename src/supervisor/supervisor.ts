import type { Operator } from '../control/routes.ts';
import { ControlServer } from '../control/server.ts';
import { socketPath } from '../control/socket-path.ts';
import { acceptorsOf } from '../core/rules/cover.ts';
import { activeOf } from '../core/state/generations.ts';
import type { Notice, Release, State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import { Prover } from '../host/checks/checker.ts';
import { onLastMoment } from '../host/exit.ts';
import { Listeners } from '../host/listeners/listeners.ts';
import { Log, tidyNotice } from '../host/log.ts';
import { forgetUsage } from '../host/measure/usage.ts';
import { obeySignals } from '../host/process-signals.ts';
import { outliveOutput } from '../host/processes/output.ts';
import { Roster } from '../host/processes/workers.ts';
import { Relay } from '../host/relay.ts';
import { limitsOf } from '../options/limits.ts';
import type { Options } from '../options/options.ts';
import { Migrations } from './before-cutover.ts';
import { Proving } from './checking.ts';
import { now } from './clock.ts';
import { Deadlines } from './deadlines.ts';
import { Health } from './health.ts';
import { Mailbox } from './mailbox.ts';
import { Orders } from './operations.ts';
import { Pending } from './pending.ts';
import { type Ports, perform } from './perform.ts';
import { Memory } from './saved-state.ts';
import { type App, startWorker } from './start-worker.ts';
import { Outlook } from './status-source.ts';
import { Watchers } from './watchers.ts';

const STOPPED_EARLY = { what: 'Nothing was started', why: 'the supervisor was asked to stop', fix: 'Start it again' };

/** Joins the rooms: orders become news for the core, effects become deeds of the host. */
export class Supervision {
  readonly app: App;
  readonly socket: string;
  readonly orders: Orders;
  readonly outlook: Outlook;
  readonly #options: Options;
  readonly #listeners = new Listeners();
  readonly #mailbox: Mailbox;
  readonly #deadlines: Deadlines;
  readonly #relay: Relay;
  readonly #roster: Roster;
  readonly #control: ControlServer;
  readonly #log: Log;
  readonly #pending = new Pending();
  readonly #prover: Prover;
  readonly #health: Health;
  readonly #memory: Memory;
  readonly #migrations: Migrations;
  readonly #proving: Proving;
  /** Whoever wants to know what happens, and what the apps say. */
  readonly notices = new Watchers<[Notice]>();
  readonly appMessages = new Watchers<[worker: string, message: unknown]>();
  #stopping: Promise<unknown> | null = null;
  #finish = () => {};
  #onFinished = () => {};
  /** Settles when nothing of this supervision is left: no worker, no socket, no timer. */
  readonly #finished = new Promise<void>((done) => {
    this.#onFinished = done;
  });

  constructor(app: App, options: Options) {
    this.app = app;
    this.#options = options;
    this.socket = options.socket ?? socketPath(app.name);
    this.#log = new Log(process.stderr, options.log ?? (process.stderr.isTTY ? 'pretty' : 'json'));
    this.#memory = new Memory(options.stateFile, this.socket, (reason) =>
      this.#announce({ level: 'warn', event: 'history-lost', reason })
    );
    const stopped: State = { phase: 'stopped', retiring: [], limits: limitsOf(options), ...this.#memory.earlier };
    this.#mailbox = new Mailbox(stopped, (effect) => perform(effect, this.#ports));
    const post = this.#mailbox.post.bind(this.#mailbox);
    const state = () => this.#mailbox.state;
    this.#deadlines = new Deadlines(post, (generation) => this.#roster.explainUnready(generation), now);
    this.#relay = new Relay({
      heirs: () => acceptorsOf(state()).map(({ id }) => this.#roster.asHeir(id)),
      expectsHeirs: () => !['stopping', 'stopped'].includes(state().phase),
      deliver: (worker, parcel, handle, onFailed) => this.#roster.deliver(worker, parcel, handle, onFailed),
      confirm: (worker, id) => this.#roster.confirm(worker, id),
      isAlive: (worker) => this.#roster.has(worker),
      onLost: (worker) =>
        this.#announce({ level: 'error', event: 'connection-lost', worker, reason: 'no worker could take it' })
    });
    this.#prover = new Prover(options.check, options.warmUp);
    const asking = { state, post, now, asked: (generation: number) => this.#roster.asked(generation) };
    this.#proving = new Proving(this.#prover, asking);
    this.#health = new Health(options, this.#prover, asking);
    this.#migrations = new Migrations(options.beforeCutover, app.env, { post, now });
    this.#roster = new Roster({
      listeners: this.#listeners,
      readiness: options.ready,
      vitals: this.#health.vitals,
      start: (worker, generation, release, watch) =>
        startWorker({ worker, generation, release, watch, app, options, listeners: this.#listeners }),
      post,
      now,
      active: () => this.active(),
      onConnection: (worker, message, handle) => this.#relay.take(worker, message, handle),
      onAdopted: (worker, id) => this.#relay.onAdopted(worker, id),
      onDeclined: (worker, id) => this.#relay.onDeclined(worker, id),
      onHeir: () => this.#relay.onHeir(),
      onGone: (worker) => this.#relay.onGone(worker),
      onAppMessage: (worker, message) => this.appMessages.tell(worker, message),
      onGarbage: (worker, reason) =>
        this.#announce({ level: 'warn', event: 'garbage', worker, code: 'HANDOVER_ERR_PROTOCOL_MESSAGE', reason })
    });
    const takeCount = (generation: number) => this.#relay.takeCount(generation);
    this.orders = new Orders(this.#pending, { state, post, now, takeCount }, options);
    this.outlook = new Outlook({
      app: app.name,
      memory: this.#memory,
      vitals: this.#health.vitals,
      state,
      now,
      addresses: () => this.addresses,
      measure: () => this.#roster.measure()
    });
    this.#control = new ControlServer(this.socket, this.#operator);
  }

  get addresses(): readonly string[] {
    return this.#listeners.shown;
  }

  /** Binds, opens the control socket and starts the first generation. On failure, nothing is left behind. */
  async start(release: Release, signals: boolean): Promise<void> {
    await this.#control.open(this.app.name);
    if (this.#memory.loss) this.#announce({ level: 'warn', event: 'history-lost', reason: this.#memory.loss });
    const releaseLast = onLastMoment(() => this.#control.removeFile());
    const releaseSignals = signals ? obeySignals(this.#signalled) : () => {};
    const releaseOutput = outliveOutput();
    const stopKeeping = this.#memory.keepOn(() => this.outlook.counted());
    this.#finish = () => {
      releaseLast();
      releaseSignals();
      releaseOutput();
      stopKeeping();
      this.#deadlines.clearAll();
      this.#relay.close();
      this.#prover.close();
      this.#health.close();
      this.#migrations.cancel();
      this.#listeners.close();
      this.#control.close();
      forgetUsage();
      this.#onFinished();
    };
    try {
      for (const address of this.#options.listen) await this.#listeners.bind(address, true);
      if (this.#stopping) throw new HandoverError('HANDOVER_ERR_REFUSED_STOPPING', STOPPED_EARLY);
    } catch (error) {
      this.#finish();
      throw error;
    }
    try {
      this.#health.begin();
      await this.orders.boot(release);
    } catch (error) {
      await this.#finished;
      await this.#memory.flush();
      throw error;
    }
  }

  async stop(why: string): Promise<{ ok: true }> {
    this.#stopping ??= this.orders.stop(why);
    await this.#stopping;
    await this.#finished;
    await this.#memory.flush();
    return { ok: true };
  }

  active(): number | null {
    return activeOf(this.#mailbox.state)?.id ?? null;
  }

  readonly #ports: Ports = {
    fork: (worker, generation, release) => this.#roster.fork(worker, generation, release),
    prove: (generation, worker) => void this.#proving.prove(generation, worker),
    migrate: (from, generation, release) => this.#migrations.begin(from, generation, release),
    cancelMigration: () => this.#migrations.cancel(),
    accept: (worker) => this.#roster.accept(worker),
    hold: (worker, yields) => this.#roster.hold(worker, yields),
    pause: (worker, heirs) => this.#roster.pause(worker, heirs),
    activate: (worker) => this.#roster.setDuty(worker, 'activate'),
    deactivate: (worker) => this.#roster.setDuty(worker, 'deactivate'),
    drain: (worker, heirs) => this.#roster.drain(worker, heirs),
    terminate: (worker) => this.#roster.signal(worker, 'SIGTERM'),
    kill: (worker) => this.#roster.signal(worker, 'SIGKILL'),
    setDeadline: (deadline, about, afterMs) => this.#deadlines.set(deadline, about, afterMs),
    clearDeadline: (deadline, about) => this.#deadlines.clear(deadline, about),
    answer: (request, answer) => this.#pending.answer(request, answer),
    announce: (notice) => this.#announce(notice),
    closeListeners: () => {
      this.#listeners.close();
      this.#relay.onHeir(); // nobody inherits any more: what is on its way goes back
    }
  };

  #announce(notice: Notice): void {
    this.#count(notice);
    const { event, worker = '' } = notice;
    const held = event === 'drain-overdue' ? this.#roster.holders(worker) : {};
    const told = { ...tidyNotice(notice), ...held, ...(event === 'started' ? { listeners: this.addresses } : {}) };
    this.#log.write(told);
    this.notices.tell(told);
    this.#memory.keep(this.outlook.counted());
    if (event === 'stopped') setImmediate(() => this.#finish());
  }

  /** What is counted from a moment on that only the core knows. */
  #count({ event, level, generation, from, strategy }: Notice): void {
    if (event === 'worker-exited' && level === 'warn') this.#health.vitals.onExit(Number(generation));
    // Connections that move count for the handover in which they do: worker by worker, before the cutover.
    if (event === 'starting') this.#relay.takeCount(this.active() ?? 0);
    const atOnce = strategy === 'blue-green' || strategy === 'exclusive';
    if (event === 'cutover' && atOnce) this.#relay.takeCount(Number(from));
  }

  get #operator(): Operator {
    const { orders, outlook } = this;
    return {
      active: () => this.active(),
      status: () => outlook.status(),
      history: () => outlook.history(),
      reload: (order) => orders.reload(order),
      rollback: (order) => orders.rollback(order),
      promote: () => orders.promote(),
      abort: () => orders.abort(),
      retire: () => orders.retire(),
      scale: (workers) => orders.scale(workers),
      stop: (why) => this.stop(why),
      watch: (listener) => this.notices.add((notice) => listener({ time: new Date().toISOString(), ...notice }))
    };
  }

  readonly #signalled = {
    stop: (signal: string) => {
      if (this.#stopping) this.#mailbox.post({ type: 'hurry-asked', at: now() });
      else void this.stop(signal);
    },
    reload: () => void this.orders.reloadUnasked((notice) => this.#announce(notice))
  };
}
