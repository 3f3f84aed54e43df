import type { History } from '../control/routes.ts';
import { describeHistory } from '../core/state/history.ts';
import type { State } from '../core/state/state.ts';
import { describeStatus, type Status, UNMEASURED, type WorkerFacts } from '../core/status.ts';
import type { Vitals } from '../host/measure/watchdog.ts';
import { version } from '../version.ts';
import type { Memory } from './saved-state.ts';

export interface OutlookPorts {
  readonly app: string;
  readonly memory: Memory;
  readonly vitals: Vitals;
  state(): State;
  now(): number;
  addresses(): readonly string[];
  /** Asks every worker for its numbers. */
  measure(): Promise<ReadonlyMap<string, WorkerFacts>>;
}

/** What everybody may see of a service, at every door. */
export class Outlook {
  readonly #ports: OutlookPorts;
  readonly #startedAt: number;

  constructor(ports: OutlookPorts) {
    this.#ports = ports;
    this.#startedAt = ports.now();
  }

  async status(): Promise<Status> {
    const { app, vitals, now, addresses, measure } = this.#ports;
    const measured = await measure();
    const around = {
      app,
      supervisor: { pid: process.pid, version, node: process.version, uptimeMs: Math.round(now() - this.#startedAt) },
      listeners: addresses().map((address) => ({ address }))
    };
    const facts = (worker: string) => ({
      ...(measured.get(worker) ?? UNMEASURED),
      silentMs: vitals.silentMs(worker)
    });
    return describeStatus(this.counted(), around, facts, now());
  }

  async history(): Promise<History> {
    const { app, now } = this.#ports;
    return { ok: true, app, history: describeHistory(this.counted().history, now()) };
  }

  /** The state, with the requests of each generation as far as they are counted by now. */
  counted(): State {
    const { memory, state, vitals } = this.#ports;
    return memory.count(state(), vitals);
  }
}
