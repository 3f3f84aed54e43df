import type { Writable } from 'node:stream';
import type { BeforeCutover, BeforeCutoverContext, BeforeCutoverFunction } from '../../options/strategies.ts';
import type { WorkerAccount } from '../rights/users.ts';
import { runShell, type ShellResult, whenEnded } from './run-shell.ts';

/** Between which generations a command or function runs, and where. */
export interface BeforeCutoverRun extends BeforeCutoverContext {
  /** The environment of the next generation. */
  readonly env: NodeJS.ProcessEnv;
  /** As whom a command runs; null: as this process. */
  readonly account: WorkerAccount | null;
}

export type BeforeCutoverResult = ShellResult;

/**
 * Runs what has to happen between two versions that must never serve at the same time.
 *
 * It settles when nothing of a command is left that could still change anything; a function can only be asked to end, by
 * its signal.
 *
 * @param stderr where the output of a command goes, line by line
 */
export async function runBeforeCutover(
  { run, timeoutMs }: BeforeCutover,
  context: BeforeCutoverRun,
  stderr: Writable
): Promise<BeforeCutoverResult> {
  const ending = new AbortController();
  const end = (why: string) => ending.abort(new Error(why));
  const callOff = () => end('was called off');
  if (context.signal.aborted) callOff();
  context.signal.addEventListener('abort', callOff);
  const overdue = setTimeout(end, timeoutMs, `was not done within ${timeoutMs} ms`);
  const called = { ...context, signal: ending.signal };
  try {
    return await (typeof run === 'function' ? callFunction(run, called) : runCommand(run, called, stderr));
  } finally {
    clearTimeout(overdue);
    context.signal.removeEventListener('abort', callOff);
  }
}

async function callFunction(
  run: BeforeCutoverFunction,
  { from, to, cwd, signal }: BeforeCutoverRun
): Promise<BeforeCutoverResult> {
  const fail = (how: string) => ({ ok: false, why: `function ${run.name || '(anonymous)'} ${how}` }) as const;
  const done = Promise.resolve()
    .then(() => run({ from, to, cwd, signal }))
    .then(
      () => ({ ok: true }) as const,
      (error) => fail(`threw: ${error instanceof Error ? error.message : String(error)}`)
    );
  return Promise.race([whenEnded(signal).then(fail), done]);
}

function runCommand(
  command: string,
  { from, to, cwd, env, account, signal }: BeforeCutoverRun,
  stderr: Writable
): Promise<BeforeCutoverResult> {
  const own = { ...env, HANDOVER_FROM: String(from), HANDOVER_TO: String(to) };
  return runShell(command, { cwd, env: own, account, signal }, stderr);
}
