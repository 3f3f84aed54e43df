import type { History } from '../control/routes.ts';
import { describeHistory } from '../core/state/history.ts';
import type { State } from '../core/state/state.ts';
import { describeStatus, type FleetStatus, type Status, UNMEASURED, type WorkerFacts } from '../core/status.ts';
import type { Departed } from '../host/departed.ts';
import type { Watchdog } from '../host/measure/watchdog.ts';
import { ownName } from '../host/unix.ts';
import { logicalCwd } from '../options/cwd.ts';
import { version } from '../version.ts';
import type { SavedState } from './saved-state.ts';

export interface StatusPorts {
  readonly app: string;
  readonly savedState: SavedState;
  readonly watchdog: Watchdog;
  state(): State;
  now(): number;
  addresses(): readonly string[];
  candidateNote(): string | null;
  configNote(): string | null;
  readonly departed: Pick<Departed, 'last' | 'arrived'>;
  /** Asks every worker for its numbers. */
  measure(): Promise<ReadonlyMap<string, WorkerFacts>>;
}

/** What everybody may see of a service, at every door. */
export class StatusSource {
  readonly #ports: StatusPorts;
  readonly #startedAt: number;
  /** Set where this machine is one of several. */
  fleet: (() => FleetStatus) | null = null;

  constructor(ports: StatusPorts) {
    this.#ports = ports;
    this.#startedAt = ports.now();
  }

  async status(): Promise<Status> {
    const { app, watchdog, now, addresses, candidateNote, configNote, measure, departed } = this.#ports;
    const measured = await measure();
    const around = {
      app,
      supervisor: {
        pid: process.pid,
        user: ownName(),
        version,
        node: process.version,
        cwd: logicalCwd(),
        uptimeMs: Math.round(now() - this.#startedAt)
      },
      listeners: addresses().map((address) => ({ address })),
      candidateNote: candidateNote(),
      configNote: configNote(),
      lastHandover: departed.last,
      ...(this.fleet ? { fleet: this.fleet() } : {})
    };
    const facts = (worker: string) => ({
      ...(measured.get(worker) ?? UNMEASURED),
      silentMs: watchdog.silentMs(worker)
    });
    return describeStatus(this.counted(), around, facts, now());
  }

  async history(): Promise<History> {
    const { app, now } = this.#ports;
    return { ok: true, app, history: describeHistory(this.counted().history, now()) };
  }

  /** How many connections have moved to another process, by kind. */
  get arrived(): Readonly<Record<string, number>> {
    return this.#ports.departed.arrived;
  }

  get state(): State {
    return this.#ports.state();
  }

  /** The state, with the requests of each generation as far as they are counted by now. */
  counted(): State {
    const { savedState, state, watchdog } = this.#ports;
    return savedState.count(state(), watchdog);
  }
}
