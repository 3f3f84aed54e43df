import { writeSync } from 'node:fs';
import { LAST_WORDS_FD, type WorkerSettings } from '../protocol/worker-settings.ts';

/** How long an orphan's app may take over its SIGTERM handlers. */
const TERM_MS = 5_000;

interface Hands {
  isServing(): boolean;
  /** Stops accepting and ends the connections; calls back when the last is gone. */
  finish(done: () => void): void;
}

/**
 * The life of a worker whose supervisor is gone without having asked it to stop.
 *
 * An active worker keeps serving for `orphanMs`, so that clients do not notice while the supervisor is started again;
 * then it finishes what it has and exits. Nothing unknown is left behind on the port.
 */
export function liveAsOrphan(settings: WorkerSettings, hands: Hands): void {
  const serving = hands.isServing();
  const servesMs = serving ? settings.orphanMs : 0;
  const reason = serving
    ? `the supervisor is gone; serving for another ${servesMs} ms, then finishing and exiting`
    : 'the supervisor is gone; exiting';
  say(settings, 'warn', 'orphaned', reason);
  // The supervisor read our output. Nobody does now, and an app must not die of a log line.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Timers hold the process: the IPC channel does not any more.
  setTimeout(() => {
    const end = () => {
      clearTimeout(overdue);
      say(settings, 'info', 'orphan-exit', 'its requests have ended');
      exitByTerm();
    };
    const overdue = setTimeout(() => {
      say(settings, 'warn', 'orphan-exit', 'the drain timeout passed');
      exitByTerm();
    }, settings.drainMs);
    hands.finish(end);
  }, servesMs);
}

/** The app's own SIGTERM handlers run, as at every other end of a worker. */
function exitByTerm(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), TERM_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}

function say({ worker, generation }: WorkerSettings, level: string, event: string, reason: string): void {
  const line = { time: new Date().toISOString(), level, event, generation, worker, pid: process.pid, reason };
  try {
    writeSync(LAST_WORDS_FD, `${JSON.stringify(line)}\n`);
  } catch {
    // The terminal or pipe that the supervisor wrote to is gone as well: there is nobody left to tell.
  }
}
