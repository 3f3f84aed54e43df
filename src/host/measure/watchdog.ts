import type { Death, Measured } from '../../core/verdict/measured.ts';
import type { Sample, ToSupervisor, ToWorker } from '../../protocol/messages.ts';
import { Measurements, type Totals } from './measurements.ts';
import { type Growth, MemoryTrend } from './memory-trend.ts';
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
  /** Memory that is left for one worker, in bytes; null where it is not told. */
  readRoom(rssBytes: number): number | null;
  /** A worker has grown steadily for a long time. */
  onGrowth(growth: Growth): void;
  /** Something new is known of a generation. */
  onMeasured(generation: number): void;
  /** A worker has been silent for `hangMs`: told once, until it answers again. */
  onHung(worker: string, silentMs: number): void;
}

/** A worker that has been ready, as its record has it. */
export interface Watched {
  readonly id: string;
  readonly generation: number;
  readonly process: { send(message: ToWorker): void };
}

interface WatchedWorker extends Watched {
  /** When it was asked what it has not answered, or null. */
  askedAt: number | null;
  told: boolean;
  /** What it said last; 0 before that. */
  rssBytes: number;
}

/** How often every worker is asked. */
const ASK_MS = 1_000;
/** Shorter silence is what a busy worker has now and then, and not worth a word. */
const SILENT_MS = 2_000;
/** How many kinds of errors are remembered. */
const MOST_KINDS = 200;

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
  readonly #trend = new MemoryTrend();
  readonly #workers = new Map<string, WatchedWorker>();
  readonly #generations = new Map<number, Measurements>();
  /** What workers have died of, and the first generation that one did in. */
  readonly #deaths = new Map<string, { readonly death: Death; readonly generation: number }>();
  /** Called with whatever a worker has said of the time since it was last asked. */
  onSample: (worker: string, sample: Sample) => void = () => {};
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
    this.#workers.set(id, { id, generation, process, askedAt: null, told: false, rssBytes: 0 });
    this.#measurementsOf(generation);
  }

  forget(worker: string): void {
    this.#trend.forget(worker);
    this.#workers.delete(worker);
  }

  /** A worker has answered, or said by itself what it did last. */
  take(worker: string, sample: Extract<ToSupervisor, { type: 'sampled' }>): void {
    const watched = this.#workers.get(worker);
    if (!watched) return;
    watched.askedAt = null;
    watched.told = false;
    watched.rssBytes = sample.rssBytes;
    const at = this.#ports.now();
    this.#measurementsOf(watched.generation).add({ at, worker, sample });
    this.onSample(worker, sample);
    const growth = this.#trend.add(worker, at, sample.rssBytes, () => this.#ports.readRoom(sample.rssBytes));
    if (growth) this.#ports.onGrowth(growth);
    this.#ports.onMeasured(watched.generation);
  }

  /** A worker dies of an error. */
  onFatal(worker: string, error: string): void {
    const generation = this.#workers.get(worker)?.generation;
    if (generation === undefined) return;
    const kind = foldError(error);
    const death = { kind, said: error };
    this.#measurementsOf(generation).add({ at: this.#ports.now(), fatal: death });
    this.#deaths.set(kind, this.#deaths.get(kind) ?? { death, generation });
    if (this.#deaths.size > MOST_KINDS) this.#deaths.delete(this.#deaths.keys().next().value ?? '');
  }

  /** What workers of other generations have died of, as long as this supervisor has run. */
  deathsBeside(generation: number): Death[] {
    return [...this.#deaths.values()].filter((one) => one.generation !== generation).map(({ death }) => death);
  }

  /** Asks every worker of a generation now, without waiting for the second to be over. */
  ask(generation: number): void {
    const now = this.#ports.now();
    for (const worker of this.#workers.values())
      if (worker.generation === generation && worker.askedAt === null) this.#ask(worker, now);
  }

  /** A worker has exited that nobody had asked to. */
  onExit(generation: number): void {
    this.#measurementsOf(generation).add({ at: this.#ports.now(), lost: 'exit' });
    this.#ports.onMeasured(generation);
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
    this.#lookAtMemory(now);
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

  #lookAtMemory(at: number): void {
    const known = [...this.#workers.values()].filter(({ rssBytes }) => rssBytes > 0);
    this.#memory.look(new Map(known.map(({ id, rssBytes }) => [id, rssBytes])), at);
  }

  #measurementsOf(generation: number): Measurements {
    const known = this.#generations.get(generation) ?? new Measurements(this.#ports.now());
    this.#generations.set(generation, known);
    return known;
  }
}

/** The kind of an error: its title without place, numbers and what stands in quotes, which differ each time. */
function foldError(error: string): string {
  return error
    .replace(/ \(\/[^()]*\)$/, '')
    .replace(/(["'`]).*?\1/g, '$1…$1')
    .replace(/[0-9a-f]*\d[0-9a-f]*/gi, '…');
}
