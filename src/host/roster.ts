import type { News, Release } from '../core/model.ts';
import type { WorkerFacts } from '../core/status.ts';
import type { ErrorCode } from '../errors.ts';
import type { Handle } from '../internals.ts';
import type { ToSupervisor, Wanted } from '../protocol.ts';
import { explain, type Listeners, showAddress } from './listener.ts';
import type { Heir } from './relay.ts';
import { WorkerProcess } from './spawn.ts';
import { measureUsage } from './usage.ts';

/** How long a worker may take to report before its numbers are called unmeasured. */
const REPORT_MS = 500;

type Report = Extract<ToSupervisor, { type: 'report' }>;

/** A worker as the supervisor sees it from outside. */
interface Seat {
  readonly id: string;
  readonly generation: number;
  readonly process: WorkerProcess;
  /** Listeners for which one of its servers has called listen(). */
  readonly keys: Set<string>;
  /** Listeners it was told to accept on and has not answered for. */
  readonly opening: Set<string>;
  signalled: boolean;
  ready: boolean;
  serving: boolean;
  connections: number;
  report: Report | null;
  bindFailure: string | null;
}

export interface RosterPorts {
  readonly listeners: Listeners;
  readonly readiness: 'listening' | 'signal';
  start(worker: string, generation: number, release: Release, watch: ConstructorParameters<typeof WorkerProcess>[1]): WorkerProcess;
  post(news: News): void;
  now(): number;
  /** The generation that answers for the service, or null. */
  active(): number | null;
  onConnection(worker: string, message: Extract<ToSupervisor, { type: 'connection' }>, handle: Handle): void;
  onAdopted(worker: string, id: string): void;
  onDeclined(worker: string, id: string): void;
  onHeir(): void;
  onGone(worker: string): void;
  onAppMessage(worker: string, message: unknown): void;
  onGarbage(worker: string, what: string): void;
}

/** Every worker process and the conversation with it. What a worker says becomes news for the core. */
export class Roster {
  readonly #seats = new Map<string, Seat>();
  readonly #asks = new Map<number, (report: Report) => void>();
  /** What each generation serves; it outlives the workers, for their replacements must serve the same. */
  readonly #served = new Map<number, Set<string>>();
  readonly #ports: RosterPorts;
  #lastAsk = 0;

  constructor(ports: RosterPorts) {
    this.#ports = ports;
  }

  fork(worker: string, generation: number, release: Release): void {
    const process = this.#ports.start(worker, generation, release, {
      onMessage: (message, handle) => this.#hear(seat, message, handle),
      onAppMessage: (message) => {
        if (message === 'ready') this.#signal(seat);
        else this.#ports.onAppMessage(worker, message);
      },
      onGarbage: (what) => this.#ports.onGarbage(worker, what),
      onGone: (why) => this.#lose(seat, why)
    });
    const empty = { keys: new Set<string>(), opening: new Set<string>(), signalled: false, ready: false, serving: false };
    const seat: Seat = { id: worker, generation, process, ...empty, connections: 0, report: null, bindFailure: null };
    this.#seats.set(worker, seat);
  }

  /** Lends a worker what it accepts on: the listeners of its servers, and all that were named with `--listen`. */
  accept(worker: string): void {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.serving = true;
    const named = seat.keys.size === 0 ? [] : this.#ports.listeners.held.filter((one) => one.named).map((one) => one.key);
    const keys = new Set([...named, ...seat.keys]);
    for (const key of keys) seat.opening.add(key);
    for (const key of keys) this.#lend(seat, key);
    if (keys.size === 0) this.#accepted(seat);
    this.#askReport(seat);
  }

  pause(worker: string, heirs: boolean): void {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.serving = false;
    seat.opening.clear();
    seat.process.send({ type: 'pause', heirs });
  }

  drain(worker: string, heirs: boolean): void {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.serving = false;
    seat.process.send({ type: 'drain', heirs });
    // Its reports say who holds the drain, for the log and the status; the worker's end stops them.
    const timer = setInterval(() => (this.#seats.has(worker) ? this.#askReport(seat) : clearInterval(timer)), REPORT_MS);
    timer.unref();
  }

  setDuty(worker: string, type: 'activate' | 'deactivate'): void {
    this.#seats.get(worker)?.process.send({ type });
  }

  signal(worker: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#seats.get(worker)?.process.signal(signal);
  }

  has(worker: string): boolean {
    return this.#seats.has(worker);
  }

  /** What a worker was last known to be busy with. */
  lastReport(worker: string): Report | null {
    return this.#seats.get(worker)?.report ?? null;
  }

  deliver(worker: string, parcel: { id: string; key: string; fresh: boolean; last: boolean }, handle: Handle, onFailed: () => void): void {
    const seat = this.#seats.get(worker);
    if (seat) seat.process.send({ type: 'adopt', ...parcel }, handle, onFailed);
    else onFailed();
  }

  confirm(worker: string, id: string): void {
    this.#seats.get(worker)?.process.send({ type: 'moved', id });
  }

  asHeir(worker: string): Heir | null {
    const seat = this.#seats.get(worker);
    return seat ? { worker, connections: seat.connections } : null;
  }

  /** Asks every worker for its numbers, all at once. */
  async measure(): Promise<Map<string, WorkerFacts>> {
    const seats = [...this.#seats.values()];
    const pids = seats.flatMap(({ process }) => (process.pid === null ? [] : [process.pid]));
    const [usage, reports] = await Promise.all([
      measureUsage(pids),
      Promise.all(seats.map((seat) => this.#askReport(seat)))
    ]);
    return new Map(seats.map((seat, index) => [seat.id, describe(seat, reports[index] ?? null, usage)]));
  }

  /** Why a generation is not ready, as far as can be seen from outside. */
  explainUnready(generation: number): string {
    const late = [...this.#seats.values()].filter((seat) => seat.generation === generation && !seat.ready);
    const reasons = late.map((seat) => `worker ${seat.id} (pid ${seat.process.pid}) is running but ${this.#missing(seat)}`);
    return reasons.join('; ') || 'its workers were still being started';
  }

  #missing(seat: Seat): string {
    if (this.#ports.readiness === 'signal' && !seat.signalled) return 'never called ready()';
    if (seat.keys.size === 0) return `never listened${seat.bindFailure ? ` (${seat.bindFailure})` : ''}`;
    const missing = this.#needed(seat).filter((key) => !seat.keys.has(key));
    const addresses = missing.map((key) => {
      const listener = this.#ports.listeners.find(key);
      return listener ? showAddress(listener.address) : key;
    });
    return `did not listen on ${addresses.join(', ')}, which the active generation serves`;
  }

  #hear(seat: Seat, message: ToSupervisor, handle: Handle | undefined): void {
    const { id: worker } = seat;
    const at = this.#ports.now();
    switch (message.type) {
      case 'listen':
        void this.#bind(seat, message.ask, message.wanted);
        return;
      case 'listening':
        return this.#listening(seat, message.key);
      case 'unlisten':
        return this.#unlisten(seat, message.key);
      case 'signal':
        return this.#signal(seat);
      case 'accepting':
        if (seat.opening.delete(message.key) && seat.opening.size === 0) this.#accepted(seat);
        return;
      case 'accept-failed':
        return this.#refused(seat, message.key, message.code);
      case 'paused':
        return this.#ports.post({ type: 'worker-paused', worker, at });
      case 'handed':
        return this.#ports.post({ type: 'worker-handed', worker, at });
      case 'inactive':
        return this.#ports.post({ type: 'worker-inactive', worker, at });
      case 'drained':
        return this.#ports.post({ type: 'worker-drained', worker, at });
      case 'connection':
        if (handle) this.#ports.onConnection(worker, message, handle);
        return;
      case 'adopted':
        seat.connections += 1;
        return this.#ports.onAdopted(worker, message.id);
      case 'declined':
        return this.#ports.onDeclined(worker, message.id);
      case 'report':
        seat.report = message;
        seat.connections = message.connections;
        this.#asks.get(message.ask)?.(message);
        return;
      default:
        message satisfies never;
    }
  }

  async #bind(seat: Seat, ask: number, wanted: Wanted): Promise<void> {
    try {
      const { key, address } = await this.#ports.listeners.bind(wanted, false);
      seat.process.send({ type: 'bound', ask, key, address });
    } catch (error) {
      const { message, cause } = error as Error;
      const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? 'EADDRINUSE');
      seat.bindFailure = message;
      seat.process.send({ type: 'unbound', ask, code, message });
    }
  }

  #listening(seat: Seat, key: string): void {
    seat.keys.add(key);
    if (seat.generation === this.#ports.active() || this.#ports.active() === null) this.#servedBy(seat.generation).add(key);
    this.#look(seat);
    if (seat.serving) this.#lend(seat, key);
  }

  #unlisten(seat: Seat, key: string): void {
    seat.keys.delete(key);
    const others = [...this.#seats.values()].some((one) => one.generation === seat.generation && one.keys.has(key));
    if (!others) this.#served.get(seat.generation)?.delete(key);
  }

  #signal(seat: Seat): void {
    seat.signalled = true;
    this.#look(seat);
  }

  /** Posts that a worker can serve, the moment everything that was asked of it is there. */
  #look(seat: Seat): void {
    if (seat.ready) return;
    const bySignal = this.#ports.readiness === 'signal';
    if (bySignal ? !seat.signalled : seat.keys.size === 0) return;
    if (this.#needed(seat).some((key) => !seat.keys.has(key))) return;
    seat.ready = true;
    this.#ports.post({ type: 'worker-ready', worker: seat.id, at: this.#ports.now() });
  }

  /** What a worker must listen on: what the active generation serves, or what its own served before. */
  #needed(seat: Seat): readonly string[] {
    const active = this.#ports.active();
    return [...(this.#served.get(active ?? seat.generation) ?? [])];
  }

  #servedBy(generation: number): Set<string> {
    const served = this.#served.get(generation) ?? new Set();
    this.#served.set(generation, served);
    return served;
  }

  #lend(seat: Seat, key: string): void {
    const listener = this.#ports.listeners.find(key);
    if (listener) seat.process.send({ type: 'accept', key }, listener.handle);
  }

  #accepted(seat: Seat): void {
    for (const key of seat.keys) this.#servedBy(seat.generation).add(key);
    this.#ports.post({ type: 'worker-accepting', worker: seat.id, at: this.#ports.now() });
    this.#ports.onHeir();
  }

  #refused(seat: Seat, key: string, errno: string): void {
    if (!seat.opening.delete(key)) return;
    const listener = this.#ports.listeners.find(key);
    const error = listener && /^-\d+$/.test(errno) ? explain(Number(errno), listener.address) : null;
    const code: ErrorCode = error?.code ?? 'HANDOVER_ERR_CANDIDATE_NOT_ACCEPTING';
    const why = error ? `${error.what}: ${error.why}` : 'its app has closed the server';
    this.#ports.post({ type: 'worker-refused', worker: seat.id, code, why, at: this.#ports.now() });
  }

  #lose(seat: Seat, why: string): void {
    this.#seats.delete(seat.id);
    const failure = seat.bindFailure && !seat.ready ? ` (${seat.bindFailure})` : '';
    const early = seat.ready || failure ? '' : ' before it listened';
    const [first = '', ...rest] = why.split('; ');
    const full = [`${first}${early}${failure}`, ...rest].join('; ');
    this.#ports.post({ type: 'worker-exited', worker: seat.id, why: full, at: this.#ports.now() });
    this.#ports.onGone(seat.id);
    const left = [...this.#seats.values()].some(({ generation }) => generation === seat.generation);
    if (!left && seat.generation !== this.#ports.active()) this.#served.delete(seat.generation);
  }

  #askReport(seat: Seat): Promise<Report | null> {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    return new Promise((resolve) => {
      const end = (report: Report | null) => {
        clearTimeout(timer);
        this.#asks.delete(ask);
        resolve(report);
      };
      const timer = setTimeout(() => end(null), REPORT_MS);
      timer.unref();
      this.#asks.set(ask, end);
      seat.process.send({ type: 'report', ask }, undefined, () => end(null));
    });
  }
}

function describe({ process }: Seat, report: Report | null, usage: Awaited<ReturnType<typeof measureUsage>>): WorkerFacts {
  const used = usage.get(process.pid ?? -1);
  const reasons = [
    report ? null : `it did not answer within ${REPORT_MS} ms`,
    used ? null : 'its memory and CPU could not be read'
  ].filter((reason) => reason !== null);
  return {
    pid: process.pid,
    connections: report?.connections ?? null,
    inFlight: report?.inFlight ?? null,
    requests: report?.requests ?? null,
    rssBytes: used?.rssBytes ?? null,
    cpuShare: used?.cpuShare ?? null,
    ...(report && report.holding.length > 0 ? { holding: report.holding } : {}),
    ...(reasons.length > 0 ? { unmeasured: reasons.join('; ') } : {})
  };
}
