import type { News, Release } from '../../core/state/state.ts';
import type { WorkerFacts } from '../../core/status.ts';
import type { Handle } from '../../internals/net.ts';
import type { Moving, ToSupervisor, Wanted } from '../../protocol/messages.ts';
import type { Asked } from '../checks/private-client.ts';
import { explainRefusal, type Listeners } from '../listeners/listeners.ts';
import type { Vitals } from '../measure/watchdog.ts';
import type { Heir } from '../relay.ts';
import { Readiness } from './readiness.ts';
import type { Watch, WorkerProcess } from './worker-process.ts';
import { askPrivately, createSeat, describeEnd, keysToLend, type Report, Reports, type Seat } from './worker-record.ts';

export interface RosterPorts {
  readonly listeners: Listeners;
  readonly readiness: 'listening' | 'signal';
  readonly vitals?: Vitals;
  start(worker: string, generation: number, release: Release, watch: Watch): WorkerProcess;
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
  readonly #reports = new Reports();
  readonly #readiness: Readiness;
  readonly #ports: RosterPorts;

  constructor(ports: RosterPorts) {
    this.#ports = ports;
    this.#readiness = new Readiness(ports.readiness, ports.active);
  }

  fork(worker: string, generation: number, release: Release): void {
    const process = this.#ports.start(worker, generation, release, {
      onMessage: (message, handle) => this.#hear(seat, message, handle),
      onAppMessage: (message) => (message === 'ready' ? this.#signal(seat) : this.#ports.onAppMessage(worker, message)),
      onGarbage: (what) => this.#ports.onGarbage(worker, what),
      onDown: () => this.#ports.post({ type: 'worker-down', worker, at: this.#ports.now() }),
      onGone: (why) => this.#lose(seat, why)
    });
    const seat = createSeat(worker, generation, process);
    this.#seats.set(worker, seat);
  }

  /** Lends a worker what it accepts on: the listeners of its servers, and all that were named with `--listen`. */
  accept(worker: string): void {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.serving = true;
    seat.accepted = false;
    const keys = keysToLend(seat, this.#ports.listeners.held);
    for (const key of keys) seat.opening.add(key);
    for (const key of keys) this.#lend(seat, key);
    if (keys.size === 0 && this.#ports.readiness === 'signal') this.#accepted(seat);
    void this.#reports.ask(seat);
  }

  pause(worker: string, heirs: boolean): void {
    this.#rest(worker)?.process.send({ type: 'pause', heirs });
  }

  /** Lets a worker finish what is in flight and keep the rest unread. Its copies of the listeners outlive the supervisor. */
  hold(worker: string, yields: boolean): void {
    const seat = this.#rest(worker);
    if (!seat) return;
    seat.process.send({ type: 'hold', yields });
    for (const key of seat.keys) this.#lend(seat, key, 'keep');
  }

  drain(worker: string, heirs: boolean): void {
    const seat = this.#rest(worker);
    seat?.process.send({ type: 'drain', heirs });
    if (seat) this.#reports.poll(seat, () => this.#seats.has(worker));
  }

  setDuty(worker: string, type: 'activate' | 'deactivate'): void {
    this.#seats.get(worker)?.process.send({ type });
  }

  signal(worker: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#seats.get(worker)?.process.signal(signal);
  }

  has = (worker: string): boolean => this.#seats.has(worker);
  /** What a worker was last known to be busy with. */
  holders(worker: string): Pick<Report, 'connections' | 'inFlight' | 'holding'> | object {
    const { connections, inFlight, holding } = this.#seats.get(worker)?.report ?? {};
    return connections === undefined ? {} : { connections, inFlight, holding };
  }

  deliver(worker: string, moving: Moving & { last: boolean }, handle: Handle, onFailed: () => void): void {
    const seat = this.#seats.get(worker);
    if (seat) seat.process.send({ type: 'adopt', ...moving }, handle, (sent) => sent || onFailed());
    else onFailed();
  }

  confirm(worker: string, id: string): void {
    this.#seats.get(worker)?.process.send({ type: 'moved', id });
  }

  /** The workers of a generation, to be asked privately. */
  asked = (generation: number): Asked[] => this.#seatsOf(generation).flatMap(askPrivately);

  asHeir = (worker: string): Heir => ({ worker, connections: this.#seats.get(worker)?.connections ?? 0 });

  /** Asks every worker for its numbers, all at once. */
  measure = (): Promise<Map<string, WorkerFacts>> => this.#reports.measure([...this.#seats.values()]);

  /** Why a generation is not ready, as far as can be seen from outside. */
  explainUnready(generation: number): string {
    return this.#readiness.explainAll(this.#seatsOf(generation), (key) => this.#ports.listeners.show(key));
  }

  #hear(seat: Seat, message: ToSupervisor, handle: Handle | undefined): void {
    const { id: worker } = seat;
    const at = this.#ports.now();
    switch (message.type) {
      case 'listen':
        void this.#bind(seat, message.ask, message.wanted);
        return;
      case 'listening':
        return this.#listening(seat, message);
      case 'settled':
        seat.asking.delete(message.ask);
        return this.#look(seat);
      case 'unlisten':
        return this.#readiness.onUnlisten(seat, message.key, this.#seatsOf(seat.generation));
      case 'signal':
        return this.#signal(seat);
      case 'accepting':
        if (seat.opening.delete(message.key) && seat.opening.size === 0) this.#accepted(seat);
        return;
      case 'accept-failed':
        return this.#refused(seat, message.key, message.code);
      case 'paused':
      case 'quiet':
      case 'handed':
      case 'inactive':
      case 'drained':
        return this.#ports.post({ type: `worker-${message.type}`, worker, at });
      case 'connection':
        if (handle) this.#ports.onConnection(worker, message, handle);
        return;
      case 'adopted':
        seat.connections += 1;
        return this.#ports.onAdopted(worker, message.id);
      case 'declined':
        return this.#ports.onDeclined(worker, message.id);
      case 'reported':
        return this.#reports.take(seat, message);
      case 'sampled':
        return this.#ports.vitals?.take(worker, message);
      default:
        message satisfies never;
    }
  }

  async #bind(seat: Seat, ask: number, wanted: Wanted): Promise<void> {
    seat.asking.add(ask);
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

  #listening(seat: Seat, { key, secure }: { key: string; secure: boolean }): void {
    if (!this.#ports.listeners.find(key)) return this.#ports.onGarbage(seat.id, 'listening.key is no listener');
    if (seat.keys.size === 0) seat.secure = secure;
    this.#readiness.onListening(seat, key);
    this.#look(seat);
    if (!seat.serving) return;
    if (!seat.accepted) seat.opening.add(key);
    this.#lend(seat, key);
  }

  #signal(seat: Seat): void {
    seat.signalled = true;
    this.#look(seat);
  }

  /** Posts that a worker can serve, the moment everything that was asked of it is there. */
  #look(seat: Seat): void {
    // Not before everything that the app said in the same breath is heard: its second server may be next.
    setImmediate(() => {
      if (seat.ready || !this.#seats.has(seat.id) || !this.#readiness.isMet(seat)) return;
      seat.ready = true;
      this.#ports.vitals?.watch(seat);
      this.#ports.post({ type: 'worker-ready', worker: seat.id, at: this.#ports.now() });
    });
  }

  #seatsOf(generation: number): Seat[] {
    return [...this.#seats.values()].filter((seat) => seat.generation === generation);
  }

  #rest(worker: string): Seat | undefined {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.serving = false;
    seat.opening.clear();
    return seat;
  }

  #lend(seat: Seat, key: string, type: 'accept' | 'keep' = 'accept'): void {
    const listener = this.#ports.listeners.find(key);
    if (listener) seat.process.send({ type, key }, listener.handle);
  }

  #accepted(seat: Seat): void {
    seat.accepted = true;
    this.#readiness.onAccepting(seat);
    this.#ports.post({ type: 'worker-accepting', worker: seat.id, at: this.#ports.now() });
    this.#ports.onHeir();
  }

  #refused(seat: Seat, key: string, errno: string): void {
    if (!seat.opening.delete(key) || errno === 'ENOSERVER') return; // closed meanwhile: it may have probed the port, and the real one comes
    const { code, why } = explainRefusal(errno, this.#ports.listeners.find(key));
    this.#ports.post({ type: 'worker-refused', worker: seat.id, code, why, at: this.#ports.now() });
  }

  #lose(seat: Seat, why: string): void {
    this.#seats.delete(seat.id);
    this.#ports.vitals?.forget(seat.id);
    this.#ports.post({ type: 'worker-exited', worker: seat.id, why: describeEnd(seat, why), at: this.#ports.now() });
    this.#ports.onGone(seat.id);
    if (this.#seatsOf(seat.generation).length > 0 || seat.generation === this.#ports.active()) return;
    this.#readiness.forget(seat.generation);
  }
}
