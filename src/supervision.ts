import { socketPath } from './control/place.ts';
import type { Operator, ReloadDone, RollbackDone, ServiceEvent } from './control/routes.ts';
import { ControlServer } from './control/server.ts';
import { acceptorsOf } from './core/cover.ts';
import { activeOf } from './core/generations.ts';
import type { Notice, Release } from './core/model.ts';
import { describeStatus, type Status, UNMEASURED } from './core/status.ts';
import { HandoverError } from './errors.ts';
import { onLastMoment } from './host/exit.ts';
import { Listeners, showAddress } from './host/listener.ts';
import { Log, tidyNotice } from './host/log.ts';
import { outliveOutput } from './host/output.ts';
import { Prover } from './host/prover.ts';
import { Relay } from './host/relay.ts';
import { resolveRelease } from './host/release.ts';
import { Roster } from './host/roster.ts';
import { obeySignals } from './host/signals.ts';
import { forgetUsage } from './host/usage.ts';
import { limitsOf } from './limits.ts';
import type { Options } from './options.ts';
import { type App, startWorker } from './start-worker.ts';
import { Deadlines } from './supervisor/deadlines.ts';
import { Mailbox } from './supervisor/mailbox.ts';
import { Pending } from './supervisor/pending.ts';
import { type Ports, perform } from './supervisor/perform.ts';
import { reloadDone, rollbackDone } from './supervisor/replies.ts';
import { version } from './version.ts';

const NOTHING_YET = { phase: 'stopped', lastGeneration: 0, retiring: [], history: [] } as const;
const STOPPED_EARLY = { what: 'Nothing was started', why: 'the supervisor was asked to stop', fix: 'Start it again' };

/** Joins the rooms: orders become news for the core, effects become deeds of the host. */
export class Supervision implements Operator {
  readonly app: App;
  readonly socket: string;
  readonly #options: Options;
  readonly #startedAt = now();
  readonly #listeners = new Listeners();
  readonly #mailbox: Mailbox;
  readonly #deadlines: Deadlines;
  readonly #relay: Relay;
  readonly #roster: Roster;
  readonly #control: ControlServer;
  readonly #log: Log;
  readonly #pending = new Pending();
  readonly #prover: Prover;
  readonly #watchers = new Set<(notice: Notice) => void>();
  readonly #appWatchers = new Set<(worker: string, message: unknown) => void>();
  #stopping: Promise<unknown> | null = null;
  #finish: () => void = () => {};
  #onFinished: () => void = () => {};
  /** Settles when nothing of this supervision is left: no worker, no socket, no timer. */
  readonly #finished = new Promise<void>((done) => {
    this.#onFinished = done;
  });

  constructor(app: App, options: Options) {
    this.app = app;
    this.#options = options;
    this.socket = options.socket ?? socketPath(app.name);
    this.#log = new Log(process.stderr, options.log ?? (process.stderr.isTTY ? 'pretty' : 'json'));
    this.#mailbox = new Mailbox({ ...NOTHING_YET, limits: limitsOf(options) }, (effect) =>
      perform(effect, this.#ports)
    );
    const post = this.#mailbox.post.bind(this.#mailbox);
    this.#deadlines = new Deadlines(post, (generation) => this.#roster.explainUnready(generation), now);
    this.#relay = new Relay({
      heirs: () => acceptorsOf(this.#mailbox.state).map(({ id }) => this.#roster.asHeir(id)),
      expectsHeirs: () => !['stopping', 'stopped'].includes(this.#mailbox.state.phase),
      deliver: (worker, parcel, handle, onFailed) => this.#roster.deliver(worker, parcel, handle, onFailed),
      confirm: (worker, id) => this.#roster.confirm(worker, id),
      isAlive: (worker) => this.#roster.has(worker),
      onLost: (worker) =>
        this.#announce({ level: 'error', event: 'connection-lost', worker, reason: 'no worker could take it' })
    });
    this.#roster = new Roster({
      listeners: this.#listeners,
      readiness: options.ready,
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
      onAppMessage: (worker, message) => {
        for (const watcher of this.#appWatchers) watcher(worker, message);
      },
      onGarbage: (worker, reason) =>
        this.#announce({ level: 'warn', event: 'garbage', worker, code: 'HANDOVER_ERR_PROTOCOL_MESSAGE', reason })
    });
    this.#prover = new Prover(options.check, options.warmUp);
    this.#control = new ControlServer(this.socket, this);
  }

  get addresses(): readonly string[] {
    return this.#listeners.held.map(({ address }) => showAddress(address));
  }

  /** Binds, opens the control socket and starts the first generation. On failure, nothing is left behind. */
  async start(release: Release, signals: boolean): Promise<void> {
    await this.#control.open(this.app.name);
    const releaseLast = onLastMoment(() => this.#control.removeFile());
    const releaseSignals = signals ? obeySignals(this.#signalled) : () => {};
    const releaseOutput = outliveOutput();
    this.#finish = () => {
      releaseLast();
      releaseSignals();
      releaseOutput();
      this.#deadlines.clearAll();
      this.#relay.close();
      this.#prover.close();
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
      const size = this.#options.workers;
      await this.#pending.order((request) =>
        this.#mailbox.post({ type: 'boot-asked', request, release, size, at: now() })
      );
    } catch (error) {
      await this.#finished;
      throw error;
    }
  }

  async reload(entry?: string): Promise<ReloadDone> {
    const active = activeOf(this.#mailbox.state);
    const asked = entry ?? active?.release.entry ?? '';
    // Refused before it is looked for: a wrong moment is not the entry's fault.
    const release =
      this.#mailbox.state.phase === 'steady'
        ? resolveRelease(asked, this.app.folder, active?.id ?? null)
        : { entry: asked, file: asked, cwd: this.app.folder };
    const size = this.#options.workers;
    const answer = await this.#pending.order((request) =>
      this.#mailbox.post({ type: 'reload-asked', request, release, size, at: now() })
    );
    return reloadDone(answer, (from) => this.#relay.takeCount(from));
  }

  async rollback(): Promise<RollbackDone> {
    const at = now();
    const answer = await this.#pending.order((request) => this.#mailbox.post({ type: 'rollback-asked', request, at }));
    return rollbackDone(answer, (from) => this.#relay.takeCount(from));
  }

  async stop(why: string): Promise<{ ok: true }> {
    this.#stopping ??= this.#pending.order((request) =>
      this.#mailbox.post({ type: 'stop-asked', request, why, at: now() })
    );
    await this.#stopping;
    await this.#finished;
    return { ok: true };
  }

  async status(): Promise<Status> {
    const measured = await this.#roster.measure();
    const around = {
      app: this.app.name,
      supervisor: { pid: process.pid, version, node: process.version, uptimeMs: Math.round(now() - this.#startedAt) },
      listeners: this.addresses.map((address) => ({ address }))
    };
    return describeStatus(this.#mailbox.state, around, (worker) => measured.get(worker) ?? UNMEASURED);
  }

  active(): number | null {
    return activeOf(this.#mailbox.state)?.id ?? null;
  }

  watch(listener: (event: ServiceEvent) => void): () => void {
    return this.onNotice((notice) => listener({ time: new Date().toISOString(), ...notice }));
  }

  onNotice(watcher: (notice: Notice) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  onAppMessage = (watcher: (worker: string, message: unknown) => void) => void this.#appWatchers.add(watcher);

  readonly #ports: Ports = {
    fork: (worker, generation, release) => this.#roster.fork(worker, generation, release),
    prove: (generation) => void this.#prove(generation),
    accept: (worker) => this.#roster.accept(worker),
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
    if (notice.event === 'cutover') this.#relay.takeCount(Number(notice.from)); // counts from this handover on
    const held = notice.event === 'drain-overdue' ? this.#roster.holders(notice.worker ?? '') : {};
    const where = notice.event === 'started' ? { listeners: this.addresses } : {};
    const told = { ...tidyNotice(notice), ...held, ...where };
    this.#log.write(told);
    for (const watcher of this.#watchers) watcher(told);
    if (notice.event === 'stopped') setImmediate(() => this.#finish());
  }

  async #prove(about: number): Promise<void> {
    const proof = await this.#prover.prove(this.#roster.asked(about));
    if (proof.holds) this.#mailbox.post({ type: 'proven', about, at: now() });
    else this.#mailbox.post({ type: 'check-failed', about, at: now(), check: proof.check, why: proof.why });
  }

  readonly #signalled = {
    stop: (signal: string) => {
      if (this.#stopping) this.#mailbox.post({ type: 'hurry-asked', at: now() });
      else void this.stop(signal);
    },
    reload: () => {
      this.reload().catch((error) => {
        const { code, message } = HandoverError.from(error);
        // A candidate that failed has been announced by the core; nobody has heard of a refusal yet.
        if (code.startsWith('HANDOVER_ERR_REFUSED') || code === 'HANDOVER_ERR_CANDIDATE_ENTRY') {
          this.#announce({ level: 'error', event: 'failed', code, reason: message });
        }
      });
    }
  };
}

/** Milliseconds since the epoch, finer than `Date.now()` and never going back. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
