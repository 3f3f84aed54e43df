import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';

/** How long a test waits for something that should come at once, on a slow and busy machine. */
const WAIT_MS = 30_000;

export const LOAD_APP = fileURLToPath(new URL('../../bench/client/app.mjs', import.meta.url));
const SUPERVISOR = fileURLToPath(new URL('./supervisor.mjs', import.meta.url));

/** One line of the supervisor's log. */
export type Line = { readonly event: string; readonly [detail: string]: unknown };

/** A supervised service in a process of its own, with the version of its app in a file. */
export class TestService {
  readonly folder = mkdtempSync(join(tmpdir(), 'handover-test-'));
  readonly socket: string;
  readonly lines: Line[] = [];
  /** Lines of stderr that are not the supervisor's. */
  readonly noise: string[] = [];
  readonly process: ChildProcess;
  readonly client: ControlClient;
  port = 0;
  readonly #waiting = new Set<() => void>();

  constructor(options: SuperviseOptions) {
    this.version = '1';
    this.socket = options.socket ?? join(this.folder, 'control.sock');
    this.client = new ControlClient(this.socket);
    const env = { ...process.env, VERSION_FILE: join(this.folder, 'version') };
    const given = { listen: '127.0.0.1:0', log: 'json', entry: LOAD_APP, socket: this.socket, ...options };
    this.process = spawn(process.execPath, [SUPERVISOR, JSON.stringify(given)], {
      env,
      stdio: ['ignore', 'ignore', 'pipe']
    });
    if (!this.process.stderr) throw new Error('the supervisor has no stderr');
    createInterface(this.process.stderr).on('line', (line) => this.#read(line));
    this.process.once('exit', (code, signal) => this.#add({ event: '(exit)', code, signal }));
  }

  /** What the next generation answers as `x-version`. */
  set version(version: string) {
    writeFileSync(join(this.folder, 'version'), version);
  }

  /** Waits until the service serves. */
  async started(): Promise<this> {
    await this.line('started');
    const { listeners } = await this.client.status();
    this.port = Number(listeners[0]?.address.split(':').pop());
    return this;
  }

  /** Waits for a line of the log, among those that came already too. */
  async line(event: string, matches: (line: Line) => boolean = () => true): Promise<Line> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const found = this.lines.find((line) => line.event === event && matches(line));
      if (found) return found;
      const over = this.lines.find((line) => line.event === '(exit)');
      if (over || Date.now() > deadline) {
        const seen = this.lines.map((line) => JSON.stringify(line)).join('\n');
        throw new Error(
          `no line "${event}"${over ? ' before the supervisor exited' : ''}; the log was:\n${seen}\n${this.noise.join('\n')}`
        );
      }
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, Math.max(1, deadline - Date.now()));
        this.#waiting.add(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  async workers(): Promise<{ id: string; pid: number }[]> {
    const { active } = await this.client.status();
    return (active?.workers ?? []).map(({ id, pid }) => ({ id, pid: pid ?? 0 }));
  }

  /** Waits until the supervisor has exited. */
  exited(): Promise<Line> {
    return this.line('(exit)');
  }

  /** Ends whatever is left, by the ids of the processes that this service started. */
  async end(): Promise<void> {
    if (!this.lines.some(({ event }) => event === '(exit)')) {
      const exit = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await exit;
    }
    await this.client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #read(text: string): void {
    try {
      this.#add(JSON.parse(text) as Line);
    } catch {
      this.noise.push(text); // a worker's own words, or Node's
    }
  }

  #add(line: Line): void {
    this.lines.push(line);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Runs a test with a service that is started before and gone after. */
export async function withService(
  options: SuperviseOptions,
  run: (service: TestService) => Promise<void>
): Promise<void> {
  const service = new TestService(options);
  try {
    await run(await service.started());
  } finally {
    await service.end();
  }
  if (existsSync(service.socket)) throw new Error('the control socket is still there');
}

/** Asks until it is so; fails with what was waited for. */
export async function waitFor(isSo: () => Promise<boolean>, what: string | (() => string)): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; ) {
    if (await isSo()) return;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`);
}
