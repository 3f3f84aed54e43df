import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { commandAs } from '../rights/command-as.ts';
import type { WorkerAccount } from '../rights/users.ts';
import { findLastWords } from './last-words.ts';
import { LineRelay } from './output.ts';

/** How long a command that was told to end may take before SIGKILL. */
const TERM_MS = 5_000;
const LOOK_MS = 50;
/** How long the pipes of a command that has exited may take to give their last lines. */
const LAST_LINES_MS = 200;

export type ShellResult = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Where a command runs, and as whom. */
export interface ShellRun {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Null: as this process. */
  readonly account: WorkerAccount | null;
  /** Ends it, with an Error whose message says why. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command of the shell. It settles when nothing of it is left that could still change anything.
 *
 * @param stderr where its output goes, line by line; what it said last is in the result, too
 */
export async function runShell(
  command: string,
  { cwd, env, account, signal }: ShellRun,
  stderr: Writable
): Promise<ShellResult> {
  const shell = commandAs(account, '/bin/sh', ['-c', command], env);
  const child = spawn(shell.command, shell.args, {
    ...shell.options,
    cwd,
    // A process group of its own, so that what the shell has started can be ended with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  });
  new LineRelay(child.stdout, stderr, '');
  const errors = new LineRelay(child.stderr, stderr, '');
  const exited = waitForExit(child);
  const called = await Promise.race([exited.then(() => null), whenEnded(signal)]);
  if (called !== null) await endGroup(child);
  const how = await exited;
  if (called === null && how === null) return { ok: true };
  errors.flush();
  const { error, quote } = findLastWords({ stdout: [], stderr: errors.tail }, true, null, env);
  const said = called === null && error !== null ? `: ${error}` : '';
  return { ok: false, why: `\`${command}\` ${called ?? how}${said}${quote}` };
}

/** Settles with the reason when there is no more time for it. */
export function whenEnded(signal: AbortSignal): Promise<string> {
  return new Promise((done) => {
    const end = () => done((signal.reason as Error).message);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
}

/** @returns null for success, else how it ended */
function waitForExit(child: ChildProcess): Promise<string | null> {
  return new Promise((done) => {
    child.once('error', (error) => done(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : code === 0 ? null : `exited with code ${code}`;
      // What it has left in the background may hold the pipes for as long as it likes.
      const finish = () => done(how);
      const late = setTimeout(finish, LAST_LINES_MS);
      child.once('close', () => {
        clearTimeout(late);
        finish();
      });
    });
  });
}

/** Ends a command and all that it has started: the old version must not serve while a part of it still runs. */
async function endGroup({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  for (let waitedMs = 0; signalGroup(pid, waitedMs === 0 ? 'SIGTERM' : 0); waitedMs += LOOK_MS) {
    if (waitedMs >= TERM_MS) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await delay(LOOK_MS);
  }
}

/** @returns whether anybody is left in the group */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false; // ESRCH: nobody is
  }
}
