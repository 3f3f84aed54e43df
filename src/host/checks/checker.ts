import { setTimeout as delay } from 'node:timers/promises';
import { CHECK_FUNCTION, type Check, type CheckFunction, type WarmUp } from '../../options/checks.ts';
import type { Options } from '../../options/options.ts';
import { type AskLimits, askAgain } from './ask-again.ts';
import type { CheckFailure, Live, PrivateClient, PrivateTarget } from './private-client.ts';

/** What a generation came to when it was checked. */
export type CheckResult =
  | { readonly holds: true }
  | { readonly holds: false; readonly check: string; readonly why: string };

/** How many private connections a worker is asked over at once, where nothing else is said. */
const CONNECTIONS = 4;

/** How long it may take to be heard that a process has ended, after its connections have. */
const LAST_NEWS_MS = 100;

type Checks = readonly (Check | CheckFunction)[];

/** What a check waits for: of which worker, and what that gave last. */
export interface Waiting {
  readonly worker: string;
  readonly check: string;
  readonly why: string;
}

type Recall = () => Promise<Live>;
type OnWaiting = (waiting: Waiting) => void;
type LimitsOf = (check: Check | CheckFunction, target: PrivateTarget) => AskLimits;

/** Checks candidates and warms them up, before they may accept one public connection. */
export class Checker {
  readonly #checks: Checks;
  readonly #warmUp: WarmUp | null;
  readonly #readyMs: number;
  /** What ends the checks that are under way. */
  readonly #underWay = new Set<AbortController>();

  constructor({ check, warmUp, readyTimeout }: Pick<Options, 'check' | 'warmUp' | 'readyTimeout'>) {
    this.#checks = check;
    this.#warmUp = warmUp;
    this.#readyMs = readyTimeout;
  }

  /**
   * Asks every worker of a generation, all at the same time: each check in its turn, then the warm-up.
   *
   * A check that fails is asked again until it holds, or the worker has had `readyTimeout` from its start; the first that
   * never did is the answer. What a warm-up request comes to does not matter: it is not a check.
   *
   * @param onWaiting called each time a check that failed is asked again
   * @param recall tells what the active generation is asked for
   * @returns null when a worker ended meanwhile: that is news of its own, and says more
   */
  check(workers: readonly PrivateTarget[], onWaiting: OnWaiting, recall: Recall): Promise<CheckResult | null> {
    const limitsOf: LimitsOf = (check, { startedAt }) => {
      const { intervalMs, timeoutMs } = typeof check === 'function' ? CHECK_FUNCTION : check;
      const until = startedAt + this.#readyMs;
      return { intervalMs, timeoutMs: Math.min(timeoutMs, this.#readyMs), until, attempts: Number.POSITIVE_INFINITY };
    };
    return this.#ask(workers, this.#checks, this.#warmUp, limitsOf, onWaiting, recall);
  }

  /** Asks the checks again that go on while the generation bakes: they have held, so few failures in a row are enough. */
  async checkAgain(workers: readonly PrivateTarget[]): Promise<CheckResult | null> {
    const lasting = this.#checks.filter((check) => typeof check !== 'function' && check.whileBaking);
    if (lasting.length === 0) return { holds: true };
    const limitsOf: LimitsOf = (check) => ({ ...(check as Check), until: Number.POSITIVE_INFINITY });
    return this.#ask(workers, lasting, null, limitsOf, () => {});
  }

  /** The supervisor ends: whatever is being asked is not worth an answer any more. */
  close(): void {
    for (const asking of this.#underWay) asking.abort();
  }

  async #ask(
    workers: readonly PrivateTarget[],
    checks: Checks,
    warmUp: WarmUp | null,
    limitsOf: LimitsOf,
    onWaiting: OnWaiting,
    recall: Recall = async () => ({ requests: [], p99Ms: null })
  ): Promise<CheckResult | null> {
    const asking = new AbortController();
    const { signal } = asking;
    const end = () => asking.abort();
    this.#underWay.add(asking);
    for (const { ended } of workers) ended.addEventListener('abort', end);
    let clients: { readonly target: PrivateTarget; readonly client: PrivateClient }[] = [];
    try {
      // Loaded when there is something to ask: its HTTP client is a third of a supervisor's memory. Whoever has checks asks
      // the first generation too, so that no later one needs its files.
      const { PrivateClient } = await import('./private-client.ts');
      const connections = warmUp?.concurrency ?? CONNECTIONS;
      clients = workers.map((target) => ({ target, client: new PrivateClient(target, connections) }));
      if (workers.some(({ ended }) => ended.aborted)) return null;
      const failing = await Promise.all(
        clients.map(async ({ target, client }) => {
          const failure = await checkAll(target, client, checks, limitsOf, signal, onWaiting);
          if (!failure) return null;
          await delay(LAST_NEWS_MS);
          if (signal.aborted) return null;
          end();
          return failure;
        })
      );
      const first = failing.find((one) => one !== null);
      if (first) return first;
      if (warmUp) {
        const live = warmUp.live ? await recall() : null;
        await Promise.all(clients.map(({ target, client }) => warm(target, client, warmUp, live, signal)));
      }
      return signal.aborted ? null : { holds: true };
    } catch (error) {
      return signal.aborted ? null : { holds: false, check: '(all)', why: `it could not be asked: ${String(error)}` };
    } finally {
      this.#underWay.delete(asking);
      for (const { ended } of workers) ended.removeEventListener('abort', end);
      await Promise.all(clients.map(({ client }) => client.close()));
    }
  }
}

/** What it is warmed up with may wait; what the active generation is asked meanwhile may not. */
async function warm(
  { priority }: PrivateTarget,
  client: PrivateClient,
  warmUp: WarmUp,
  live: Live | null,
  signal: AbortSignal
): Promise<void> {
  priority.warmUp();
  try {
    await (live ? client.warmUpLive(live, warmUp, signal) : client.warmUp(warmUp, signal));
  } finally {
    priority.restore();
  }
}

async function checkAll(
  target: PrivateTarget,
  client: PrivateClient,
  checks: Checks,
  limitsOf: LimitsOf,
  signal: AbortSignal,
  onWaiting: OnWaiting
): Promise<(CheckResult & { holds: false }) | null> {
  const { worker } = target;
  for (const check of checks) {
    const failing = await askAgain(
      (timeoutMs) => client.try(check, timeoutMs, signal),
      limitsOf(check, target),
      signal,
      (failure) => onWaiting({ worker, check: failure.what, why: explain(worker, failure) })
    );
    if (failing) {
      const { what, asked, tookMs } = failing;
      const often = asked === 1 ? 'once' : `${asked} times in ${(tookMs / 1000).toFixed(1)} s`;
      return { holds: false, check: what, why: `${explain(worker, failing)}; asked ${often}` };
    }
    if (signal.aborted) return null;
  }
  return null;
}

function explain(worker: string, { expected, came }: CheckFailure): string {
  return `worker ${worker} gave ${came}; expected was ${expected}`;
}
