import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Release } from '../../core/state/state.ts';
import { onInternalMessage, sendHandle } from '../../internals/ipc.ts';
import type { Handle } from '../../internals/net.ts';
import { type Moving, REHEARSAL, type ToSupervisor, type ToWorker, type Waiting } from '../../protocol/messages.ts';
import { parse, seal } from '../../protocol/parse.ts';
import { LAST_WORDS_FD, SETTINGS_VARIABLE, type WorkerSettings } from '../../protocol/worker-settings.ts';
import { Asks } from './asks.ts';
import { type Ending, explainEnding } from './ending.ts';
import { explainLeft, explainSilence, type Reason } from './family.ts';
import { LineRelay } from './output.ts';
import { Priority } from './priority.ts';
import { withPreload } from './with-preload.ts';

/** How long the pipes of an exited worker may take to give their last lines. */
const LAST_LINES_MS = 200;

/** How long a worker may take to say what it waits for, before its event loop is called blocked. */
const EXPLAIN_MS = 500;

/** How long an error that the app handled may be the reason of an exit that follows it. */
const HANDLED_MS = 5_000;

/** A debugger's port can be had by one process only. */
const NOT_INHERITED = /^--(inspect|debug)/;

export interface SpawnOptions {
  readonly release: Release;
  /** The file that is loaded before the app. */
  readonly preload: string;
  readonly settings: WorkerSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What each line of output begins with. */
  readonly lead: string;
}

/** What a worker says of itself as a process is dealt with here. */
export type WorkerMessage = Exclude<ToSupervisor, { type: 'explained' }>;

export interface Watch {
  onMessage(message: WorkerMessage, handle: Handle | undefined): void;
  /** The app's own `process.send()`. */
  onAppMessage(message: unknown): void;
  onGarbage(what: string): void;
  /** Called once, the moment the process has exited. */
  onDown(): void;
  /** Called once, after the last message: the process is gone, and why. */
  onGone(reason: Reason): void;
  /** Whether it never was ready, and why a listen() of it failed. */
  progress(): { readonly early: boolean; readonly bindFailure: string | null };
}

/** One worker as a process: started, watched, ended. It decides nothing. */
export class WorkerProcess {
  readonly pid: number | null;
  readonly priority: Priority;
  /** Aborted when it has exited or is told to end: nobody waits for an answer of it any more. */
  readonly ended = new AbortController();
  readonly #child: ChildProcess;
  readonly #stdout: LineRelay | null;
  readonly #stderr: LineRelay | null;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #explains = new Asks<Waiting>();
  #gone = false;
  /** Whether SIGTERM or SIGKILL was sent. */
  #asked = false;
  #uncaught: { readonly error: string; readonly fatal: boolean; readonly at: number } | null = null;

  constructor(options: SpawnOptions, watch: Watch) {
    const { release, preload, settings, stdout, stderr, lead } = options;
    this.#env = options.env;
    this.#folder = release.cwd;
    const { env, execArgv } = withPreload(preload, options.env, [...flagsFor(release), ...release.nodeOptions]);
    const stdio: (string | number)[] = ['ignore', 'pipe', 'pipe', 'ipc'];
    stdio[LAST_WORDS_FD] = 2;
    this.#child = fork(release.file, release.args, {
      execPath: release.node ?? process.execPath,
      cwd: release.cwd,
      env: { ...env, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
      execArgv,
      // A process group of its own: Ctrl-C in a terminal is for the supervisor, which then ends its workers gracefully.
      detached: true,
      stdio: stdio as 'pipe'[]
    });
    this.pid = this.#child.pid ?? null;
    this.priority = new Priority(this.pid ?? 0);
    // Without a process there are no pipes.
    this.#stdout = this.#child.stdout && new LineRelay(this.#child.stdout, stdout, lead);
    this.#stderr = this.#child.stderr && new LineRelay(this.#child.stderr, stderr, lead);
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
    this.#asked = true;
    this.ended.abort();
    if (!this.#gone) this.#child.kill(signal);
  }

  /** Why it has not listened, in words that follow "is running but": asked of itself, and of the system. */
  async explain(): Promise<Reason> {
    const waiting = await this.#explains.ask(EXPLAIN_MS, (ask) => this.send({ type: 'explain', ask }));
    return explainSilence(this.pid ?? 0, waiting, EXPLAIN_MS, this.#folder);
  }

  #watch(watch: Watch): void {
    const child = this.#child;
    onInternalMessage(child, (raw, handle) => {
      const parsed = parse<ToSupervisor>(raw);
      if (!parsed) return;
      if ('message' in parsed) this.#take(parsed.message, handle, watch);
      else {
        handle?.close();
        watch.onGarbage(parsed.garbage);
      }
    });
    child.on('message', (message) => watch.onAppMessage(message));
    const end = (reason: Reason) => {
      if (this.#gone) return;
      this.#gone = true;
      this.ended.abort();
      watch.onGone(reason);
    };
    child.on('error', (error) => {
      // After the start, an error is a message that could not be sent, and the exit says the rest.
      if (child.pid === undefined) end({ why: `could not be started: ${this.#explainUnstarted(error)}`, fix: null });
    });
    child.once('exit', (code, signal) => {
      this.ended.abort();
      watch.onDown();
      const { early } = watch.progress();
      const left = early && child.pid !== undefined ? explainLeft(child.pid, this.#folder) : null;
      endGroup(child.pid);
      const finish = () => end(this.#explainEnding({ code, signal, left }, watch));
      // 'close' comes when the pipes are empty; a grandchild that holds them open must not delay the news.
      const overdue = setTimeout(() => {
        finish();
        // Nor may it keep the supervisor from ending.
        for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
      }, LAST_LINES_MS);
      child.once('close', () => {
        clearTimeout(overdue);
        finish();
      });
    });
  }

  /** Node says of a missing folder that it is the binary that is missing. */
  #explainUnstarted({ message }: Error): string {
    return existsSync(this.#folder) ? message : `its working directory ${this.#folder} is gone`;
  }

  #take(message: ToSupervisor, handle: Handle | undefined, watch: Watch): void {
    if (message.type === 'uncaught') this.#uncaught = { ...message, at: performance.now() };
    if (message.type === 'connection' && message.key.startsWith(REHEARSAL)) this.#giveBack(message, handle);
    else if (message.type !== 'explained') watch.onMessage(message, handle);
    else this.#explains.take(message.ask, message);
  }

  /** A worker that rehearses a handover gets its connection back. */
  #giveBack({ id, key, fresh, pipelines, resume }: Moving, handle: Handle | undefined): void {
    this.send({ type: 'adopt', id, key, fresh, pipelines, resume, last: false }, handle, () => handle?.close());
  }

  #explainEnding(exit: Pick<Ending, 'code' | 'signal' | 'left'>, watch: Watch): Reason {
    const read = (relay: LineRelay | null) => {
      relay?.flush();
      return relay?.tail ?? [];
    };
    const { error, fatal, at } = this.#uncaught ?? { error: null, fatal: false, at: 0 };
    const counts = fatal || performance.now() - at < HANDLED_MS;
    return explainEnding({
      ...exit,
      ...watch.progress(),
      asked: this.#asked,
      uncaught: counts ? error : null,
      written: { stdout: read(this.#stdout), stderr: read(this.#stderr) },
      env: this.#env,
      folder: this.#folder
    });
  }
}

/**
 * The flags of the supervisor's own Node, for workers of the same binary. Another one may not know them, and would refuse
 * to start: what such a release needs is given as its own options.
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
