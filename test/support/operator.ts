import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Operator, ServiceEvent } from '../../src/control/routes.ts';
import { ControlServer } from '../../src/control/server.ts';
import type { HistoryEntryStatus } from '../../src/core/status.ts';
import { atEnd } from './end.ts';

export const entry: HistoryEntryStatus = {
  generation: 6,
  label: '1.4.0',
  entry: '/app/v6.js',
  kind: 'reload',
  strategy: 'blue-green',
  startedAt: '2026-01-02T03:04:05.000Z',
  activeAt: '2026-01-02T03:04:06.000Z',
  endedAt: null,
  durationMs: 61_000,
  requests: 1_234,
  failed: 2,
  outcome: 'rejected',
  reason: '5xx: 41 % of 220 requests',
  standby: 5,
  verdict: null,
  operator: null
};

/** A supervisor without workers: it remembers what it was asked, and says what a test wants it to say. */
export class FakeOperator {
  readonly asked: unknown[][] = [];
  /** What an order comes to; a test puts its own in place of these. */
  readonly answers: { [order in 'reload' | 'rollback' | 'promote' | 'abort' | 'retire' | 'scale']: () => unknown } = {
    reload: () => ({ ok: true, from: 6, to: 7, bootMs: 310, cutoverMs: 1.2, handedOver: 3, strategy: 'blue-green' }),
    rollback: () => ({ ok: true, from: 7, to: 6, tookMs: 1.1, handedOver: 1 }),
    promote: () => ({ ok: true, active: 7, standby: 6, reason: 'asked by the operator' }),
    abort: () => ({ ok: true, active: 6, abandoned: 7, reason: 'asked by the operator' }),
    retire: () => ({ ok: true, retired: 6 }),
    scale: () => ({ ok: true, active: 7, from: 2, to: 4 })
  };
  history = [entry];
  readonly #watchers = new Set<(event: ServiceEvent) => void>();

  tell(event: string, details: object = {}): void {
    for (const watcher of this.#watchers) watcher({ time: '', level: 'info', event, ...details });
  }

  active = () => 7;
  status = () => Promise.reject(new Error('nobody asks the fake for its status'));
  stop = () => Promise.resolve({ ok: true } as const);
  watch = (watcher: (event: ServiceEvent) => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Puts it behind a control socket, for as long as the test takes. */
  async serve(
    t: TestContext,
    name = 'control',
    folder = mkdtempSync(join(tmpdir(), 'handover-fake-'))
  ): Promise<string> {
    const path = join(folder, `${name}.sock`);
    const order =
      (name: keyof FakeOperator['answers']) =>
      async (...args: unknown[]) => {
        this.asked.push([name, ...args]);
        return this.answers[name]();
      };
    const names = Object.keys(this.answers) as (keyof FakeOperator['answers'])[];
    const orders = Object.fromEntries(names.map((name) => [name, order(name)]));
    const { active, status, stop, watch } = this;
    const history = async () => ({ ok: true, app: 'shop', history: this.history }) as const;
    const operator = { active, status, stop, watch, history, ...orders, as: () => operator } as unknown as Operator;
    const server = new ControlServer(path, operator);
    await server.open('shop');
    atEnd(t, () => {
      server.close();
      if (existsSync(folder)) rmSync(folder, { recursive: true });
    });
    return path;
  }
}
