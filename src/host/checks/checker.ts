import { setTimeout as delay } from 'node:timers/promises';
import type { Check, CheckFunction, WarmUp } from '../../options/checks.ts';
import type { CheckFailure, PrivateClient, PrivateTarget } from './private-client.ts';

/** What a generation came to when it was checked. */
export type CheckResult =
  | { readonly holds: true }
  | { readonly holds: false; readonly check: string; readonly why: string };

/** How many private connections a worker is asked over at once, where nothing else is said. */
const CONNECTIONS = 4;

/** How long it may take to be heard that a process has ended, after its connections have. */
const LAST_NEWS_MS = 100;

type Checks = readonly (Check | CheckFunction)[];

/** Checks candidates and warms them up, before they may accept one public connection. */
export class Checker {
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
  async check(workers: readonly PrivateTarget[]): Promise<CheckResult> {
    const result = await this.#ask(workers, this.#checks, this.#warmUp);
    if (!result.holds) await delay(LAST_NEWS_MS);
    return result;
  }

  /** Asks the checks again that go on while the generation bakes. */
  checkAgain(workers: readonly PrivateTarget[]): Promise<CheckResult> {
    const lasting = this.#checks.filter((check) => typeof check !== 'function' && check.whileBaking);
    return lasting.length === 0 ? Promise.resolve({ holds: true }) : this.#ask(workers, lasting, null);
  }

  /** The supervisor ends: whatever is being asked is not worth an answer any more. */
  close(): void {
    this.#over.abort();
  }

  async #ask(workers: readonly PrivateTarget[], checks: Checks, warmUp: WarmUp | null): Promise<CheckResult> {
    const clients: { readonly asked: PrivateTarget; readonly client: PrivateClient }[] = [];
    try {
      // Loaded when there is something to ask: its HTTP client is a third of a supervisor's memory. Whoever has checks asks
      // the first generation too, so that no later one needs its files.
      const { PrivateClient } = await import('./private-client.ts');
      for (const asked of workers)
        clients.push({ asked, client: new PrivateClient(asked, warmUp?.concurrency ?? CONNECTIONS) });
      const failing = await Promise.all(clients.map(({ asked, client }) => this.#checkAll(asked, client, checks)));
      const first = failing.find((one) => one !== null);
      if (first) return first;
      if (warmUp) await Promise.all(clients.map(({ client }) => client.warmUp(warmUp, this.#over.signal)));
      return { holds: true };
    } catch (error) {
      return { holds: false, check: '(all)', why: `it could not be asked: ${String(error)}` };
    } finally {
      await Promise.all(clients.map(({ client }) => client.close()));
    }
  }

  async #checkAll(
    { worker }: PrivateTarget,
    client: PrivateClient,
    checks: Checks
  ): Promise<(CheckResult & { holds: false }) | null> {
    for (const check of checks) {
      const failing = await client.check(check, this.#over.signal);
      if (failing) return { holds: false, check: failing.what, why: explain(worker, failing) };
    }
    return null;
  }
}

function explain(worker: string, { expected, came }: CheckFailure): string {
  return `worker ${worker} gave ${came}; expected was ${expected}`;
}
