import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReloadDone } from '../../src/control/routes.ts';
import type { GenerationStatus, Status } from '../../src/core/status.ts';
import type { UserBake } from '../../src/options/bake.ts';
import type { StrategyName } from '../../src/options/strategies.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { TestService, waitFor } from './service.ts';
import { Witness } from './witness.ts';

const GATED_APP = fileURLToPath(new URL('../fixtures/apps/gated.mjs', import.meta.url));
const HALF = 'x'.repeat(100);
const STEPS = /^(boot|check|stall)-|^migrate$/;

/** A moment of a handover that can be held open: how it is reached. */
export type Moment =
  | 'steady'
  | 'starting'
  | 'checking'
  | 'quieting'
  | 'migrating'
  | 'opening'
  | 'pausing'
  | 'cutover'
  | 'baking'
  | { readonly rolling: 'boot' | 'check'; readonly nth: number };

export type Outcome = { readonly done: ReloadDone } | { readonly failed: { code?: string; message: string } };

/** A service whose handovers stand still where a test wants them to. */
export class Stage {
  readonly service: TestService;
  readonly strategy: StrategyName;
  readonly size: number;
  /** Every process that was ever seen. */
  readonly pids = new Set<number>();
  #upload: Witness | null = null;
  #stalled: Witness | null = null;

  constructor(strategy: StrategyName, size: number, options: Partial<SuperviseOptions> = {}) {
    this.strategy = strategy;
    this.size = size;
    const migration = `while [ -e "$(dirname "$VERSION_FILE")/migrate" ]; do sleep 0.02; done`;
    // Latency and the like are the verdict's own tests: here processes stand still on purpose.
    const bake: UserBake = {
      for: '4s',
      ...{ hangs: false, errors: false, cpu: false, cut: false, p50: false, p99: false },
      ...{ loopDelay: false, uncaught: false, memory: false }
    };
    this.service = new TestService({
      entry: GATED_APP,
      name: `sweep-${strategy}-${size}`,
      strategy,
      workers: size,
      check: { path: '/gate', timeout: '30s' },
      ...(strategy === 'exclusive' ? { beforeCutover: migration } : {}),
      bake,
      keepWarm: 'forever',
      // Of a second only: these tests kill more than any limit allows.
      restarts: { max: 100, within: '1s' },
      drainTimeout: '15s',
      ...options
    });
  }

  shut(gate: string): void {
    writeFileSync(join(this.service.folder, gate), '');
  }

  openAll(): void {
    for (const file of readdirSync(this.service.folder)) if (STEPS.test(file)) rmSync(join(this.service.folder, file));
  }

  async status(): Promise<Status> {
    const status = await this.service.client.status();
    const all = [status.active, status.standby, status.candidate, ...status.retiring];
    for (const { pid } of all.flatMap((one) => one?.workers ?? [])) if (pid !== null) this.pids.add(pid);
    return status;
  }

  /** Waits until the service is at rest: this generation is active, and all that should be there is. */
  async atRest(active: number): Promise<Status> {
    let status = await this.status();
    const isFull = (one: GenerationStatus | null, states: readonly string[]) =>
      one === null || (one.workers.length === this.size && one.workers.every(({ state }) => states.includes(state)));
    await waitFor(
      async () => {
        status = await this.status();
        const { phase, retiring } = status;
        return (
          phase === 'steady' &&
          status.active?.generation === active &&
          isFull(status.active, ['accepting']) &&
          isFull(status.standby, ['paused', 'ready']) &&
          retiring.length === 0
        );
      },
      () => `the service is at rest with generation ${active}; it is ${describe(status)}`
    );
    return status;
  }

  /** Orders a reload and waits until it stands where it is wanted. */
  async reach(moment: Moment, active: number, next: number): Promise<{ order: Promise<Outcome>; status: Status }> {
    const { service } = this;
    if (moment === 'steady') return { order: new Promise(() => {}), status: await this.status() };
    if (moment === 'starting') this.shut(`boot-${next}`);
    if (moment === 'checking') this.shut(`check-${next}`);
    if (moment === 'migrating') this.shut('migrate');
    if (moment === 'opening') this.shut(`stall-${next}`);
    if (moment === 'quieting') await this.#begin(active);
    if (moment === 'pausing') await this.stall(active);
    if (typeof moment === 'object') this.shut(`${moment.rolling}-${next}.${moment.nth}`);
    const order = service.client.reload().then(
      (done): Outcome => ({ done }),
      (failed): Outcome => ({ failed })
    );
    if (moment === 'cutover') await service.line('cutover', ({ to }) => to === next);
    if (moment === 'baking') await order;
    let status = await this.status();
    await waitFor(
      async () => {
        status = await this.status();
        return this.#stands(moment, next, status);
      },
      () => `${JSON.stringify(moment)} of generation ${next}; it is ${describe(status)}`
    );
    return { order, status };
  }

  /** One worker of the active generation stands still. */
  async stall(active: number): Promise<void> {
    this.shut(`stall-${active}`);
    this.#stalled = await Witness.open(this.service.port);
    assert.ok(await this.#stalled.ask('GET /gate HTTP/1.1\r\nhost: a\r\n\r\n'));
  }

  /** Lets everything go on. */
  async release(): Promise<void> {
    this.openAll();
    this.#upload?.send(HALF);
  }

  /** Lets go of the connections that held a moment open. */
  letGo(): void {
    this.#upload?.close();
    this.#stalled?.close();
    this.#upload = null;
    this.#stalled = null;
  }

  #stands(moment: Moment, next: number, { phase, candidate, active, bake }: Status): boolean {
    if (moment === 'cutover') return true;
    if (moment === 'baking') return phase === 'steady' && bake?.generation === next;
    if (moment === 'pausing') return phase === 'pausing' && active?.generation === next;
    // One that is just starting is not measured yet.
    if (candidate?.generation !== next || candidate.workers.some(({ pid }) => pid === null)) return false;
    if (typeof moment !== 'object') return phase === moment;
    const states = candidate.workers.map(({ state }) => state);
    const [last] = states.slice(-1);
    const wanted = moment.rolling === 'boot' ? 'starting' : 'ready';
    return phase === 'rolling' && states.length === moment.nth && last === wanted;
  }

  /** Half an upload to the active generation: it is not quiet before the other half comes. */
  async #begin(active: number): Promise<void> {
    this.#upload = await Witness.open(this.service.port);
    const head = `POST /upload HTTP/1.1\r\nhost: a\r\nx-id: u\r\ncontent-length: ${2 * HALF.length}\r\n\r\n`;
    this.#upload.send(head + HALF);
    await waitFor(async () => {
      const { active: now } = await this.status();
      return now?.generation === active && now.workers.some(({ inFlight }) => (inFlight ?? 0) > 0);
    }, 'the upload is in flight');
  }
}

/** A status in short, for the message of a test that fails. */
export function describe({ phase, active, standby, candidate, retiring }: Status): string {
  const show = (one: GenerationStatus | null) =>
    one === null ? 'none' : `${one.generation}(${one.workers.map(({ id, state }) => `${id} ${state}`).join(', ')})`;
  const going = retiring.map(show).join(', ') || 'none';
  return `${phase}, active ${show(active)}, standby ${show(standby)}, candidate ${show(candidate)}, retiring ${going}`;
}
