import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How long a process has for what it must say, on a slow and busy machine; and to end. */
const SAY_MS = 30_000;
const END_MS = 15_000;
/** How long a command has. */
const EXIT_MS = 120_000;

/** A process of the fleet, and what it wrote to stdout and stderr, line by line. */
export class Child {
  readonly lines: string[] = [];
  readonly process: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals>;
  readonly #name: string;
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  constructor(
    name: string,
    file: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}
  ) {
    this.#name = name;
    this.process = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#hear(line));
    }
    this.#ended = once(this.process, 'exit').then(([code, signal]) => {
      this.#isOver = true;
      for (const wake of this.#listeners) wake();
      return code ?? signal;
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for a line, one of those before included. */
  async line(part: string, from = 0): Promise<string> {
    const deadline = performance.now() + SAY_MS;
    for (;;) {
      const found = this.lines.slice(from).find((line) => line.includes(part));
      if (found !== undefined) return found;
      if (this.#isOver || performance.now() > deadline)
        throw new Error(
          `${this.#name} never said ${JSON.stringify(part)}; it said:\n${this.lines.slice(-30).join('\n')}`
        );
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#listeners.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.max(1, deadline - performance.now()));
        this.#listeners.add(wake);
      });
    }
  }

  /** Tells each line as it comes. */
  onLine(listener: (line: string) => void): void {
    let told = this.lines.length;
    this.#listeners.add(() => {
      for (; told < this.lines.length; told += 1) listener(this.lines[told] ?? '');
    });
  }

  /** Waits until it has ended by itself. @returns its exit code, or by what signal it ended */
  async exit(): Promise<number | NodeJS.Signals> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const say = () => reject(new Error(`${this.#name} never ended; it said:\n${this.lines.slice(-30).join('\n')}`));
      timer = setTimeout(say, EXIT_MS);
    });
    try {
      return await Promise.race([this.#ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends it: SIGTERM, and SIGKILL where that is not heard. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#isOver) return;
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #hear(line: string): void {
    this.lines.push(line);
    for (const wake of this.#listeners) wake();
  }
}
