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
 * What a worker does whose supervisor is gone without having asked it to stop.
 *
 * An active worker keeps serving for `orphanMs`, so that clients do not notice while the supervisor is started again. Then
 * it finishes its requests and exits, so that the port is free.
 */
export function liveAsOrphan(settings: WorkerSettings, hands: Hands): void {
  const serving = hands.isServing();
  const servesMs = serving ? settings.orphanMs : 0;
  const reason = serving
    ? `the supervisor is gone; serving for another ${servesMs} ms, then finishing and exiting`
    : 'the supervisor is gone; exiting';
  say(settings, 'warn', 'orphaned', reason);
  // The supervisor read our output; a write that fails now must not end the app.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // The timer keeps the process alive, which the IPC channel no longer does.
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
    // The terminal or pipe that the supervisor wrote to is gone as well.
  }
}
