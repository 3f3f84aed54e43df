import { writeSync } from 'node:fs';
import { LAST_WORDS_FD, type WorkerSettings } from '../protocol/worker-settings.ts';

/** How long an orphan's app may take over its SIGTERM handlers. */
const TERM_MS = 5_000;
/** How long connections that were on their way, or held, wait for the next supervisor. */
const ALONE_MS = 10_000;

interface Hands {
  isServing(): boolean;
  /** Nothing can move until the next supervisor comes. */
  wait(): void;
  /** No supervisor has come: what waited for one is dealt with here. */
  actAlone(): void;
  /** Stops accepting and ends the connections; calls back when the last is gone. */
  finish(done: () => void): void;
}

/**
 * What a worker does whose supervisor is gone without having asked it to stop.
 *
 * It serves on, or stays the standby that it was, for `orphanMs`: the next supervisor takes it over, and no client notices.
 * If none comes it finishes its requests and exits, so that the address is free.
 */
export class Orphan {
  readonly #settings: WorkerSettings;
  readonly #hands: Hands;
  #timers: NodeJS.Timeout[] = [];

  constructor(settings: WorkerSettings, hands: Hands) {
    this.#settings = settings;
    this.#hands = hands;
  }

  begin(): void {
    const { orphanMs } = this.#settings;
    const does = this.#hands.isServing() ? 'serving' : 'waiting';
    const reason = `the supervisor is gone; ${does} for another ${orphanMs} ms until the next one comes, then finishing and exiting`;
    say(this.#settings, 'warn', 'orphaned', reason);
    this.#hands.wait();
    this.#timers = [
      setTimeout(() => this.#hands.actAlone(), Math.min(ALONE_MS, orphanMs)),
      // It keeps the process alive, which the link does not.
      setTimeout(() => this.#end(), orphanMs)
    ];
  }

  /** The next supervisor has come. */
  cancel(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }

  #end(): void {
    const settings = this.#settings;
    // Nobody reads our output; a write that fails from here on must not end the app.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    const end = () => {
      clearTimeout(overdue);
      say(settings, 'info', 'orphan-exit', 'its requests have ended');
      exitByTerm();
    };
    const overdue = setTimeout(() => {
      say(settings, 'warn', 'orphan-exit', 'the drain timeout passed');
      exitByTerm();
    }, settings.drainMs);
    this.#hands.finish(end);
  }
}

/** Ends the worker by SIGTERM, so that the app's own handlers run. */
function exitByTerm(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), TERM_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}

function say({ worker, generation }: WorkerSettings, level: string, event: string, reason: string): void {
  const line = { time: new Date().toISOString(), level, event, generation, worker, pid: process.pid, reason };
  try {
    writeSync(LAST_WORDS_FD, `${JSON.stringify(line)}\n`);
  } catch {
    // The supervisor's stderr went with it.
  }
}
