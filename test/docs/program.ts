import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { inTime, until } from '../support/wait.ts';

/** A command that supervises, while it runs: the shell's line as it stands, in a process group of its own. */
export class Program {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #said = '';

  constructor(command: string, { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }) {
    this.#command = command;
    this.#child = spawn('sh', ['-c', `exec ${command}`], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe']
    });
    this.#exit = once(this.#child, 'exit');
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until it says that it serves. */
  async started(): Promise<void> {
    await until(
      () => {
        if (this.#said.includes('"event":"started"')) return true;
        if (!this.isRunning()) throw new Error(`${this.#command} ended:\n${this.#said}`);
        return false;
      },
      () => `the start of ${this.#command}, which said:\n${this.#said}`
    );
  }

  /** Waits until it has ended, with exit code 0. */
  async ended(): Promise<void> {
    const [code] = await inTime(this.#exit, () => `the end of ${this.#command}, which said:\n${this.#said}`);
    assert.equal(code, 0, `${this.#command} said:\n${this.#said}`);
  }

  /** Asks it to end, as an init system does. */
  stop(): void {
    if (this.isRunning() && this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGTERM');
  }

  /** Ends it at once, if it has not ended when it was asked to: no test may leave it behind. */
  kill(): void {
    if (this.isRunning() && this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
  }
}
