import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from './ask.ts';
import { startTimeOf } from './process-tree.ts';

export const APP = fileURLToPath(new URL('./apps/app.mjs', import.meta.url));
export const HERE = fileURLToPath(new URL('.', import.meta.url));

/** How long a system may take for anything it is asked to do, before that counts as broken. */
const TIMEOUT_MS = 20_000;
const OUTPUT_MAX = 2_000;
/** Below the ports that outgoing connections get, so that no client sits on one while its server is away. */
const PORTS = { from: 20_000, to: 30_000 };

const alive = new Set<Sandbox>();
let closed = false;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether it only gives orders: such a process runs anywhere and is no part of the system. */
  readonly tool?: boolean;
  /** Descriptors from 3 on, or an IPC channel. */
  readonly extra?: readonly (number | 'ipc')[];
}

/** A started process and the last of what it wrote. */
export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  output(): string;
}

/** Where one system stands: a folder, a port, a core, and every process that was started there. */
export class Sandbox {
  readonly folder: string;
  readonly port: number;
  /** How long the old version may take to finish. */
  readonly drainMs: number;
  /** The Node that runs the app. */
  readonly node: string;
  readonly #core: number | null;
  readonly #children = new Set<ChildProcess>();
  readonly #parts = new Set<ChildProcess>();
  /** By process id, with their start time, since an id may be given again. */
  readonly #adopted = new Map<number, string | null>();
  readonly #ends: (() => Promise<void>)[] = [];
  #version = '1';
  #ended = false;

  private constructor(port: number, options: SandboxOptions) {
    this.port = port;
    this.drainMs = options.drainMs;
    this.node = options.node ?? process.execPath;
    this.#core = options.core;
    this.folder = mkdtempSync(join(tmpdir(), 'peers-'));
    chmodSync(this.folder, 0o755); // nginx may serve as another user than the one that starts it
    this.version = '1';
    alive.add(this);
  }

  /** @throws Error when the run was broken off */
  static async create(options: SandboxOptions): Promise<Sandbox> {
    if (closed) throw new Error('the run was broken off');
    return new Sandbox(await freePort(), options);
  }

  /** What an app that is started from now on answers as `x-version`. */
  get version(): string {
    return this.#version;
  }

  set version(version: string) {
    this.#version = version;
    writeFileSync(this.path('version'), version);
  }

  /** The environment of the app, the same behind every system. */
  get env(): Record<string, string> {
    return { VERSION_FILE: this.path('version'), DRAIN_MS: String(this.drainMs) };
  }

  /** The processes that make up the system, without their children. */
  get pids(): readonly number[] {
    return [...this.#parts].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** Starts a process on the servers' core; it is ended with the sandbox at the latest. */
  start(
    command: string,
    args: readonly string[],
    { env = {}, cwd, extra = [], tool = false }: RunOptions = {}
  ): Started {
    if (this.#ended) throw new Error('nothing is started on a ground that was ended');
    const pinned = this.#core === null || tool ? [] : ['taskset', '-c', String(this.#core)];
    const [file = '', ...rest] = [...pinned, command, ...args];
    const child = spawn(file, rest, {
      cwd: cwd ?? this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...extra]
    });
    let output = '';
    const append = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout?.on('data', append);
    child.stderr?.on('data', append);
    child.on('error', (error) => append(Buffer.from(String(error))));
    this.#children.add(child);
    if (!tool) this.#parts.add(child);
    child.once('exit', () => {
      this.#children.delete(child);
      this.#parts.delete(child);
    });
    return { child, pid: child.pid ?? 0, output: () => output };
  }

  /** Starts the app on a port of its own and waits until it answers. */
  async startApp(port: number, env: Readonly<Record<string, string>> = {}): Promise<Started> {
    const app = this.start(this.node, [APP], { env: { ...this.env, PORT: String(port), ...env } });
    await this.waitForAnswer(port, app);
    return app;
  }

  /** Runs a command to its end. @throws Error when it fails or takes too long */
  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { child, output } = this.start(command, args, options);
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const [code] = await once(child, 'close');
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output()}`);
    return output();
  }

  /** Waits until something answers on a port, of the version that was set last. @throws Error when nothing does in time */
  async waitForAnswer(port: number, process?: Started): Promise<void> {
    const until = performance.now() + TIMEOUT_MS;
    while (performance.now() < until) {
      if ((await ask(port)) === this.#version) return;
      if (process && (process.child.exitCode !== null || process.child.signalCode !== null)) break;
      await delay(5);
    }
    throw new Error(`nothing answers on port ${port}: ${process?.output() ?? ''}`);
  }

  /** Ends a process gracefully: SIGTERM, and SIGKILL when the drain budget is spent. */
  async stop({ child }: Started): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), this.drainMs + 500);
    await exit;
    clearTimeout(timer);
  }

  /** Ends a process at once. */
  async kill({ child }: Started): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Takes on processes that may lose their parent: they are ended with the sandbox. */
  adopt(pids: readonly number[]): void {
    for (const pid of pids) this.#adopted.set(pid, startTimeOf(pid));
  }

  /** Calls this before the processes are ended. */
  atEnd(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    if (!alive.delete(this)) return;
    for (const end of this.#ends) await end().catch(() => {}); // what is left is ended below
    this.#ended = true;
    await Promise.all(
      [...this.#children].map(async (child) => {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
        await exit;
        clearTimeout(timer);
      })
    );
    for (const [pid, startTime] of this.#adopted) {
      if (startTime !== null && startTimeOf(pid) === startTime) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface SandboxOptions {
  readonly drainMs: number;
  readonly core: number | null;
  readonly node?: string | undefined;
}

/** Ends whatever stands, also when a run is broken off; nothing is started afterwards. */
export async function endAllSandboxes(): Promise<void> {
  closed = true;
  await Promise.all([...alive].map((sandbox) => sandbox.end()));
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
