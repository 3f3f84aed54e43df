import { execFile } from 'node:child_process';
import { systemCode } from '../errors.ts';

/** What the service manager is to know of the service. */
export interface Report {
  /** Null: nothing to say yet, while the first generation starts. */
  readonly mode: 'ready' | 'reloading' | 'stopping' | null;
  /** One line for people. */
  readonly status: string;
}

type Mode = NonNullable<Report['mode']>;

/** By the clock that systemd counts with. */
const nowUs = () => process.hrtime.bigint() / 1_000n;

const MODES: Readonly<Record<Mode, () => readonly string[]>> = {
  ready: () => ['READY=1'],
  reloading: () => ['RELOADING=1', `MONOTONIC_USEC=${nowUs()}`],
  stopping: () => ['STOPPING=1']
};

/** The program waits until systemd has read it. One that hangs must not keep the next from being told. */
const LONGEST_MS = 10_000;

/** Two at once could arrive in the wrong order. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Tells systemd how the service is, as `Type=notify` and `WatchdogSec=` expect it. Where NOTIFY_SOCKET is not set, nothing.
 *
 * Through the program `systemd-notify`, which is a child: Node has no datagrams of unix sockets. So the unit needs
 * `NotifyAccess=all`. One runs at a time; what happens meanwhile is told together.
 *
 * @source sd_notify(3), sd_watchdog_enabled(3)
 */
export class SystemdNotifier {
  readonly #env: NodeJS.ProcessEnv;
  readonly #onFailure: (why: string) => void;
  #told: Report = { mode: null, status: '' };
  #modes: (readonly [Mode, readonly string[]])[] = [];
  #status: string | null = null;
  #isAlive = false;
  #busy = false;
  #failed = false;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param onFailure is told once why systemd cannot be told anything */
  constructor(onFailure: (why: string) => void, env: NodeJS.ProcessEnv = process.env) {
    this.#onFailure = onFailure;
    this.#env = env;
  }

  /** Says how the service is, if that is news. */
  tell({ mode, status }: Report): void {
    if (!isNotified(this.#env)) return;
    const before = this.#told;
    this.#told = { mode: mode ?? before.mode, status };
    if (status !== before.status) this.#status = status;
    if (mode !== null && mode !== before.mode) {
      // However often it changes while one is told: each mode once, the last one last.
      this.#modes = [...this.#modes.filter(([one]) => one !== mode), [mode, MODES[mode]()]];
      if (mode === 'ready') this.#keepAlive();
    }
    this.#flush();
  }

  /** Ends the reports to the watchdog. What was not told yet is. */
  close(): void {
    clearInterval(this.#watchdog);
  }

  #keepAlive(): void {
    const periodMs = readWatchdogMs(this.#env);
    if (periodMs === null || this.#watchdog) return;
    const report = () => {
      this.#isAlive = true;
      this.#flush();
    };
    // A process whose event loop hangs does not get here, which is what the watchdog is there for.
    this.#watchdog = setInterval(report, periodMs / 2).unref();
  }

  #flush(): void {
    if (this.#busy) return;
    const lines = this.#take();
    if (lines.length === 0) return;
    this.#busy = true;
    void send(lines, this.#env).then((why) => {
      this.#busy = false;
      if (why !== null && !this.#failed) this.#onFailure(why);
      this.#failed ||= why !== null;
      this.#flush();
    });
  }

  #take(): string[] {
    const [, mode = []] = this.#modes.shift() ?? [];
    const lines = [...mode];
    if (this.#status !== null) lines.push(`STATUS=${this.#status}`);
    if (this.#isAlive) lines.push('WATCHDOG=1');
    this.#status = null;
    this.#isAlive = false;
    return lines;
  }
}

/**
 * Tells systemd that another process is the main one of the service from now on.
 *
 * @returns why that could not be told; null where it was, or there is no systemd to be told
 */
export function tellMainPid(pid: number, env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  return isNotified(env) ? send([`MAINPID=${pid}`], env) : Promise.resolve(null);
}

function isNotified({ NOTIFY_SOCKET = '' }: NodeJS.ProcessEnv): boolean {
  return NOTIFY_SOCKET !== '';
}

/** Within which time systemd wants to hear of this process, or null. */
function readWatchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const periodMs = Number(WATCHDOG_USEC) / 1_000;
  const isMeant = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
  return isMeant && periodMs > 0 && Number.isFinite(periodMs) ? periodMs : null;
}

function send(lines: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  const sent = last.then(() => run(lines, env));
  last = sent;
  return sent;
}

function run(lines: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((done) => {
    const options = { env, timeout: LONGEST_MS, killSignal: 'SIGKILL' } as const;
    execFile('systemd-notify', lines, options, (error, _stdout, stderr) => {
      if (!error) return done(null);
      if (systemCode(error) === 'ENOENT') return done('there is no program systemd-notify');
      const said = stderr.trim();
      done(`systemd-notify failed: ${said === '' ? error.message.trim() : said}`);
    });
  });
}
