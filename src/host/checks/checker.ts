import { setTimeout as delay } from 'node:timers/promises';
import type { Check, CheckFunction, WarmUp } from '../../options/checks.ts';
import type { Asked, Failing, Probe } from './private-client.ts';

/** What a generation came to when it was checked. */
export type Proof = { readonly holds: true } | { readonly holds: false; readonly check: string; readonly why: string };

/** How many private connections a worker is asked over at once, where nothing else is said. */
const CONNECTIONS = 4;

/** How long it may take to be heard that a process has ended, after its connections have. */
const LAST_NEWS_MS = 100;

type Checks = readonly (Check | CheckFunction)[];

/** Checks candidates and warms them up, before they may accept one public connection. */
export class Prover {
  readonly #checks: Checks;
  readonly #warmUp: WarmUp | null;
  readonly #over = new AbortController();

  constructor(checks: Checks, warmUp: WarmUp | null) {
    this.#checks = checks;
    this.#warmUp = warmUp;
  }

  /**
   * Asks every worker of a generation, all at the same time: each check in its turn, then the warm-up.
   *
   * The first check that fails is the answer; if that is because its worker has died, the exit is known by then. What a
   * warm-up request comes to does not matter: it is not a check.
   */
  async prove(workers: readonly Asked[]): Promise<Proof> {
    const proof = await this.#ask(workers, this.#checks, this.#warmUp);
    if (!proof.holds) await delay(LAST_NEWS_MS);
    return proof;
  }

  /** Asks the checks again that go on while the generation bakes. */
  proveAgain(workers: readonly Asked[]): Promise<Proof> {
    const lasting = this.#checks.filter((check) => typeof check !== 'function' && check.whileBaking);
    return lasting.length === 0 ? Promise.resolve({ holds: true }) : this.#ask(workers, lasting, null);
  }

  /** The supervisor ends: whatever is being asked is not worth an answer any more. */
  close(): void {
    this.#over.abort();
  }

  async #ask(workers: readonly Asked[], checks: Checks, warmUp: WarmUp | null): Promise<Proof> {
    // Loaded when there is something to ask: its HTTP client is a third of a supervisor's memory.
    const { Probe } = await import('./private-client.ts');
    const probes = workers.map((asked) => ({ asked, probe: new Probe(asked, warmUp?.concurrency ?? CONNECTIONS) }));
    try {
      const failing = await Promise.all(probes.map(({ asked, probe }) => this.#checkAll(asked, probe, checks)));
      const first = failing.find((one) => one !== null);
      if (first) return first;
      if (warmUp) await Promise.all(probes.map(({ probe }) => probe.warmUp(warmUp, this.#over.signal)));
      return { holds: true };
    } catch (error) {
      return { holds: false, check: '(all)', why: `it could not be asked: ${String(error)}` };
    } finally {
      await Promise.all(probes.map(({ probe }) => probe.close()));
    }
  }

  async #checkAll({ worker }: Asked, probe: Probe, checks: Checks): Promise<(Proof & { holds: false }) | null> {
    for (const check of checks) {
      const failing = await probe.check(check, this.#over.signal);
      if (failing) return { holds: false, check: failing.what, why: explain(worker, failing) };
    }
    return null;
  }
}

function explain(worker: string, { expected, came }: Failing): string {
  return `worker ${worker} gave ${came}; expected was ${expected}`;
}
