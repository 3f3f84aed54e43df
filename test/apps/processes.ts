import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, startTimeOf, withDescendants } from '../../bench/peers/process-tree.ts';

/** What `npm run` says to its script and would say to another npm; a registry that is set there holds for that one too. */
const OF_NPM_RUN = /^npm_(package|lifecycle|config_(local_|global_)?prefix)/;
const OUTPUT_MAX = 20_000;
/** How long a process that was told to end may take before it is killed. */
const END_MS = 10_000;

export interface Started {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The last of what it wrote, stdout and stderr together. */
  output(): string;
  /** Its exit code, or the signal that ended it, once all that it wrote was read. */
  readonly ended: Promise<number | string>;
}

export interface Outcome {
  readonly code: number | string;
  readonly output: string;
}

/** Every process of one row. Nothing of it is left when `end()` has resolved. */
export class Processes {
  readonly #env: NodeJS.ProcessEnv;
  readonly #started = new Set<Started>();
  #over: string | null = null;

  constructor(env: Readonly<Record<string, string>>) {
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
    const ours = Object.entries(rest).filter(([name]) => !OF_NPM_RUN.test(name));
    this.#env = { ...Object.fromEntries(ours), ...env };
  }

  start(command: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Started {
    if (this.#over !== null) throw new Error(this.#over);
    const [file = '', ...args] = command;
    const child = spawn(file, args, { cwd, env: { ...this.#env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const append = (text: string) => {
      output = (output + text).slice(-OUTPUT_MAX);
    };
    child.stdout.setEncoding('utf8').on('data', append);
    child.stderr.setEncoding('utf8').on('data', append);
    child.on('error', (error) => append(`${error.message}\n`));
    const ended = new Promise<number | string>((done) =>
      child.once('close', (code, signal) => done(code ?? signal ?? 'unknown'))
    );
    const started = { process: child, pid: child.pid ?? 0, output: () => output, ended };
    this.#started.add(started);
    ended.then(() => this.#started.delete(started));
    return started;
  }

  /** Runs a command to its end. */
  async run(command: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const { ended, output } = this.start(command, cwd, env);
    return { code: await ended, output: output() };
  }

  /** Ends all there are, and what they started, by their ids; from now on nothing starts. */
  async end(reason: string): Promise<void> {
    this.#over ??= reason;
    await Promise.all([...this.#started].map((started) => this.#endOne(started)));
  }

  async #endOne({ process: child, pid }: Started): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null || pid === 0) return;
    const family = withDescendants(pid).map((one) => ({ pid: one, startedAt: startTimeOf(one) }));
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await Promise.race([exit, delay(END_MS, undefined, { ref: false })]);
    for (const one of family) {
      if (isAlive(one.pid) && startTimeOf(one.pid) === one.startedAt) process.kill(one.pid, 'SIGKILL');
    }
    await exit;
  }
}
