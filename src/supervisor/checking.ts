import { activeOf } from '../core/state/generations.ts';
import type { News, Notice, State } from '../core/state/state.ts';
import { percentile } from '../core/verdict/judge.ts';
import type { Waiting } from '../host/checks/checker.ts';
import type { Checkers } from '../host/checks/checkers.ts';
import type { Live, PrivateTarget } from '../host/checks/private-client.ts';
import type { Watchdog } from '../host/measure/watchdog.ts';

const RECENT_MS = 60_000;

interface CheckingPorts {
  post(news: News): void;
  now(): number;
  announce(notice: Notice): void;
  /** The workers of a generation, to be asked privately. */
  targetsOf(generation: number): PrivateTarget[];
  state(): State;
  readonly watchdog: Watchdog;
  /** What a generation was asked for lately. */
  recall(generation: number): Promise<string[]>;
}

/** Has a candidate checked, whole or one worker of it, and tells the core how it went. */
export class Checking {
  readonly #checkers: Checkers;
  readonly #ports: CheckingPorts;
  /** What is asked again at the moment, by what was asked to be checked. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(checkers: Checkers, ports: CheckingPorts) {
    this.#checkers = checkers;
    this.#ports = ports;
  }

  /** What the check of a candidate that fails gave last, or null where none is waited for. */
  get note(): string | null {
    const [waiting] = this.#waiting.values();
    return waiting ? `its check ${waiting.check} is asked again: ${waiting.why}` : null;
  }

  async check(about: number, worker: string | null): Promise<void> {
    const { targetsOf, post, now } = this.#ports;
    const targets = targetsOf(about).filter((one) => worker === null || one.worker === worker);
    const subject = worker ?? String(about);
    const announced = new Set<string>();
    const result = await this.#checkers.of(about).check(
      targets,
      (waiting) => {
        this.#waiting.set(subject, waiting);
        if (!announced.has(waiting.check)) this.#announce(about, waiting);
        announced.add(waiting.check);
      },
      () => this.#recall()
    );
    this.#waiting.delete(subject);
    if (!result) return;
    const at = now();
    if (!result.holds) post({ type: 'check-failed', about, at, check: result.check, why: result.why });
    else if (worker === null) post({ type: 'proven', about, at });
    else post({ type: 'worker-proven', worker, at });
  }

  /** What the active generation was asked for in the last minute, and how slow it was. */
  async #recall(): Promise<Live> {
    const { state, now, watchdog, recall } = this.#ports;
    const active = activeOf(state())?.id ?? 0;
    const { latency } = watchdog.measured(active, now() - RECENT_MS, now());
    return { requests: await recall(active), p99Ms: percentile(latency, 0.99) };
  }

  #announce(generation: number, { worker, check, why }: Waiting): void {
    const reason = `${why}; asked again until it holds or readyTimeout is over`;
    this.#ports.announce({ level: 'info', event: 'check-waiting', generation, worker, check, reason });
  }
}
