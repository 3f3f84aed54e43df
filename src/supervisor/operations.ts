import type {
  AbortDone,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone
} from '../control/routes.ts';
import { activeOf } from '../core/state/generations.ts';
import { releaseBefore } from '../core/state/history.ts';
import type { Generation, News, Notice, Release, State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import { releaseFromHistory } from '../host/releases/release-from-history.ts';
import { resolveRelease } from '../host/releases/resolve-release.ts';
import type { StrategyName } from '../options/strategies.ts';
import type { Pending } from './pending.ts';
import { abortDone, promoteDone, reloadDone, retireDone, rollbackDone, scaleDone } from './replies.ts';

export interface OperationsPorts {
  state(): State;
  post(news: News): void;
  now(): number;
  /** Connections that have moved away from a generation since it was asked last. */
  takeCount(generation: number): number;
  /** The environment of the app. */
  readonly env: NodeJS.ProcessEnv;
}

/** What the operator asks for becomes news for the core; what the core answers becomes the reply. */
export class Operations {
  readonly #pending: Pending;
  readonly #ports: OperationsPorts;
  readonly #strategy: StrategyName;
  /** How many workers a generation gets: as the options say, until the operator scales. */
  #size: number;

  constructor(
    pending: Pending,
    ports: OperationsPorts,
    { workers, strategy }: { workers: number; strategy: StrategyName }
  ) {
    this.#pending = pending;
    this.#ports = ports;
    this.#size = workers;
    this.#strategy = strategy;
  }

  async boot(release: Release): Promise<void> {
    const start = { release, size: this.#size, strategy: this.#strategy };
    await this.#order((request, at) => ({ type: 'boot-asked', request, ...start, at }));
  }

  async reload(order: ReloadOrder): Promise<ReloadDone> {
    const { phase, before } = this.#before();
    const early = phase === 'starting' || phase === 'checking' || phase === 'rolling';
    // Refused before it is looked for: a wrong moment is not the entry's fault.
    const inTime = phase === 'steady' || (early && order.supersede === true);
    const release =
      inTime && before ? await resolveRelease(order, before.release, before.id, this.#ports.env) : NO_RELEASE;
    const strategy = order.strategy ?? this.#strategy;
    const flags = { supersedes: order.supersede ?? false, waits: order.wait ?? false };
    const start = { release, size: this.#size, kind: 'reload', strategy, ...flags } as const;
    const answer = await this.#order((request, at) => ({ type: 'reload-asked', request, ...start, at }));
    return reloadDone(answer, this.#ports.takeCount);
  }

  /** A reload that nobody waits for: on a signal. */
  async reloadUnasked(announce: (notice: Notice) => void): Promise<void> {
    try {
      await this.reload({});
    } catch (error) {
      const { code, message } = HandoverError.from(error);
      // A candidate that failed has been announced by the core; nobody has heard of a refusal yet.
      if (code.startsWith('HANDOVER_ERR_REFUSED') || code === 'HANDOVER_ERR_CANDIDATE_ENTRY')
        announce({ level: 'error', event: 'failed', code, reason: message });
    }
  }

  async rollback({ to, supersede }: RollbackOrder): Promise<RollbackDone> {
    const { phase, before, standby } = this.#before();
    if (to !== undefined && to !== standby && phase === 'steady') {
      const release = releaseFromHistory(this.#ports.state().history, to, before?.id ?? null);
      const flags = { supersedes: supersede ?? false, waits: false };
      const start = { release, size: this.#size, kind: 'rollback', strategy: this.#strategy, ...flags } as const;
      const answer = await this.#order((request, at) => ({ type: 'reload-asked', request, ...start, at }));
      return rollbackDone(answer, this.#ports.takeCount);
    }
    if (before?.strategy === 'in-place' && standby === null) this.#assertStartable(before);
    const answer = await this.#order((request, at) => ({ type: 'rollback-asked', request, to: to ?? null, at }));
    return rollbackDone(answer, this.#ports.takeCount);
  }

  async promote(): Promise<PromoteDone> {
    return promoteDone(await this.#order((request, at) => ({ type: 'promote-asked', request, at })));
  }

  async abort(): Promise<AbortDone> {
    return abortDone(await this.#order((request, at) => ({ type: 'abort-asked', request, at })));
  }

  async retire(): Promise<RetireDone> {
    return retireDone(await this.#order((request, at) => ({ type: 'retire-asked', request, at })));
  }

  async scale(size: number): Promise<ScaleDone> {
    // From now on: also where the new workers are slow to come.
    if (this.#ports.state().phase === 'steady') this.#size = size;
    return scaleDone(await this.#order((request, at) => ({ type: 'scale-asked', request, size, at })));
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

  #order(news: (request: number, at: number) => News) {
    return this.#pending.order((request) => this.#ports.post(news(request, this.#ports.now())));
  }

  #before(): { phase: State['phase']; before: Generation | null; standby: number | null } {
    const state = this.#ports.state();
    const standby = 'standby' in state ? (state.standby?.id ?? null) : null;
    return { phase: state.phase, before: activeOf(state), standby };
  }
}

/** Of an order that is refused in any case. */
const NO_RELEASE: Release = {
  ...{ entry: '', file: '', cwd: '', folder: '', args: [], env: {} },
  ...{ envFile: null, node: null, nodeOptions: [], label: null, asked: { env: {}, node: null } }
};
