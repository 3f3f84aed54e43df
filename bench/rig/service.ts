import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';
import type { ServiceEvent } from '../../src/control/routes.ts';
import type { Status } from '../../src/core/status.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import type { Context } from './model.ts';
import { adoptProcess, endAdopted, endProcess, firstMessage, startProcess } from './processes.ts';

export const APP = fileURLToPath(new URL('../client/app.mjs', import.meta.url));
const SUPERVISOR = fileURLToPath(new URL('./supervisor.mjs', import.meta.url));

/** How long a service may take to come to rest. */
const SETTLE_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export interface RunningServer {
  /** Where requests go. */
  readonly port: number;
  /** The process that answers them. */
  readonly pid: number;
  end(): Promise<void>;
}

/** Where a server is to run: on its own core, or wherever the scheduler likes. */
export interface Placement {
  readonly pinned: boolean;
  /** What it finds in its environment besides. */
  readonly env?: Readonly<Record<string, string>>;
}

const coreOf = ({ machine }: Context, { pinned }: Placement) => (pinned ? (machine.pins?.server ?? null) : null);

/** Starts the app under plain node. `listenMs` is the time from the start to its line that it listens. */
export async function startPlain(
  context: Context,
  placement: Placement,
  { app = APP, env = {} }: { readonly app?: string; readonly env?: NodeJS.ProcessEnv } = {}
): Promise<RunningServer & { readonly listenMs: number }> {
  const startedAt = performance.now();
  const child = startProcess({ args: [app], env: { PORT: '0', ...env }, core: coreOf(context, placement) });
  if (!child.stdout) throw new Error('the app has no stdout');
  const lines = createInterface(child.stdout);
  const port = await new Promise<number>((resolve, reject) => {
    lines.once('line', (line) => resolve(Number(line)));
    lines.once('close', () => reject(new Error('the app ended before it listened')));
  });
  const listenMs = performance.now() - startedAt;
  return { port, pid: child.pid ?? 0, listenMs, end: () => endProcess(child) };
}

/** The app under a supervisor, in a process of its own, with the version of the app in a file. */
export class BenchService {
  readonly port: number;
  readonly #socket: string;
  readonly #startSupervisor: () => ChildProcess;
  readonly #folder: string;
  readonly #ending = new AbortController();
  readonly #removeFolder = () => rmSync(this.#folder, { recursive: true, force: true });
  /** A process of ours, or the successor of one. */
  #supervisor: ChildProcess | { readonly pid: number };
  #control: ControlClient;

  private constructor(child: ChildProcess, start: () => ChildProcess, folder: string, { socket, addresses }: Started) {
    this.#supervisor = child;
    this.#startSupervisor = start;
    this.#folder = folder;
    process.once('exit', this.#removeFolder); // also when the bench is broken off
    this.#socket = socket;
    this.#control = new ControlClient(socket);
    this.port = Number(addresses[0]?.split(':').pop());
  }

  static async start(context: Context, placement: Placement, options: SuperviseOptions = {}): Promise<BenchService> {
    const folder = mkdtempSync(join(tmpdir(), 'handover-bench-'));
    writeFileSync(join(folder, 'version'), '1');
    const settings = {
      entry: APP,
      listen: '127.0.0.1:0',
      name: 'bench',
      socket: join(folder, 'control.sock'),
      log: 'json',
      // The workers of a bench that was killed leave soon.
      orphanTimeout: '1s',
      drainTimeout: '5s',
      ...options
    };
    const build = pathToFileURL(join(context.build, 'index.js')).href;
    const startSupervisor = () => {
      const child = startProcess({
        args: [SUPERVISOR, build, JSON.stringify(settings), String(process.pid)],
        env: { ...placement.env, VERSION_FILE: join(folder, 'version') },
        core: coreOf(context, placement),
        loud: false
      });
      child.stdout?.resume();
      return child;
    };
    const child = startSupervisor();
    return new BenchService(child, startSupervisor, folder, await firstMessage<Started>(child, 'the supervisor'));
  }

  get control(): ControlClient {
    return this.#control;
  }

  get supervisorPid(): number {
    return this.#supervisor.pid ?? 0;
  }

  /** Kills the supervisor and starts it again at once. @returns how long it took until the next one had taken over */
  async crash(): Promise<number> {
    const killedAt = performance.now();
    process.kill(this.supervisorPid, 'SIGKILL');
    const child = this.#startSupervisor();
    this.#supervisor = child;
    await firstMessage(child, 'the next supervisor');
    const tookMs = performance.now() - killedAt;
    await this.#reconnect();
    return tookMs;
  }

  /** Replaces the supervisor by its successor. @returns how long it took until that had everything */
  async upgrade(): Promise<number> {
    const orderedAt = performance.now();
    const before = this.#supervisor;
    const left = 'exitCode' in before ? once(before, 'exit') : null;
    const { to } = await this.control.upgrade();
    const tookMs = performance.now() - orderedAt;
    adoptProcess(to);
    this.#supervisor = { pid: to };
    await left;
    await this.#reconnect();
    return tookMs;
  }

  /** What is open to the supervisor before may break off in the middle of a question. */
  async #reconnect(): Promise<void> {
    const before = this.#control;
    this.#control = new ControlClient(this.#socket);
    await before.close();
  }

  /** What the next generation answers as `x-version`. */
  set version(version: string) {
    writeFileSync(join(this.#folder, 'version'), version);
  }

  /** The process that answers requests now. */
  async workerPid(): Promise<number> {
    const { active } = await this.control.status();
    return active?.workers[0]?.pid ?? 0;
  }

  async standbyPid(): Promise<number> {
    const { standby } = await this.control.status();
    return standby?.workers[0]?.pid ?? 0;
  }

  /** Tells of every event from when this resolves until the service ends. */
  follow(onEvent: (event: ServiceEvent) => void): Promise<void> {
    // After it has opened, its only end is ours.
    return new Promise((resolve, reject) => {
      this.control.follow(onEvent, resolve, this.#ending.signal).catch(reject);
    });
  }

  /** Waits until every worker serves or is warm, and none is on its way out. @throws Error after 30 s */
  async settled(): Promise<void> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    while (!isSettled(await this.control.status())) {
      if (performance.now() > deadline) throw new Error(`the service was not at rest after ${SETTLE_TIMEOUT_MS} ms`);
      await delay(POLL_MS);
    }
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.control.close();
    const supervisor = this.#supervisor;
    if ('exitCode' in supervisor) await endProcess(supervisor);
    else await endAdopted(supervisor.pid);
    this.#removeFolder();
    process.off('exit', this.#removeFolder);
  }
}

function isSettled({ phase, active, standby, retiring }: Status): boolean {
  const serves = active?.workers.length && active.workers.every(({ state }) => state === 'accepting');
  const isWarm = standby?.workers.every(({ state }) => state === 'paused' || state === 'ready') ?? true;
  return phase === 'steady' && Boolean(serves) && isWarm && retiring.length === 0;
}

interface Started {
  readonly socket: string;
  readonly addresses: readonly string[];
}

/** Runs with things that are ended afterwards, whatever happens: the first first, so a load before its service. */
export async function withCleanup<T>(
  run: (keep: <K extends { end(): Promise<void> }>(thing: K) => K) => Promise<T>
): Promise<T> {
  const kept: { end(): Promise<void> }[] = [];
  try {
    return await run((thing) => {
      kept.push(thing);
      return thing;
    });
  } finally {
    for (const thing of kept) await thing.end();
  }
}
