import { ControlServer } from '../control/server.ts';
import { socketPath } from '../control/socket-path.ts';
import { acceptorsOf } from '../core/rules/cover.ts';
import { activeOf, releaseOf, releasesAhead } from '../core/state/generations.ts';
import type { Notice, Release, State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import { Checkers } from '../host/checks/checkers.ts';
import { Departed } from '../host/departed.ts';
import { onLastMoment } from '../host/exit.ts';
import { Listeners } from '../host/listeners/listeners.ts';
import { type Plan, Plans } from '../host/listeners/plans.ts';
import { Log, tidyNotice } from '../host/log.ts';
import { handleSignals } from '../host/process-signals.ts';
import { HeldPreload } from '../host/processes/held-preload.ts';
import { outliveOutput } from '../host/processes/output.ts';
import { Workers } from '../host/processes/workers.ts';
import { Relay } from '../host/relay.ts';
import { TicketKeys } from '../host/ticket-keys.ts';
import { limitsOf } from '../options/limits.ts';
import { BeforeCutoverRunner } from './before-cutover.ts';
import { Checking } from './checking.ts';
import { now } from './clock.ts';
import type { Configuration } from './configuration.ts';
import { Deadlines } from './deadlines.ts';
import { Health } from './health.ts';
import { Mailbox } from './mailbox.ts';
import { Operations } from './operations.ts';
import { createOperator } from './operator.ts';
import { Pending } from './pending.ts';
import { type Ports, perform } from './perform.ts';
import { SavedState } from './saved-state.ts';
import { type App, startWorker } from './start-worker.ts';
import { StatusSource } from './status-source.ts';
import { Watchers } from './watchers.ts';

const STOPPED_EARLY = { what: 'Nothing was started', why: 'the supervisor was asked to stop', fix: 'Start it again' };

/** Joins the rooms: orders become news for the core, effects become deeds of the host. */
export class Supervisor {
  readonly app: App;
  readonly socket: string;
  readonly operations: Operations;
  readonly statusSource: StatusSource;
  readonly #listeners: Listeners;
  readonly #plans: Plans;
  readonly #mailbox: Mailbox;
  readonly #deadlines: Deadlines;
  readonly #ticketKeys = new TicketKeys();
  readonly #departed = new Departed();
  readonly #relay: Relay;
  readonly #workers: Workers;
  readonly #preload: HeldPreload;
  readonly #control: ControlServer;
  readonly #log: Log;
  readonly #pending = new Pending();
  readonly #checkers: Checkers;
  readonly #health: Health;
  readonly #savedState: SavedState;
  readonly #beforeCutover: BeforeCutoverRunner;
  readonly #checking: Checking;
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

  constructor(app: App, configuration: Configuration) {
    const options = configuration.optionsOf(undefined);
    this.app = app;
    this.socket = options.socket ?? socketPath(app.name);
    this.#preload = new HeldPreload(this.socket);
    this.#log = new Log(process.stderr, options.log ?? (process.stderr.isTTY ? 'pretty' : 'json'));
    this.#savedState = new SavedState(options.stateFile, this.socket, (reason) =>
      this.#announce({ level: 'warn', event: 'history-lost', reason })
    );
    const stopped: State = { phase: 'stopped', retiring: [], limits: limitsOf(options), ...this.#savedState.earlier };
    this.#mailbox = new Mailbox(stopped, (effect) => perform(effect, this.#ports));
    const post = this.#mailbox.post.bind(this.#mailbox);
    const state = () => this.#mailbox.state;
    const optionsOf = (generation: number | null) => configuration.optionsOf(releaseOf(state(), generation));
    this.#deadlines = new Deadlines(post, (generation) => this.#workers.explainUnready(generation), now);
    this.#relay = new Relay({
      receivers: () => acceptorsOf(state()).map(({ id }) => this.#workers.asReceiver(id)),
      expectsReceivers: () => !['stopping', 'stopped'].includes(state().phase),
      deliver: (worker, transfer, handle, onFailed) => this.#workers.deliver(worker, transfer, handle, onFailed),
      confirm: (worker, id, busy) => this.#workers.confirm(worker, id, busy),
      isAlive: (worker) => this.#workers.has(worker),
      onMoved: (from, moving, refused) => this.#departed.onMoved(from, moving, refused),
      onLost: (worker) =>
        this.#announce({ level: 'error', event: 'connection-lost', worker, reason: 'no worker could take it' })
    });
    this.#checkers = new Checkers(optionsOf);
    const announce = (notice: Notice) => this.#announce(notice);
    const targetsOf = (generation: number) => this.#workers.targetsOf(generation);
    const asking = { state, post, now, targetsOf, announce };
    this.#health = new Health(() => optionsOf(this.active()), this.#checkers, asking);
    const { watchdog } = this.#health;
    const recall = (generation: number) => this.#workers.recall(generation);
    this.#checking = new Checking(this.#checkers, { ...asking, watchdog, recall });
    this.#beforeCutover = new BeforeCutoverRunner((of) => configuration.optionsOf(of), app.env, { post, now });
    this.#listeners = new Listeners({ mode: options.listenMode, group: options.listenGroup });
    this.#plans = new Plans(this.#listeners, {
      releaseOf: (generation) => releaseOf(state(), generation),
      releasesAhead: () => releasesAhead(state())
    });
    const lasting = { app, plans: this.#plans, preload: this.#preload, ticketKeys: this.#ticketKeys };
    this.#workers = new Workers({
      listeners: this.#listeners,
      plans: this.#plans,
      readinessOf: optionsOf,
      watchdog: this.#health.watchdog,
      announce,
      start: (worker, generation, release, watch) =>
        startWorker({ worker, generation, release, watch, options: configuration.optionsOf(release), ...lasting }),
      post,
      now,
      active: () => this.active(),
      relay: this.#relay,
      departed: this.#departed,
      onAppMessage: (worker, message) => this.appMessages.tell(worker, message)
    });
    const sweep = () => this.#workers.sweep();
    const ordering = { state, post, now, announce, departed: this.#departed, sweep, plans: this.#plans, env: app.env };
    this.operations = new Operations(this.#pending, ordering, configuration);
    this.statusSource = new StatusSource({
      app: app.name,
      savedState: this.#savedState,
      watchdog: this.#health.watchdog,
      state,
      now,
      addresses: () => this.addresses,
      candidateNote: () => this.#checking.note,
      configNote: () => configuration.describe(activeOf(state())),
      measure: () => this.#workers.measure(),
      departed: this.#departed
    });
    this.#control = new ControlServer(this.socket, createOperator(this));
  }

  get addresses(): readonly string[] {
    return this.#listeners.shown;
  }

  /** Binds, opens the control socket and starts the first generation. On failure, nothing is left behind. */
  async start(release: Release, signals: boolean): Promise<void> {
    await this.#control.open(this.app.name);
    if (this.#savedState.loss) this.#announce({ level: 'warn', event: 'history-lost', reason: this.#savedState.loss });
    const undo = [onLastMoment(() => this.#control.removeFile()), outliveOutput()];
    if (signals) undo.push(handleSignals(this.#onSignal));
    undo.push(this.#savedState.keepOn(() => this.statusSource.counted()));
    this.#finish = () => {
      for (const one of undo) one();
      this.#deadlines.clearAll();
      for (const one of [this.#relay, this.#ticketKeys, this.#checkers, this.#health]) one.close();
      this.#beforeCutover.cancel();
      this.#listeners.close();
      this.#control.close();
      this.#preload.remove();
      this.#onFinished();
    };
    let plan: Plan;
    try {
      plan = await this.operations.bind(release);
      if (this.#stopping) throw new HandoverError('HANDOVER_ERR_REFUSED_STOPPING', STOPPED_EARLY);
    } catch (error) {
      this.#finish();
      throw error;
    }
    try {
      this.#health.begin();
      await this.operations.boot(release, plan);
    } catch (error) {
      await this.#finished;
      await this.#savedState.flush();
      throw error;
    }
  }

  async stop(why: string): Promise<{ ok: true }> {
    this.#stopping ??= this.operations.stop(why);
    await this.#stopping;
    await this.#finished;
    await this.#savedState.flush();
    return { ok: true };
  }

  active(): number | null {
    return activeOf(this.#mailbox.state)?.id ?? null;
  }

  readonly #ports: Ports = {
    fork: (worker, generation, release) => this.#workers.fork(worker, generation, release),
    check: (generation, worker) => void this.#checking.check(generation, worker),
    verify: (generation) => void this.#workers.verify(generation),
    migrate: (from, generation, release) => this.#beforeCutover.begin(from, generation, release),
    cancelBeforeCutover: () => this.#beforeCutover.cancel(),
    accept: (worker) => this.#workers.accept(worker),
    hold: (worker, yields) => this.#workers.hold(worker, yields),
    pause: (worker, receivers, hurry) => this.#workers.pause(worker, receivers, hurry),
    activate: (worker) => this.#workers.setWhileActive(worker, 'activate'),
    deactivate: (worker) => this.#workers.setWhileActive(worker, 'deactivate'),
    drain: (worker, receivers) => this.#workers.drain(worker, receivers),
    terminate: (worker) => this.#workers.signal(worker, 'SIGTERM'),
    kill: (worker) => this.#workers.signal(worker, 'SIGKILL'),
    setDeadline: (deadline, about, afterMs) => this.#deadlines.set(deadline, about, afterMs),
    clearDeadline: (deadline, about) => this.#deadlines.clear(deadline, about),
    reply: (request, answer) => this.#pending.reply(request, answer),
    announce: (notice) => this.#announce(notice),
    closeListeners: () => {
      this.#listeners.close();
      this.#relay.onReceiver(); // nobody inherits any more: what is on its way goes back
    }
  };

  #announce(notice: Notice): void {
    this.#count(notice);
    const { event, worker = '' } = notice;
    if (event === 'cover-over') this.#workers.closeUnserved();
    const held = event === 'drain-overdue' ? this.#workers.holders(worker) : {};
    const told = { ...tidyNotice(notice), ...held, ...(event === 'started' ? { listeners: this.addresses } : {}) };
    this.#log.write(told);
    this.notices.tell(told);
    this.#savedState.keep(this.statusSource.counted());
    if (event === 'stopped') setImmediate(() => this.#finish());
  }

  /** What is counted from a moment on that only the core knows. */
  #count({ event, level, generation, from, strategy }: Notice): void {
    if (event === 'worker-exited' && level === 'warn') this.#health.watchdog.onExit(Number(generation));
    // Connections that move count for the handover in which they do: worker by worker, before the cutover.
    if (event === 'starting') this.#departed.forget(this.active() ?? 0);
    const atOnce = strategy === 'blue-green' || strategy === 'exclusive';
    if (event === 'cutover' && atOnce) this.#departed.forget(Number(from));
  }

  readonly #onSignal = {
    stop: (signal: string) => {
      if (this.#stopping) this.#mailbox.post({ type: 'hurry-asked', at: now() });
      else void this.stop(signal);
    },
    reload: () => void this.operations.reloadUnasked()
  };
}
