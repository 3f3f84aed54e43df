import { type ChildProcess, fork } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Release } from '../../core/state/state.ts';
import { onInternalMessage, sendHandle } from '../../internals/ipc.ts';
import type { Handle } from '../../internals/net.ts';
import type { ToSupervisor, ToWorker } from '../../protocol/messages.ts';
import { parse, seal } from '../../protocol/parse.ts';
import { LAST_WORDS_FD, SETTINGS_VARIABLE, type WorkerSettings } from '../../protocol/worker-settings.ts';
import { LineRelay, quoteTail } from './output.ts';

/** How long the pipes of an exited worker may take to give their last lines. */
const LAST_LINES_MS = 200;

/** A debugger's port can be had by one process only. */
const NOT_INHERITED = /^--(inspect|debug)/;

export interface SpawnOptions {
  readonly release: Release;
  readonly settings: WorkerSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What each line of output begins with. */
  readonly lead: string;
}

export interface Watch {
  onMessage(message: ToSupervisor, handle: Handle | undefined): void;
  /** The app's own `process.send()`. */
  onAppMessage(message: unknown): void;
  onGarbage(what: string): void;
  /** Called once, the moment the process has exited. */
  onDown(): void;
  /** Called once, after the last message: the process is gone, and why. */
  onGone(why: string): void;
}

/** One worker as a process: started, watched, ended. It decides nothing. */
export class WorkerProcess {
  readonly pid: number | null;
  readonly #child: ChildProcess;
  readonly #stderr: LineRelay;
  readonly #env: NodeJS.ProcessEnv;
  #gone = false;

  constructor(options: SpawnOptions, watch: Watch) {
    const { release, settings, stdout, stderr, lead } = options;
    this.#env = options.env;
    const preload = fileURLToPath(new URL('./preload.cjs', import.meta.url));
    const stdio: (string | number)[] = ['ignore', 'pipe', 'pipe', 'ipc'];
    stdio[LAST_WORDS_FD] = 2;
    this.#child = fork(release.file, release.args, {
      execPath: release.node ?? process.execPath,
      cwd: release.cwd,
      env: { ...options.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
      execArgv: [...flagsFor(release), '--require', preload],
      // A process group of its own: Ctrl-C in a terminal is for the supervisor, which then ends its workers gracefully.
      detached: true,
      stdio: stdio as 'pipe'[]
    });
    this.pid = this.#child.pid ?? null;
    if (this.#child.stdout) new LineRelay(this.#child.stdout, stdout, lead);
    this.#stderr = new LineRelay(this.#child.stderr ?? process.stdin, stderr, lead);
    this.#watch(watch);
  }

  /**
   * Sends a message, and a handle with it.
   *
   * @param done called once: whether it was sent. A worker that is gone gets nothing: its exit is news of its own.
   */
  send(message: ToWorker, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    if (this.#gone || !this.#child.connected) done(false);
    else sendHandle(this.#child, seal(message), handle, (error) => done(!error));
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.#gone) this.#child.kill(signal);
  }

  #watch(watch: Watch): void {
    const child = this.#child;
    onInternalMessage(child, (raw, handle) => {
      const parsed = parse<ToSupervisor>(raw);
      if (!parsed) return;
      if ('message' in parsed) watch.onMessage(parsed.message, handle);
      else {
        handle?.close();
        watch.onGarbage(parsed.garbage);
      }
    });
    child.on('message', (message) => watch.onAppMessage(message));
    const end = (why: string) => {
      if (this.#gone) return;
      this.#gone = true;
      watch.onGone(why);
    };
    child.on('error', (error) => {
      // After the start, an error is a message that could not be sent, and the exit says the rest.
      if (child.pid === undefined) end(`could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      watch.onDown();
      endGroup(child.pid);
      const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      const finish = () => end(`${how}${quoteTail(this.#stderr, this.#env)}`);
      // 'close' comes when the pipes are empty; a grandchild that holds them open must not delay the news.
      const overdue = setTimeout(finish, LAST_LINES_MS);
      child.once('close', () => {
        clearTimeout(overdue);
        finish();
      });
    });
  }
}

/**
 * The flags of the supervisor's own Node, for workers of the same binary. Another one may not know them, and would refuse
 * to start: what such a release needs is given in its NODE_OPTIONS.
 */
function flagsFor({ node }: Release): string[] {
  return node === null ? process.execArgv.filter((flag) => !NOT_INHERITED.test(flag)) : [];
}

/** What a worker started and left behind ends with it, as it would with Ctrl-C under plain Node. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // Nobody is left in the group, which is the usual case.
  }
}
