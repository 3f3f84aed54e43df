import type { Measured } from '../../core/verdict/signals.ts';
import type { ToSupervisor, ToWorker } from '../../protocol/messages.ts';
import { Measurements, type Totals } from './measurements.ts';
import { type MemoryLimits, type MemoryPorts, MemoryWatch } from './memory-watch.ts';

export interface WatchdogLimits extends MemoryLimits {
  /** A worker that is silent for so long hangs; 0 where that is not watched. */
  readonly hangMs: number;
  /** How long seconds are kept, for {@link Watchdog.measured}. */
  readonly keepMs: number;
}

export interface WatchdogPorts extends MemoryPorts {
  /** Milliseconds on a clock that never goes back: the one that `measured` is asked in. */
  now(): number;
  /** A worker has been silent for `hangMs`: told once, until it answers again. */
  onHung(worker: string, silentMs: number): void;
}

/** A worker that has been ready, as its record has it. */
export interface Watched {
  readonly id: string;
  readonly generation: number;
  readonly process: { readonly pid: number | null; send(message: ToWorker): void };
}

interface WatchedWorker extends Watched {
  /** When it was asked what it has not answered, or null. */
  askedAt: number | null;
  told: boolean;
}

/** How often every worker is asked. */
const ASK_MS = 1_000;
/** Shorter silence is what a busy worker has now and then, and not worth a word. */
const SILENT_MS = 2_000;
/** Memory is read every so many asks: it changes slowly, and reading costs a file for each worker. */
const MEMORY_EVERY = 2;

/**
 * Knows of every worker what it did, second by second, and whether it still answers.
 *
 * Each second a worker is asked what it did since it was last asked; that it answers is its heartbeat. Time in which
 * the supervisor itself was stopped or blocked is nobody's silence.
 *
 * `Workers` tells it who is ready, who has answered and who is gone; the supervisor which exits nobody had asked for, and
 * asks it what a generation did between two moments.
 */
export class Watchdog {
  readonly #limits: WatchdogLimits;
  readonly #ports: WatchdogPorts;
  readonly #memory: MemoryWatch;
  readonly #workers = new Map<string, WatchedWorker>();
  readonly #generations = new Map<number, Measurements>();
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;
  #tickedAt: number;

  constructor(limits: WatchdogLimits, ports: WatchdogPorts) {
    this.#limits = limits;
    this.#ports = ports;
    this.#memory = new MemoryWatch(limits, ports);
    this.#tickedAt = ports.now();
  }

  begin(): void {
    this.#timer ??= setInterval(() => this.tick(), ASK_MS).unref();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  watch({ id, generation, process }: Watched): void {
    this.#workers.set(id, { id, generation, process, askedAt: null, told: false });
    this.#measurementsOf(generation);
  }

  forget(worker: string): void {
    this.#workers.delete(worker);
  }

  /** A worker has answered, or said by itself what it did last. */
  take(worker: string, sample: Extract<ToSupervisor, { type: 'sampled' }>): void {
    const watched = this.#workers.get(worker);
    if (!watched) return;
    watched.askedAt = null;
    watched.told = false;
    this.#measurementsOf(watched.generation).add({ at: this.#ports.now(), worker, sample });
  }

  /** A worker has exited that nobody had asked to. */
  onExit(generation: number): void {
    this.#measurementsOf(generation).add({ at: this.#ports.now(), lost: 'exit' });
  }

  /** What a generation did between two moments, as far as it was watched and is kept. */
  measured(generation: number, fromMs: number, toMs: number): Measured {
    return (this.#generations.get(generation) ?? new Measurements(toMs)).measure(fromMs, toMs);
  }

  /** For how long a worker has not answered, or null where that is no more than usual. */
  silentMs(worker: string): number | null {
    const watched = this.#workers.get(worker);
    const silentMs = watched ? this.#silenceOf(watched) : 0;
    return silentMs < SILENT_MS ? null : silentMs;
  }

  /** Requests of a generation since it started, also when it is long gone. */
  totals(generation: number): Totals {
    return this.#generations.get(generation)?.totals ?? { requests: 0, failed: 0 };
  }

  /** One second is over: looks who is silent, and asks the others. */
  tick(): void {
    const now = this.#ports.now();
    const late = now - this.#tickedAt >= 2 * ASK_MS;
    this.#tickedAt = now;
    for (const samples of this.#generations.values()) samples.dropBefore(now - this.#limits.keepMs);
    for (const worker of this.#workers.values()) {
      if (worker.askedAt === null) this.#ask(worker, now);
      else if (late) worker.askedAt = now;
      else this.#judge(worker);
    }
    this.#ticks += 1;
    if (this.#ticks % MEMORY_EVERY === 0) void this.#readMemory(now);
  }

  #ask(worker: WatchedWorker, now: number): void {
    worker.askedAt = now;
    worker.process.send({ type: 'sample', ask: this.#ticks });
  }

  #judge(worker: WatchedWorker): void {
    const silentMs = this.#silenceOf(worker);
    if (this.#limits.hangMs === 0 || worker.told || silentMs < this.#limits.hangMs) return;
    worker.told = true;
    this.#measurementsOf(worker.generation).add({ at: this.#tickedAt, lost: 'hang' });
    this.#ports.onHung(worker.id, silentMs);
  }

  /** Up to the last tick only: what lies after it may be time in which the supervisor stood still. */
  #silenceOf({ askedAt }: WatchedWorker): number {
    return askedAt === null ? 0 : this.#tickedAt - askedAt;
  }

  async #readMemory(at: number): Promise<void> {
    const watched = [...this.#workers.values()];
    const pids = watched.flatMap(({ id, process: { pid } }) => (pid === null ? [] : [[id, pid] as const]));
    for (const [worker, rssBytes] of await this.#memory.read(new Map(pids), at)) {
      const generation = this.#workers.get(worker)?.generation;
      if (generation !== undefined) this.#measurementsOf(generation).add({ at, worker, rssBytes });
    }
  }

  #measurementsOf(generation: number): Measurements {
    const known = this.#generations.get(generation) ?? new Measurements(this.#ports.now());
    this.#generations.set(generation, known);
    return known;
  }
}
