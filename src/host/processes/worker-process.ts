import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type Handle, handleOf } from '../../internals/net.ts';
import type { Moving, ToSupervisor, ToWorker, Waiting } from '../../protocol/messages.ts';
import { REHEARSAL } from '../../protocol/not-of-clients.ts';
import type { FoundWorker } from '../found-workers.ts';
import type { Knock } from '../links.ts';
import type { Identity } from '../rights/act-as.ts';
import { Asks } from './asks.ts';
import { Conversation } from './conversation.ts';
import { type Ending, explainEnding } from './ending.ts';
import { explainLeft, explainSilence, type Reason } from './family.ts';
import { LineRelay } from './output.ts';
import { Priority } from './priority.ts';
import { type RunningProcess, startTimeOf } from './running-process.ts';
import { endGroup, type SpawnOptions, startWorkerProcess } from './start-process.ts';

/** How long the pipes of an exited worker may take to give their last lines. */
const LAST_LINES_MS = 200;
/** How long a link may take to be accepted that was opened just before the exit. */
const KNOCK_MS = 100;
/** The same for its link, which nobody else can hold open. */
const LAST_WORD_MS = 5_000;

/** How long a worker may take to say what it waits for, before its event loop is called blocked. */
const EXPLAIN_MS = 500;

/** How long an error that the app handled may be the reason of an exit that follows it. */
const HANDLED_MS = 5_000;

/** What a worker says of itself as a process is dealt with here. */
export type WorkerMessage = Exclude<
  ToSupervisor,
  { type: 'explained' | 'app-message' | 'hello' | 'kept' | 'kept-output' | 'resumed' }
>;

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
  /** By which its process is told from another one that has its pid later. */
  readonly startedAt: string | null;
  /** As whom it runs; null: as this process. */
  readonly account: Identity | null;
  readonly priority: Priority;
  /** Aborted when it has exited or is told to end: nobody waits for an answer of it any more. */
  readonly ended = new AbortController();
  readonly #child: RunningProcess;
  readonly #conversation: Conversation;
  readonly #stdout: LineRelay | null;
  readonly #stderr: LineRelay | null;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #explains = new Asks<Waiting>();
  #gone = false;
  /** It may be over, or knock again. */
  #onLinkEnd = () => {};
  #hasKnocked = false;
  /** Whether SIGTERM or SIGKILL was sent. */
  #asked = false;
  #uncaught: { readonly error: string; readonly fatal: boolean; readonly at: number } | null = null;

  constructor(options: SpawnOptions, watch: Watch) {
    const { release, output } = options;
    this.#env = options.env;
    this.account = options.account;
    this.#folder = release.cwd;
    this.#child = options.adopted ?? startWorkerProcess(options);
    this.#conversation = new Conversation({
      onMessage: (message, handle) => this.#take(message, handle, watch),
      onGarbage: (what) => watch.onGarbage(what),
      onEnd: () => this.#onLinkEnd()
    });
    this.pid = this.#child.pid;
    this.startedAt = this.pid === null ? null : startTimeOf(this.pid);
    this.priority = new Priority(this.pid, this.#child.isAdopted);
    // Without a process there are no pipes.
    this.#stdout =
      this.#child.stdout &&
      new LineRelay(this.#child.stdout, output.stdout, output.lead, (lines) => output.hear(1, lines));
    this.#stderr =
      this.#child.stderr &&
      new LineRelay(this.#child.stderr, output.stderr, output.lead, (lines) => output.hear(2, lines));
    this.#watch(watch);
    // Its own pipes are kept open by itself too: what it writes while nobody reads them waits for the next supervisor.
    if (!this.#child.isAdopted) {
      for (const [fd, stream] of [
        [1, this.#child.stdout],
        [2, this.#child.stderr]
      ] as const) {
        const handle = stream && handleOf(stream as Socket);
        if (handle) this.send({ type: 'output', fd }, handle);
      }
    }
  }

  /**
   * Sends a message, and a handle with it.
   *
   * @param done called once: whether it was sent. A worker that is gone gets nothing: its exit is news of its own.
   */
  send(message: ToWorker, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    this.#conversation.send(message, handle, done);
  }

  /** The worker has opened its link. */
  onKnock(knock: Knock): void {
    if (this.#gone) return knock.refuse('it is over');
    this.#hasKnocked = true;
    // It found that the socket was made anew, and lets go of this link as soon as it hears from whom it is.
    if (this.#conversation.isOpen && !knock.hello.isAlone) return knock.welcome();
    this.#conversation.begin((events) => knock.open(events));
    knock.welcome();
  }

  pauseOutput(): void {
    for (const one of [this.#stdout, this.#stderr]) one?.pause();
  }

  resumeOutput(): void {
    for (const one of [this.#stdout, this.#stderr]) one?.resume();
  }

  /** It is taken over, over a link on which it was heard before. */
  resume({ knock, heard }: Pick<FoundWorker, 'knock' | 'heard'>): void {
    this.#conversation.begin((events) => knock.open(events), heard);
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
    const end = (reason: Reason) => {
      if (this.#gone) return;
      this.#gone = true;
      this.ended.abort();
      this.#conversation.end();
      watch.onGone(reason);
    };
    child.onError((error) => {
      // After the start, the exit says the rest.
      if (child.pid === null) end({ why: `could not be started: ${this.#explainUnstarted(error)}`, fix: null });
    });
    child.onExit((code, signal) => {
      this.priority.close();
      this.ended.abort();
      watch.onDown();
      const { early } = watch.progress();
      const left = early && child.pid !== null ? explainLeft(child.pid, this.#folder) : null;
      if (!child.isAdopted) endGroup(child.pid);
      const finish = () => {
        clearTimeout(overdue);
        clearTimeout(never);
        end(this.#explainEnding({ code, signal, left }, watch));
      };
      // Its link is read to the end, however late: which connections it had taken is said there.
      const finishWhenHeard = () => {
        if (this.#conversation.isOpen) this.#onLinkEnd = finish;
        else if (this.#hasKnocked) finish();
        else setTimeout(() => (this.#conversation.isOpen ? finishWhenHeard() : finish()), KNOCK_MS);
      };
      const never = setTimeout(finish, LAST_WORD_MS);
      // So are its pipes; but a grandchild that holds them open must not delay the news.
      const overdue = setTimeout(() => {
        finishWhenHeard();
        // Nor may it keep the supervisor from ending.
        for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
      }, LAST_LINES_MS);
      child.onClose(finishWhenHeard);
    });
  }

  /** Node says of a missing folder that it is the binary that is missing. */
  #explainUnstarted({ message }: Error): string {
    return existsSync(this.#folder) ? message : `its working directory ${this.#folder} is gone`;
  }

  #take(message: ToSupervisor, handle: Handle | undefined, watch: Watch): void {
    if (message.type === 'uncaught') this.#uncaught = { ...message, at: performance.now() };
    switch (message.type) {
      case 'explained':
        return this.#explains.take(message.ask, message);
      case 'app-message':
        return watch.onAppMessage(message.message);
      case 'hello':
      case 'kept':
      case 'kept-output':
      case 'resumed':
        return handle?.close(); // heard only while it is adopted
      case 'connection':
        if (message.key.startsWith(REHEARSAL)) return this.#giveBack(message, handle);
    }
    watch.onMessage(message, handle);
  }

  /** A worker that rehearses a handover gets its connection back. */
  #giveBack(moving: Moving, handle: Handle | undefined): void {
    this.send({ ...moving, type: 'adopt', last: false }, handle, () => handle?.close());
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
      isAdopted: this.#child.isAdopted,
      uncaught: counts ? error : null,
      written: { stdout: read(this.#stdout), stderr: read(this.#stderr) },
      env: this.#env,
      folder: this.#folder
    });
  }
}
