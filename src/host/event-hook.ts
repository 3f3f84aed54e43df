import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventFunction, EventTarget, ToldEvent } from '../options/event-target.ts';
import { onLastMoment } from './exit.ts';

/** How many events wait while one is told; what is beyond that is dropped, the oldest first. */
const MOST_WAITING = 100;
/** How long one try may take. */
const TRY_MS = 10_000;
/** How long it is waited before each further try. */
const AGAIN_MS = [1_000, 5_000];
/** How long all that is still to be told may take at the end. */
const LAST_MS = 5_000;
const KEPT_BYTES = 2_000;

interface HookPorts {
  /** The environment of a command. */
  readonly env: NodeJS.ProcessEnv;
  /** Called once until it works again. */
  readonly onFailed: (reason: string) => void;
}

/** Why one try failed, and whether another one may not. */
type Failure = { readonly why: string; readonly isFinal: boolean };

/** Tells somebody outside of events, one after another. Nobody waits for it but the end of this process, and that not for long. */
export class EventHook {
  readonly #target: EventTarget;
  readonly #ports: HookPorts;
  readonly #waiting: ToldEvent[] = [];
  readonly #over = new AbortController();
  #working: Promise<void> | null = null;
  #hasFailed = false;

  constructor(target: EventTarget, ports: HookPorts) {
    this.#target = target;
    this.#ports = ports;
  }

  tell(event: ToldEvent): void {
    if (this.#over.signal.aborted) return;
    this.#waiting.push(event);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#fail(`more than ${MOST_WAITING} events wait, and the oldest are dropped`);
    }
    this.#working ??= this.#work();
  }

  /** Settles when all is told, or was given up: then nothing of it is left, a command that still runs is ended. */
  async close(withinMs = LAST_MS): Promise<void> {
    const timer = setTimeout(() => this.#over.abort(), withinMs);
    await this.#working;
    clearTimeout(timer);
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const why = await this.#try(next);
      if (this.#over.signal.aborted) break;
      if (why === null) this.#hasFailed = false;
      else this.#fail(`"${next.event}" was not told: ${why}`);
    }
    this.#working = null;
  }

  #fail(reason: string): void {
    if (!this.#hasFailed) this.#ports.onFailed(reason);
    this.#hasFailed = true;
  }

  /** @returns null when it was told, else why not */
  async #try(event: ToldEvent): Promise<string | null> {
    for (let tries = 0; ; tries += 1) {
      const failure = await this.#tellOnce(event);
      const waitMs = AGAIN_MS[tries];
      if (failure === null) return null;
      if (failure.isFinal || waitMs === undefined) return failure.why;
      await delay(waitMs, undefined, { ref: false, signal: this.#over.signal }).catch(() => {});
      if (this.#over.signal.aborted) return failure.why;
    }
  }

  #tellOnce(event: ToldEvent): Promise<Failure | null> {
    const target = this.#target;
    const { signal } = this.#over;
    if (typeof target === 'function') return call(target, event, signal);
    return 'url' in target ? post(target.url, event, signal) : run(target.command, event, this.#ports.env, signal);
  }
}

async function call(target: EventFunction, event: ToldEvent, signal: AbortSignal): Promise<Failure | null> {
  const late = `it was not done within ${TRY_MS} ms`;
  const overdue = delay(TRY_MS, late, { ref: false, signal }).catch(() => late);
  try {
    const done = Promise.resolve(target(event)).then(() => null);
    done.catch(() => {}); // where it fails after its time, it was told that it is late
    const why = await Promise.race([done, overdue]);
    return why === null ? null : { why, isFinal: true };
  } catch (error) {
    return { why: `the function threw: ${error instanceof Error ? error.message : String(error)}`, isFinal: true };
  }
}

/** What stands in the path of such a URL is a secret often. */
async function post(url: string, event: ToldEvent, over: AbortSignal): Promise<Failure | null> {
  const { origin } = new URL(url);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'handover' },
      body: JSON.stringify(event),
      redirect: 'manual',
      signal: AbortSignal.any([over, AbortSignal.timeout(TRY_MS)])
    });
    await answer.body?.cancel();
    if (answer.ok) return null;
    const isFinal = answer.status < 500 && answer.status !== 429 && answer.status !== 408;
    return { why: `${origin} answered ${answer.status}`, isFinal };
  } catch (error) {
    const { name, cause } = error as { name?: string; cause?: { code?: string } };
    const why =
      name === 'TimeoutError' ? `did not answer within ${TRY_MS} ms` : `cannot be reached (${cause?.code ?? name})`;
    return { why: `${origin} ${why}`, isFinal: false };
  }
}

/** Runs a command of the shell with the event on its stdin. It is ended with this process, which does not live for it. */
function run(command: string, event: ToldEvent, env: NodeJS.ProcessEnv, over: AbortSignal): Promise<Failure | null> {
  return new Promise((done) => {
    const child = spawn(command, {
      shell: true,
      env: { ...env, HANDOVER_EVENT: event.event },
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe']
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT_BYTES);
    });
    const fail = (how: string) => {
      const [last = ''] = said.trim().split('\n').slice(-1);
      done({ why: `the command ${how}${last === '' ? '' : `: ${last}`}`, isFinal: false });
    };
    const giveUp = () => {
      end(child.pid);
      fail(`was not done within ${TRY_MS} ms`);
    };
    const overdue = setTimeout(giveUp, TRY_MS).unref();
    over.addEventListener('abort', giveUp);
    const forget = onLastMoment(() => end(child.pid));
    const settle = () => {
      clearTimeout(overdue);
      over.removeEventListener('abort', giveUp);
      forget();
    };
    child.once('error', (error) => {
      settle();
      fail(`could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      settle();
      // What it said last may still be in the pipe, which something that it has started may hold open.
      if (code === 0) done(null);
      else setImmediate(() => fail(signal ? `was ended by ${signal}` : `exited with code ${code}`));
    });
    child.stdin.on('error', () => {}); // it did not want to know more
    child.stdin.end(`${JSON.stringify(event)}\n`);
    child.unref();
    for (const pipe of [child.stdin, child.stderr]) (pipe as unknown as Socket).unref();
  });
}

function end(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
