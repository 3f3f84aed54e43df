import { socketPath } from '../control/socket-path.ts';
import { writeRouting } from '../core/routing/routing-of.ts';
import { activeOf, isCuttingOver, releaseOf, releasesAhead } from '../core/state/generations.ts';
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
import type { Relay } from '../host/relay.ts';
import type { Succession } from '../host/succession.ts';
import { TicketKeys } from '../host/ticket-keys.ts';
import { limitsOf } from '../options/limits.ts';
import { BeforeCutoverRunner } from './before-cutover.ts';
import { Checking } from './checking.ts';
import { now } from './clock.ts';
import type { Configuration } from './configuration.ts';
import { countFrom } from './count-from.ts';
import { Deadlines } from './deadlines.ts';
import { Health } from './health.ts';
import { Mailbox } from './mailbox.ts';
import { Operations, STOPPED_EARLY } from './operations.ts';
import { createOperator, createSignalActions } from './operator.ts';
import { Orders } from './orders.ts';
import { Pending } from './pending.ts';
import { type Ports, perform } from './perform.ts';
import { Place, SUPERSEDED } from './place.ts';
import { createPorts, createRelay } from './ports.ts';
import { SavedState } from './saved-state.ts';
import { type App, adoptWorker, startWorker } from './start-worker.ts';
import { StatusSource } from './status-source.ts';
import { Takeover } from './takeover.ts';
import { Upgrade } from './upgrade.ts';
import { createSettled, Watchers } from './watchers.ts';

/** Joins the rooms: orders become news for the core, effects become deeds of the host. */
export class Supervisor {
  readonly app: App;
  readonly socket: string;
  readonly operations: Operations;
  readonly statusSource: StatusSource;
  readonly #listeners: Listeners;
  readonly #takeover: Takeover;
  readonly #plans: Plans;
  readonly #mailbox: Mailbox;
  readonly #deadlines: Deadlines;
  readonly #ticketKeys = new TicketKeys();
  readonly #departed = new Departed();
  readonly #relay: Relay;
  readonly #workers: Workers;
  readonly #preload: HeldPreload;
  readonly #place: Place;
  readonly log: Log;
  readonly #pending = new Pending();
  readonly #checkers: Checkers;
  readonly health: Health;
  readonly #savedState: SavedState;
  readonly #beforeCutover: BeforeCutoverRunner;
  readonly #checking: Checking;
  /** Whoever wants to know what happens, and what the apps say. */
  readonly notices = new Watchers<[Notice]>();
  readonly appMessages = new Watchers<[worker: string, message: unknown]>();
  readonly #undo: (() => void)[] = [];
  readonly #does: Ports;
  readonly upgrade: Upgrade;
  readonly orders = new Orders();
  readonly warn = (notice: Notice) => this.#announce(notice);
  readonly onEnd = (undo: () => void) => void this.#undo.push(undo);
  #stopping: Promise<unknown> | null = null;
  #finish = () => {};
  /** Settles when nothing of this supervision is left: no worker, no socket, no timer. */
  readonly #finished = createSettled();

  constructor(app: App, configuration: Configuration) {
    const options = configuration.optionsOf(undefined);
    this.app = app;
    this.socket = options.socket ?? socketPath(app.name);
    this.#preload = new HeldPreload(this.socket);
    this.log = new Log(options, (notice) => this.#announce(notice));
    const onLoss = (reason: string) => this.#announce({ level: 'warn', event: 'history-lost', reason });
    this.#savedState = new SavedState(options.stateFile, this.socket, onLoss);
    const nothing = { retiring: [], drained: null, plannedStop: null };
    const stopped: State = { phase: 'stopped', ...nothing, limits: limitsOf(options), ...this.#savedState.earlier };
    const onState = (next: State) => {
      this.#workers.route((generation) => writeRouting(next, generation), next.drained?.closesIdle === true);
      this.#takeover.remember(next);
    };
    const mayDecide = () => this.#place.holds();
    this.#mailbox = new Mailbox(stopped, (effect) => perform(effect, this.#does), onState, mayDecide);
    const post = this.#mailbox.post.bind(this.#mailbox);
    const state = () => this.#mailbox.state;
    const of = (release: Release | undefined) => configuration.optionsOf(release);
    const optionsOf = (generation: number | null) => of(releaseOf(state(), generation));
    this.#deadlines = new Deadlines(post, (generation) => this.#workers.explainUnready(generation), now);
    const announce = this.warn;
    this.#relay = createRelay({ state, workers: () => this.#workers, departed: this.#departed, announce });
    this.#checkers = new Checkers(optionsOf);
    const asking = { state, post, now, announce, targetsOf: (of: number) => this.#workers.targetsOf(of) };
    this.health = new Health(() => optionsOf(this.active()), this.#checkers, asking);
    const { watchdog } = this.health;
    const recall = (generation: number) => this.#workers.recall(generation);
    this.#checking = new Checking(this.#checkers, { ...asking, watchdog, recall });
    this.#beforeCutover = new BeforeCutoverRunner(of, app, { post, now });
    const access = { mode: options.listenMode, group: options.listenGroup };
    this.#listeners = new Listeners(access, (key) => this.#workers.lending.drop(key));
    this.#place = new Place(this.socket, createOperator(this), {
      ...{ savedState: this.#savedState, announce },
      onKnock: (knock) => this.#takeover.onKnock(knock),
      keepState: () => this.#savedState.keep(this.statusSource.counted()),
      onSuperseded: () => this.#leave(SUPERSEDED)
    });
    this.#plans = new Plans(this.#listeners, {
      releaseOf: (generation) => releaseOf(state(), generation),
      releasesAhead: () => releasesAhead(state())
    });
    const { linkFile, links } = this.#place;
    const { log } = this;
    const lasting = { app, log, plans: this.#plans, preload: this.#preload, ticketKeys: this.#ticketKeys, links };
    this.#workers = new Workers({
      ...{ listeners: this.#listeners, plans: this.#plans, relay: this.#relay, departed: this.#departed },
      ...{ readinessOf: optionsOf, watchdog, announce, post, now, active: () => this.active() },
      isCuttingOver: () => isCuttingOver(state()),
      start: (start) => startWorker({ ...start, options: of(start.release), ...lasting }),
      adopt: (found, release, watch) => adoptWorker(found, release, watch, { ...lasting, options: of(release) }),
      onNamed: (workers) => this.#place.name(workers),
      onAppMessage: (worker, message) => this.appMessages.tell(worker, message)
    });
    this.#takeover = new Takeover({
      ...{ linkFile, listeners: this.#listeners, plans: this.#plans, workers: this.#workers },
      ...{ relay: this.#relay, ticketKeys: this.#ticketKeys, mailbox: this.#mailbox, announce, now }
    });
    const { secureOf, sweep } = this.#workers;
    const ordering = { ...asking, departed: this.#departed, sweep, orders: this.orders, plans: this.#plans };
    this.operations = new Operations(this.#pending, { ...ordering, supervised: app, secureOf }, configuration);
    this.statusSource = new StatusSource({
      ...{ app: app.name, savedState: this.#savedState, watchdog, departed: this.#departed, state, now },
      addresses: () => this.addresses,
      candidateNote: () => this.#checking.note,
      configNote: () => configuration.describe(activeOf(state())),
      measure: () => this.#workers.measure()
    });
    this.upgrade = new Upgrade({
      ...{ mailbox: this.#mailbox, workers: this.#workers, relay: this.#relay, place: this.#place, announce },
      ...{ savedState: this.#savedState, leave: (notice) => this.#leave(notice) }
    });
    this.#does = createPorts({
      ...{ workers: this.#workers, checking: this.#checking, beforeCutover: this.#beforeCutover, relay: this.#relay },
      ...{ deadlines: this.#deadlines, pending: this.#pending, listeners: this.#listeners, announce }
    });
  }

  get addresses(): readonly string[] {
    return this.#listeners.shown;
  }

  /** Binds, opens the control socket and starts the first generation. On failure, nothing is left behind. */
  async start(release: Release, signals: boolean, succession: Succession | null = null): Promise<void> {
    await this.#place.take(this.app.name, succession);
    this.#savedState.tellLoss();
    this.#undo.push(
      outliveOutput(),
      this.#savedState.keepOn(() => this.statusSource.counted())
    );
    this.#undo.push(onLastMoment(() => this.#place.close()));
    if (signals) this.#undo.push(handleSignals(createSignalActions(this)));
    this.#finish = () => {
      for (const one of this.#undo) one();
      this.#deadlines.clearAll();
      for (const one of [this.#relay, this.#ticketKeys, this.#checkers, this.health]) one.close();
      this.#beforeCutover.cancel();
      this.#listeners.close();
      this.#place.close();
      this.#preload.remove();
      this.#finished.settle();
    };
    const adopted = await this.#takeover.run(release, (missing) => this.#place.takeOver(missing, succession));
    succession?.say({ done: true });
    if (adopted) {
      this.health.begin();
      if (this.#stopping) void this.operations.stop('the supervisor was asked to stop');
      return;
    }
    let plan: Plan;
    try {
      plan = await this.operations.bind(release);
      if (this.#stopping) throw new HandoverError('HANDOVER_ERR_REFUSED_STOPPING', STOPPED_EARLY);
    } catch (error) {
      this.#finish();
      throw error;
    }
    try {
      this.health.begin();
      await this.operations.boot(release, plan);
    } catch (error) {
      await this.#finished.promise;
      await this.#savedState.flush();
      throw error;
    }
  }

  async stop(why: string): Promise<{ ok: true }> {
    this.#stopping ??= this.operations.stop(why);
    await Promise.all([this.#stopping, this.#finished.promise]);
    await this.#savedState.flush();
    return { ok: true };
  }

  /** Ends what still takes its time after an order to stop; without one, it is that order. */
  stopOrHurry(why: string): void {
    if (this.#stopping) this.#mailbox.post({ type: 'hurry-asked', at: now() });
    else void this.stop(why);
  }

  /** Makes the files anew by which this supervisor is found, where something has removed them. */
  readonly look = () => this.#place.look();

  /** Whether an earlier supervisor has left workers that may still serve. */
  readonly takesOver = () => this.#place.linkFile.earlier !== null;

  readonly active = () => activeOf(this.#mailbox.state)?.id ?? null;

  /** Another supervisor has taken over: nothing is touched that is its own by now. */
  #leave(notice: Notice): void {
    this.#place.leave();
    this.#deadlines.clearAll();
    for (const one of [this.#checkers, this.health, this.#ticketKeys]) one.close();
    for (const one of this.#undo.splice(0)) one();
    this.log.write(notice);
    this.notices.tell(notice);
  }

  #announce(notice: Notice): void {
    countFrom(notice, { watchdog: this.health.watchdog, departed: this.#departed, active: this.active() });
    const { event, worker = '' } = notice;
    if (event === 'cover-over') this.#workers.closeUnserved();
    const held = event === 'drain-overdue' ? this.#workers.holders(worker) : {};
    const listeners = event === 'started' ? { listeners: this.addresses } : {};
    const told = { ...tidyNotice(this.orders.sign(notice)), ...held, ...listeners };
    this.log.write(told);
    this.notices.tell(told);
    this.#savedState.keep(this.statusSource.counted());
    if (event === 'stopped') setImmediate(() => this.#finish());
  }
}
