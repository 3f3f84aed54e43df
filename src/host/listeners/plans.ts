import type { Generation, Release } from '../../core/state/state.ts';
import type { ListenAddress } from '../../options/readers.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { takePassed } from './activation.ts';
import type { Listener, Listeners } from './listeners.ts';

/** The addresses that were named for a release: the key of each, in their order, and the port of the server that is to get it. */
export type Plan = ReadonlyMap<string, number | null>;

/** Plans as the next supervisor hears of them: by generation, and the keys of what was written. */
export interface SavedPlans {
  readonly byGeneration: readonly (readonly [
    generation: number,
    plan: readonly (readonly [string, number | null])[]
  ])[];
  readonly keys: readonly (readonly [written: string, key: string])[];
}

export interface PlansPorts {
  releaseOf(generation: number): Release | undefined;
  /** The releases that serve, or are about to. */
  releasesAhead(): readonly Release[];
}

/** Which addresses are named for which release: `listen` of the config may change from one to the next. */
export class Plans {
  readonly #listeners: Listeners;
  readonly #ports: PlansPorts;
  readonly #byRelease = new WeakMap<Release, Plan>();
  /** Of orders that are not carried out yet. */
  readonly #pending = new Set<Plan>();
  /** By how an address is written: a port that the system chose stays the same as long as the config does. */
  readonly #keys = new Map<string, string>();

  constructor(listeners: Listeners, ports: PlansPorts) {
    this.#listeners = listeners;
    this.#ports = ports;
  }

  /**
   * Binds what is named and not held yet. It is kept until {@link settle}, whoever serves.
   *
   * @throws HANDOVER_ERR_LISTEN_*; what was bound for it is let go of
   */
  async prepare(addresses: readonly ListenAddress[]): Promise<Plan> {
    const listeners = this.#listeners;
    const before = new Set(listeners.held.map(({ key }) => key));
    const plan = new Map<string, number | null>();
    try {
      for (const [at, address] of addresses.entries()) {
        for (const { key } of await this.#hold(address, at)) if (!plan.has(key)) plan.set(key, address.asked);
      }
    } catch (error) {
      for (const key of plan.keys()) if (!before.has(key)) listeners.release(key);
      throw error;
    }
    this.#pending.add(plan);
    return plan;
  }

  /** The order that a plan was made for is carried out, or has failed. */
  settle(plan: Plan): void {
    this.#pending.delete(plan);
  }

  keep(release: Release, plan: Plan): void {
    this.#byRelease.set(release, plan);
  }

  /** What the next supervisor has to know. @param generations those that have a process */
  save(generations: readonly Generation[]): SavedPlans {
    const byGeneration = generations.flatMap(({ id, release }) => {
      const plan = this.#byRelease.get(release);
      return plan ? [[id, [...plan]] as const] : [];
    });
    return { byGeneration, keys: [...this.#keys] };
  }

  /** Takes over what an earlier supervisor saved. */
  adopt({ byGeneration, keys }: SavedPlans, generations: readonly Generation[]): void {
    for (const [id, plan] of byGeneration) {
      const generation = generations.find((one) => one.id === id);
      if (generation) this.keep(generation.release, new Map(plan));
    }
    for (const [written, key] of keys) this.#keys.set(written, key);
  }

  /** What is lent to the workers of a generation: first what is named for it, then what else is held. */
  lentTo(generation: number | null): readonly Lent[] {
    const listeners = this.#listeners;
    const plan = this.#planOf(generation);
    if (!plan) return listeners.held;
    const named = [...plan].flatMap(([key, asked]) => {
      const listener = listeners.known(key);
      return listener ? [{ ...lentOf(listener), named: true, asked }] : [];
    });
    const others = listeners.held.filter(({ key }) => !plan.has(key));
    return [...named, ...others.map((listener) => ({ ...lentOf(listener), named: false, asked: null }))];
  }

  isNamedFor(generation: number | null, key: string): boolean {
    return this.#planOf(generation)?.has(key) ?? this.#listeners.find(key)?.named === true;
  }

  /** Whether an address is named for a release that serves, or is about to. */
  isNamed(key: string): boolean {
    const plans = this.#ports.releasesAhead().map((release) => this.#byRelease.get(release));
    return [...plans, ...this.#pending].some((plan) => plan?.has(key));
  }

  /** Binds again what is named for a generation and was let go of. */
  reopen(generation: number): void {
    for (const key of this.#planOf(generation)?.keys() ?? []) this.#listeners.reopen(key);
  }

  #planOf(generation: number | null): Plan | undefined {
    const release = generation === null ? undefined : this.#ports.releaseOf(generation);
    return release && this.#byRelease.get(release);
  }

  async #hold(address: ListenAddress, at: number): Promise<readonly Listener[]> {
    const { asked } = address;
    if (!('systemd' in address)) return [await this.#bind(address, at)];
    return takePassed(address.systemd).map((one) => this.#listeners.take(one, asked));
  }

  async #bind(address: Exclude<ListenAddress, { systemd: unknown }>, at: number): Promise<Listener> {
    const listeners = this.#listeners;
    const { asked, ...wanted } = address;
    const written = JSON.stringify([wanted, 'port' in wanted && wanted.port === 0 ? at : null]);
    const key = this.#keys.get(written);
    if (key !== undefined) listeners.reopen(key);
    const known = key === undefined ? undefined : listeners.find(key);
    const listener = known ?? (await listeners.bind(wanted, true, asked));
    this.#keys.set(written, listener.key);
    return listener;
  }
}

function lentOf({ key, address, named, asked }: Listener): Lent {
  return { key, address, named, asked };
}
