import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, startTimeOf } from '../peers/process-tree.ts';

/** How long a process may take to end after SIGTERM. */
const END_TIMEOUT_MS = 10_000;

const running = new Set<ChildProcess>();
/** By process id, with their start time, since an id may be given again. */
const adopted = new Map<number, string | null>();
let closed = false;

export interface StartOptions {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The core it may run on; null for any. */
  readonly core?: number | null;
  /** Whether its stderr is shown. Default: true. */
  readonly loud?: boolean;
}

/**
 * Starts a Node process with an IPC channel and a readable stdout, and remembers it until it is gone.
 *
 * @throws Error when all were ended: what is being measured goes on for a moment after a signal
 */
export function startProcess({ args, env = {}, core = null, loud = true }: StartOptions): ChildProcess {
  if (closed) throw new Error('the run was broken off');
  const command = core === null ? [] : ['taskset', '-c', String(core)];
  const [file = '', ...rest] = [...command, process.execPath, ...args];
  const child = spawn(file, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', loud ? 'inherit' : 'ignore', 'ipc'],
    serialization: 'advanced'
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

/** Waits for the first message of a process. @throws Error when it ends before */
export async function firstMessage<T>(child: ChildProcess, what: string): Promise<T> {
  const ending = new AbortController();
  const { signal } = ending;
  const ended = once(child, 'exit', { signal }).then(([code, by]) => {
    throw new Error(`${what} ended with ${by ?? `code ${code}`} before it was there`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T];
    return message;
  } finally {
    ended.catch(() => {}); // the abort below is its end, and no news
    ending.abort();
  }
}

/** Ends one process by its id: SIGTERM, and SIGKILL if that is not heard. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await exit;
  clearTimeout(timer);
}

/** Takes on a process that one of the bench has started and left behind: it is ended with the rest. */
export function adoptProcess(pid: number): void {
  adopted.set(pid, startTimeOf(pid));
}

/** Ends a process that was taken on, as {@link endProcess} does. */
export async function endAdopted(pid: number): Promise<void> {
  const startTime = adopted.get(pid);
  const isThere = () => isAlive(pid) && startTimeOf(pid) === startTime;
  if (!adopted.delete(pid) || !isThere()) return;
  process.kill(pid, 'SIGTERM');
  for (const until = performance.now() + END_TIMEOUT_MS; isThere(); await delay(20))
    if (performance.now() > until) process.kill(pid, 'SIGKILL');
}

/** Ends whatever was started and is still there; nothing is started afterwards. */
export async function endAll(): Promise<void> {
  closed = true;
  await Promise.all([...[...running].map(endProcess), ...[...adopted.keys()].map(endAdopted)]);
}
