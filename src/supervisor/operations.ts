import type {
  AbortDone,
  CanaryDone,
  DrainDone,
  DrainOrder,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone,
  UndrainDone
} from '../control/routes.ts';
import { WHOLE } from '../core/rules/drained.ts';
import { activeOf } from '../core/state/generations.ts';
import { releaseBefore } from '../core/state/history.ts';
import type { Generation, News, Notice, Release, ReleaseOrder, ReleaseSettings, State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import type { Departed } from '../host/departed.ts';
import type { Plan, Plans } from '../host/listeners/plans.ts';
import { releaseFromHistory } from '../host/releases/release-from-history.ts';
import { resolveRelease } from '../host/releases/resolve-release.ts';
import { readShareText } from '../options/canary.ts';
import { readDuration } from '../options/durations.ts';
import { type Configuration, settingsOf } from './configuration.ts';
import type { Orders } from './orders.ts';
import type { Done, Pending } from './pending.ts';
import { notAShare, planCanary } from './plan-canary.ts';
import { NOTHING, type Prepared } from './prepared.ts';
import * as replies from './replies.ts';
import type { App } from './start-worker.ts';

export interface OperationsPorts {
  state(): State;
  post(news: News): void;
  now(): number;
  announce(notice: Notice): void;
  /** Connections that have moved away from a generation since it was asked last. */
  readonly departed: Pick<Departed, 'take'>;
  /** Closes what nobody needs any more. */
  sweep(): void;
  readonly plans: Plans;
  /** An address on which a generation speaks TLS; null where it does on none. */
  secureOf(generation: number): string | null;
  /** Who asks for what is asked for. */
  readonly orders: Orders;
  readonly supervised: App;
}

export const STOPPED_EARLY = {
  ...{ what: 'Nothing was started', why: 'the supervisor was asked to stop', fix: 'Start it again' }
};

/** What the operator asks for becomes news for the core; what the core answers becomes the reply. */
export class Operations {
  readonly #pending: Pending;
  readonly #ports: OperationsPorts;
  readonly #configuration: Configuration;
  /** How many workers a generation gets since the operator has scaled; null where the options say it. */
  #scaled: number | null = null;

  constructor(pending: Pending, ports: OperationsPorts, configuration: Configuration) {
    this.#pending = pending;
    this.#ports = ports;
    this.#configuration = configuration;
  }

  /**
   * Binds the addresses that are named for a release, and makes sure that its workers can be started as whom they are to run.
   *
   * @throws HANDOVER_ERR_LISTEN_*, HANDOVER_ERR_OPTION_USER
   */
  async bind(release: Release, active: number | null = null): Promise<Plan> {
    const { plans, supervised } = this.#ports;
    const options = this.#configuration.optionsOf(release);
    try {
      await supervised.users.prepare(options, release);
      supervised.users.assertLink(options);
      const plan = await plans.prepare(options.listen);
      plans.keep(release, plan);
      return plan;
    } catch (error) {
      const { code, what, why, fix } = HandoverError.from(error);
      if (active === null) throw error;
      const account = { what, why, fix: `${fix}; nothing was started, generation ${active} is still active` };
      throw new HandoverError(code, account, { cause: error, active });
    }
  }

  /** Starts the first generation, whose addresses are bound. */
  async boot(release: Release, plan: Plan): Promise<void> {
    const { workers: size, strategy } = release.settings ?? this.#settings();
    await this.#orderWith(plan, (request, at) => ({ type: 'boot-asked', request, release, size, strategy, at }));
  }

  async reload({ strategy: once, supersede = false, wait = false, ...order }: ReloadOrder): Promise<ReloadDone> {
    const { phase, before } = this.#before();
    const operator = this.#ports.orders.by;
    const early = ['starting', 'checking', 'rolling', 'canary'].includes(phase);
    // Refused before it is looked for: a wrong moment is not the entry's fault.
    const inTime = phase === 'steady' || (early && supersede);
    const { release, settings, change, plan } =
      inTime && before ? await this.#prepare(order, before) : { ...NOTHING, settings: this.#settings() };
    const strategy = once ?? settings.strategy;
    const options = this.#configuration.optionsOf(inTime ? release : undefined);
    const secure = this.#ports.secureOf(before?.id ?? 0);
    const canary = inTime ? planCanary(options.canary, order, { strategy, secure, active: before?.id ?? null }) : null;
    const start = {
      release,
      size: settings.workers,
      kind: 'reload',
      strategy,
      supersedes: supersede,
      waits: wait,
      canary,
      operator
    } as const;
    const answer = await this.#orderWith(plan, (request, at) => ({ type: 'reload-asked', request, ...start, at }));
    return { ...replies.reloadDone(answer, this.#ports.departed), ...(change ? { config: change } : {}) };
  }

  /** Reads the config anew, and resolves what is to start. */
  async #prepare(order: ReleaseOrder, { id, release: before }: Generation): Promise<Prepared> {
    const reading = await this.#configuration.read(id);
    const { options, base } = reading;
    // What the operator scaled to holds until the config says another number.
    if (options.workers !== this.#configuration.optionsOf(before).workers) this.#scaled = null;
    const settings = settingsOf(options, this.#scaled);
    const release = { ...(await resolveRelease(order, base, before.asked, id, this.#ports.supervised.env)), settings };
    const change = this.#configuration.compare(before, reading, release);
    this.#configuration.keep(release, reading);
    const plan = await this.bind(release, id);
    const { changed, overridden, needsRestart } = change;
    if (changed.length + overridden.length + needsRestart.length === 0)
      return { release, settings, plan, change: null };
    this.#ports.announce({ level: needsRestart.length > 0 ? 'warn' : 'info', event: 'config-changed', ...change });
    return { release, settings, plan, change };
  }

  #settings(release?: Release): ReleaseSettings {
    return settingsOf(this.#configuration.optionsOf(release), this.#scaled);
  }

  /** A reload that nobody waits for: on a signal. */
  async reloadUnasked(): Promise<void> {
    try {
      await this.reload({});
    } catch (error) {
      const { code, message } = HandoverError.from(error);
      // A candidate that failed has been announced by the core; nobody has heard of a refusal yet.
      const told = code.startsWith('HANDOVER_ERR_CANDIDATE') && code !== 'HANDOVER_ERR_CANDIDATE_ENTRY';
      if (!told) this.#ports.announce({ level: 'error', event: 'failed', code, reason: message });
    }
  }

  async rollback({ to, supersede }: RollbackOrder): Promise<RollbackDone> {
    const canary = this.#before();
    const operator = this.#ports.orders.by;
    // Another generation of the history: first the canary goes.
    if (canary.phase === 'canary' && to !== undefined && ![canary.before?.id, canary.standby].includes(to))
      await this.abort();
    const { phase, before, standby } = this.#before();
    if (to !== undefined && to !== standby && phase === 'steady') {
      const release = releaseFromHistory(this.#ports.state().history, to, before?.id ?? null);
      const flags = { supersedes: supersede ?? false, waits: false };
      if (before) this.#configuration.inherit(release, before.release);
      const { workers, strategy } = release.settings ?? this.#settings(release);
      const start = { release, size: this.#scaled ?? workers, kind: 'rollback', strategy, operator, ...flags } as const;
      const plan = await this.bind(release, before?.id ?? null);
      const answer = await this.#orderWith(plan, (request, at) => ({ type: 'reload-asked', request, ...start, at }));
      return replies.rollbackDone(answer, this.#ports.departed);
    }
    if (before?.strategy === 'in-place' && standby === null) this.#assertStartable(before);
    const answer = await this.#order((request, at) => ({ type: 'rollback-asked', request, to: to ?? null, at }));
    return replies.rollbackDone(answer, this.#ports.departed);
  }

  /** @param given 0-1, or such as `"25%"` */
  async canary(given: string | number): Promise<CanaryDone> {
    const share = readShareText(given);
    if (share === undefined) throw notAShare(given);
    return replies.canaryDone(await this.#order((request, at) => ({ type: 'share-asked', request, share, at })));
  }

  async promote(): Promise<PromoteDone> {
    return replies.promoteDone(await this.#order((request, at) => ({ type: 'promote-asked', request, at })));
  }

  async abort(): Promise<AbortDone> {
    return replies.abortDone(await this.#order((request, at) => ({ type: 'abort-asked', request, at })));
  }

  async retire(): Promise<RetireDone> {
    return replies.retireDone(await this.#order((request, at) => ({ type: 'retire-asked', request, at })));
  }

  async scale(size: number): Promise<ScaleDone> {
    // From now on: also where the new workers are slow to come.
    if (this.#ports.state().phase === 'steady') this.#scaled = size;
    return replies.scaleDone(await this.#order((request, at) => ({ type: 'scale-asked', request, size, at })));
  }

  async drain({ for: time, closeIdle: closesIdle = false }: DrainOrder): Promise<DrainDone> {
    const asked = { forMs: readDuration(1)(time) ?? null, closesIdle, by: this.#ports.orders.by };
    return replies.drainDone(await this.#order((request, at) => ({ type: 'drain-asked', request, ...asked, at })));
  }

  async undrain(): Promise<UndrainDone> {
    return replies.undrainDone(await this.#order((request, at) => ({ type: 'undrain-asked', request, at })));
  }

  /** A stop that waits until load balancers have looked waits no more; where none does, nothing happens. */
  endWaiting(): void {
    this.#ports.post({ type: 'stop-due', about: WHOLE, at: this.#ports.now() });
  }

  async stop(why: string): Promise<void> {
    await this.#order((request, at) => ({ type: 'stop-asked', request, why, at }));
  }

  /** In place, a rollback begins by letting a worker go: not where the version before could not be started. */
  #assertStartable(active: Generation): void {
    const state = this.#ports.state();
    const release = releaseBefore(state, active);
    const found = state.history.findLast((one) => one.release === release);
    if (found) releaseFromHistory(state.history, found.generation, active.id);
  }

  /** Gives an order whose addresses are bound, and lets go of those that nobody needs when it is over. */
  async #orderWith(plan: Plan | null, news: (request: number, at: number) => News): Promise<Done> {
    try {
      return await this.#order(news);
    } finally {
      if (plan) this.#ports.plans.settle(plan);
      this.#ports.sweep();
    }
  }

  #order(news: (request: number, at: number) => News) {
    return this.#pending.order((request) => this.#ports.post(news(request, this.#ports.now())));
  }

  #before(): { phase: State['phase']; before: Generation | null; standby: number | null } {
    const state = this.#ports.state();
    const standby = 'standby' in state ? (state.standby?.id ?? null) : null;
    return { phase: state.phase, before: activeOf(state), standby };
  }
}
