import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { passedDescriptors } from './listeners/activation.ts';
import { environmentOfSuccessor, type SuccessionLine } from './succession.ts';

/** How long a successor may take until it has everything. */
const LIMIT_MS = 10_000;

/** How a supervisor is started: as this one was, or with other arguments. */
export interface SuccessorCommand {
  readonly node: string;
  readonly args: readonly string[];
}

/** The command line of this process, with another binary or other arguments of `run` where they are given. */
export function commandOf(node: string | null, args: readonly string[] | null): SuccessorCommand {
  const [, script = '', ...own] = process.argv;
  const flags = node === null ? process.execArgv : [];
  return { node: node ?? process.execPath, args: [...flags, script, ...(args ? ['run', ...args] : own)] };
}

/** A supervisor that this one has started to take its place. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #said: Readable | null;
  /** Settles with why it failed, in words; null where it has everything. */
  readonly outcome: Promise<string | null>;

  /** @param onLinks called when it hears workers, with where */
  constructor({ node, args }: SuccessorCommand, onLinks: (path: string) => void, isTrial = false) {
    const passed = passedDescriptors();
    const fd = 3 + passed.length;
    const env = environmentOfSuccessor(fd, isTrial);
    this.#child = spawn(node, args, {
      env,
      stdio: ['ignore', 'inherit', 'inherit', ...passed, 'pipe'],
      detached: true
    });
    this.#said = this.#child.stdio[fd] as Readable | null;
    this.outcome = this.#follow(onLinks);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends it. Settles when it has ended. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.pid) return;
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Lets this process end before it. */
  leave(): void {
    this.#child.unref();
    this.#said?.destroy();
  }

  #follow(onLinks: (path: string) => void): Promise<string | null> {
    return new Promise((settle) => {
      const overdue = setTimeout(() => settle(`it had not everything after ${LIMIT_MS / 1_000} s`), LIMIT_MS);
      const end = (why: string | null) => {
        clearTimeout(overdue);
        settle(why);
      };
      this.#child.once('error', (error) => end(`it could not be started: ${error.message}`));
      this.#child.once('exit', (code, signal) => {
        // What it said last is read before.
        setImmediate(() => end(`it ended ${signal ? `by ${signal}` : `with code ${code}`}; its stderr says why`));
      });
      if (this.#said)
        createInterface(this.#said).on('line', (text) => {
          const line = JSON.parse(text) as SuccessionLine;
          if ('links' in line) onLinks(line.links);
          else end('failed' in line ? line.failed : null);
        });
    });
  }
}
