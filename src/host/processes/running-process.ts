import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Handle } from '../../internals/net.ts';
import { socketOf } from '../../internals/net.ts';
import { readStatFields } from '../proc-stat.ts';
import { ownGid, ownUid } from '../unix.ts';

/** A process, whoever started it. */
export interface RunningProcess {
  /** Null where it could not be started. */
  readonly pid: number | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Whether an earlier supervisor started it: how it ends is not known then. */
  readonly isAdopted: boolean;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  onError(listener: (error: Error) => void): void;
  /** Called once, when it has ended. */
  onExit(listener: (code: number | null, signal: NodeJS.Signals | null) => void): void;
  /** Called once, when it has ended and all that it wrote is read. */
  onClose(listener: () => void): void;
}

/** A process that this one starts. */
export function startProcess(command: string, args: readonly string[], options: object): RunningProcess {
  const child: ChildProcess = spawn(command, args, options);
  return {
    pid: child.pid ?? null,
    stdout: child.stdout,
    stderr: child.stderr,
    isAdopted: false,
    kill: (signal) => void child.kill(signal),
    onError: (listener) => void child.on('error', listener),
    onExit: (listener) => void child.once('exit', listener),
    onClose: (listener) => void child.once('close', listener)
  };
}

/** How often it is looked whether a process has ended that is no child of ours: nobody tells. */
const LOOK_MS = 250;

/**
 * A process that an earlier supervisor started.
 *
 * @param startedAt as {@link startTimeOf} gave it: another process may have its pid by now
 */
export function adoptProcess(
  pid: number,
  startedAt: string | null,
  outputs: ReadonlyMap<number, Handle>
): RunningProcess {
  const read = (fd: number) => {
    const end = outputs.get(fd);
    return end ? socketOf(end) : null;
  };
  const [stdout, stderr] = [read(1), read(2)];
  const onExit: ((code: null, signal: null) => void)[] = [];
  const onClose: (() => void)[] = [];
  let hasEnded = false;
  const look = setInterval(() => {
    if (isSame(pid, startedAt)) return;
    hasEnded = true;
    clearInterval(look);
    for (const listener of onExit) listener(null, null);
    const open = [stdout, stderr].filter((stream) => stream && !stream.closed) as Socket[];
    void Promise.all(open.map((stream) => once(stream, 'close'))).then(() => {
      for (const listener of onClose) listener();
    });
  }, LOOK_MS);
  return {
    pid,
    stdout,
    stderr,
    isAdopted: true,
    kill: (signal) => {
      if (!hasEnded && isSame(pid, startedAt)) process.kill(pid, signal);
    },
    onError: () => {},
    onExit: (listener) => void onExit.push(listener),
    onClose: (listener) => void onClose.push(listener)
  };
}

/** Whether a process is still the one that it was, and runs. */
export function isSame(pid: number, startedAt: string | null): boolean {
  if (startedAt !== null) return startTimeOf(pid) === startedAt;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // it is gone, or another user's by now
  }
}

/** Whether a process was given this in its environment; what it says of itself may be untrue. False where that cannot be read. */
export function wasGiven(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
  } catch {
    return false; // it is gone, another user's, or this is no Linux
  }
}

/** As whom a process runs; as this one where it is gone, or that cannot be asked. */
export function ownerOf(pid: number): { readonly uid: number; readonly gid: number } {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) ?? { uid: ownUid(), gid: ownGid() };
}

/** When a process was started, in the kernel's own count; null where it is not there, is a zombie, or cannot be asked. */
export function startTimeOf(pid: number): string | null {
  const { state, startedAt } = readStat(pid);
  return state === 'Z' || state === 'X' ? null : startedAt;
}

/** Whether a process is still the one that it was, and was stopped by a signal or a debugger. */
export function isStopped(pid: number, startedAt: string | null): boolean {
  const found = readStat(pid);
  return found.startedAt === startedAt && (found.state === 'T' || found.state === 't');
}

function readStat(pid: number): { state: string; startedAt: string | null } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = readStatFields(stat);
    return { state: fields[0] ?? '', startedAt: fields[19] ?? null };
  } catch {
    return { state: '', startedAt: null }; // it is gone, or this is no Linux
  }
}
