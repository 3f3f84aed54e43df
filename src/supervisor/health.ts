import type { News, Notice, State } from '../core/state/state.ts';
import type { Measured } from '../core/verdict/measured.ts';
import { showValue } from '../core/verdict/reasons.ts';
import { MIB } from '../core/verdict/signals.ts';
import type { Checkers } from '../host/checks/checkers.ts';
import type { PrivateTarget } from '../host/checks/private-client.ts';
import { readAvailableBytes, readAvailableShare } from '../host/measure/usage.ts';
import { Watchdog } from '../host/measure/watchdog.ts';
import type { Options } from '../options/options.ts';

/** How often a new active generation is asked and compared with the one before: at first, and later. */
const SOON_MS = 250;
const LATER_MS = 1_000;
const SOON_FOR_MS = 10_000;
/** What its workers say by themselves is looked at once in so long at the most. */
const LOOK_MS = 50;
/** How often its checks are asked again. */
const RECHECK_MS = 2_000;
const HANDING_MS = 1_000;
/** Of two versions that both answer, what lies further back says nothing about now. */
const BESIDE_MS = 600_000;
/** The time before the cutover that it is compared with, at least: a short bake is no reason to know less. */
const BASELINE_MS = 30_000;
/** Requests are counted for the history without a bake too; seconds are kept for what may be asked of them. */
const KEEP_MS = 60_000;

/** A generation that is compared with another: after the cutover with what that did before, or both beside each other. */
interface Watched {
  readonly generation: number;
  readonly from: number;
  readonly since: number;
  readonly forMs: number;
  /** The end of the time that it is compared with; null where that is the same time. */
  readonly undisturbedUntil: number | null;
}

export interface HealthPorts {
  announce(notice: Notice): void;
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
  #askedAt = 0;
  #comparedAt = 0;
  /** What the version before did up to the cutover of a bake: it does not change any more. */
  #baseline: { readonly since: number; readonly before: Measured } | null = null;
  /** The generation that is being checked again, or was last, and when. */
  #rechecked = { generation: 0, at: 0, busy: false };

  /** @param options those of the generation that is active at the moment */
  constructor(options: () => Options, checkers: Checkers, ports: HealthPorts) {
    this.#checkers = checkers;
    this.#ports = ports;
    const { post, now } = ports;
    const keepMs = () => {
      const watched = this.#watched;
      const bakedMs = watched ? now() - watched.since : 0;
      return bakedMs + Math.max(options().bake.forMs, BASELINE_MS) + KEEP_MS;
    };
    this.watchdog = new Watchdog(
      {
        get hangMs() {
          return options().hangTimeout;
        },
        get keepMs() {
          return keepMs();
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
        readAvailable: readAvailableShare,
        readRoom: (rssBytes) => {
          const [most, free] = [options().maxMemory, readAvailableBytes()];
          return most === null || free === null ? free : Math.min(most - rssBytes, free);
        },
        onGrowth: ({ worker, perMinuteBytes, rssBytes, fullAt }) => {
          const grows = `its memory of ${Math.round(rssBytes / MIB)} MiB has grown by ${showValue('memory', perMinuteBytes)}`;
          const at = new Date(fullAt).toISOString();
          const fields = { worker, perMinuteBytes: Math.round(perMinuteBytes), fullAt: at };
          const reason = `${grows} for a long time: nothing will be left at ${at}`;
          ports.announce({ level: 'warn', event: 'memory-grows', ...fields, reason });
        },
        onMeasured: (generation) => this.#look(generation),
        onHung: (worker, silentMs) => post({ type: 'worker-hung', worker, silentMs, at: now() }),
        onHeavy: (worker, rssBytes) =>
          post({ type: 'worker-heavy', worker, rssBytes, limitBytes: options().maxMemory ?? 0, at: now() }),
        onLowMemory: (share) => post({ type: 'memory-low', share, at: now() })
      }
    );
  }

  begin(): void {
    this.watchdog.begin();
    this.#timer = setInterval(() => this.#ask(), SOON_MS);
    this.#timer.unref();
  }

  close(): void {
    this.watchdog.close();
    if (this.#timer) clearInterval(this.#timer);
  }

  get #watched(): Watched | null {
    const state = this.#ports.state();
    if (state.phase === 'steady') return state.bake;
    if (state.phase !== 'canary') return null;
    const { active, next, canary } = state;
    const since = Math.max(canary.since, this.#ports.now() - BESIDE_MS);
    return { generation: next.id, from: active.id, since, forMs: 0, undisturbedUntil: null };
  }

  /** Asks the workers of a new generation what they did, and compares what they have said so far. */
  #ask(): void {
    const watched = this.#watched;
    if (!watched) return;
    const at = this.#ports.now();
    if (at - watched.since > SOON_FOR_MS && at - this.#askedAt < LATER_MS) return;
    this.#askedAt = at;
    this.watchdog.ask(watched.generation);
    if (watched.undisturbedUntil === null) this.watchdog.ask(watched.from);
    this.#compare(watched, at);
    void this.#recheck(watched);
  }

  /** Compares where something new is known of the generation that is watched. */
  #look(generation: number): void {
    const watched = this.#watched;
    const at = this.#ports.now();
    if (watched?.generation === generation && at - this.#comparedAt >= LOOK_MS) this.#compare(watched, at);
  }

  #compare(watched: Watched, at: number): void {
    this.#comparedAt = at;
    const { generation: about, from, since, undisturbedUntil } = watched;
    const before =
      undisturbedUntil === null ? this.watchdog.measured(from, since, at) : this.#before(watched, undisturbedUntil);
    // The standby does nothing but hand its connections over, at first. One that answers says nothing of the machine.
    const standbyDelayMs =
      undisturbedUntil === null ? null : this.watchdog.measured(from, since + HANDING_MS, at).loopDelayMs;
    const after = { ...this.watchdog.measured(about, since, at), standbyDelayMs };
    const known = before.spanMs > 0 ? { ...before, fatal: this.watchdog.deathsBeside(about) } : null;
    this.#ports.post({ type: 'sampled', about, at, before: known, after });
  }

  #before({ from, since, forMs }: Watched, undisturbedUntil: number): Measured {
    if (this.#baseline?.since !== since) {
      const earliest = undisturbedUntil - Math.max(forMs, BASELINE_MS);
      this.#baseline = { since, before: this.watchdog.measured(from, earliest, undisturbedUntil) };
    }
    return this.#baseline.before;
  }

  async #recheck({ generation: about }: Watched): Promise<void> {
    const at = this.#ports.now();
    const { generation, at: last, busy } = this.#rechecked;
    if (busy || (generation === about && at - last < RECHECK_MS)) return;
    this.#rechecked = { generation: about, at, busy: true };
    const proof = await this.#checkers.of(about).checkAgain(this.#ports.targetsOf(about));
    this.#rechecked = { generation: about, at: this.#ports.now(), busy: false };
    // A worker that went away meanwhile is another signal's business.
    if (!proof || proof.holds || this.#watched?.generation !== about) return;
    this.#ports.post({ type: 'check-failed', about, at: this.#ports.now(), check: proof.check, why: proof.why });
  }
}
