import { activeOf } from '../core/state/generations.ts';
import type { Bake, News, State } from '../core/state/state.ts';
import type { Checkers } from '../host/checks/checkers.ts';
import type { PrivateTarget } from '../host/checks/private-client.ts';
import { measureUsage, readAvailableShare } from '../host/measure/usage.ts';
import { Watchdog } from '../host/measure/watchdog.ts';
import type { Options } from '../options/options.ts';

/** How often a new active generation is compared with the one before, and its checks are asked again. */
const COMPARE_MS = 1_000;
const RECHECK_MS = 2_000;
/** Requests are counted for the history without a bake too; seconds are kept for what may be asked of them. */
const KEEP_MS = 60_000;

export interface HealthPorts {
  state(): State;
  post(news: News): void;
  now(): number;
  /** The workers of a generation, to be asked privately. */
  targetsOf(generation: number): PrivateTarget[];
}

/** Tells the core what is measured: who hangs, who grows, and what a new generation does that the one before did not. */
export class Health {
  readonly watchdog: Watchdog;
  readonly #checkers: Checkers;
  readonly #ports: HealthPorts;
  #timer: NodeJS.Timeout | null = null;
  /** The generation that is being checked again, or was last, and when. */
  #rechecked = { generation: 0, at: 0, busy: false };

  /** @param options those of the generation that is active at the moment */
  constructor(options: () => Options, checkers: Checkers, ports: HealthPorts) {
    this.#checkers = checkers;
    this.#ports = ports;
    const { post, now } = ports;
    this.watchdog = new Watchdog(
      {
        get hangMs() {
          return options().hangTimeout;
        },
        get keepMs() {
          return 2 * options().bake.forMs + KEEP_MS;
        },
        get maxMemoryBytes() {
          return options().maxMemory;
        },
        get standbyShare() {
          return options().standbyMemory;
        }
      },
      {
        now,
        readUsage: measureUsage,
        readAvailable: readAvailableShare,
        onHung: (worker, silentMs) => post({ type: 'worker-hung', worker, silentMs, at: now() }),
        onHeavy: (worker, rssBytes) =>
          post({ type: 'worker-heavy', worker, rssBytes, limitBytes: options().maxMemory ?? 0, at: now() }),
        onLowMemory: (share) => post({ type: 'memory-low', share, at: now() })
      }
    );
  }

  begin(): void {
    this.watchdog.begin();
    this.#timer = setInterval(() => this.#compare(), COMPARE_MS);
    this.#timer.unref();
  }

  close(): void {
    this.watchdog.close();
    if (this.#timer) clearInterval(this.#timer);
  }

  #compare(): void {
    const state = this.#ports.state();
    const bake = state.phase === 'steady' ? state.bake : null;
    if (!bake) return;
    const at = this.#ports.now();
    const { generation: about, from, since, undisturbedUntil, forMs } = bake;
    const before = this.watchdog.measured(from, undisturbedUntil - forMs, undisturbedUntil);
    const after = this.watchdog.measured(about, since, at);
    this.#ports.post({ type: 'sampled', about, at, before: before.spanMs > 0 ? before : null, after });
    void this.#recheck(bake, at);
  }

  async #recheck({ generation: about }: Bake, at: number): Promise<void> {
    const { generation, at: last, busy } = this.#rechecked;
    if (busy || (generation === about && at - last < RECHECK_MS)) return;
    this.#rechecked = { generation: about, at, busy: true };
    const proof = await this.#checkers.of(about).checkAgain(this.#ports.targetsOf(about));
    this.#rechecked = { generation: about, at: this.#ports.now(), busy: false };
    // A worker that went away meanwhile is another signal's business.
    if (!proof || proof.holds || activeOf(this.#ports.state())?.id !== about) return;
    this.#ports.post({ type: 'check-failed', about, at: this.#ports.now(), check: proof.check, why: proof.why });
  }
}
