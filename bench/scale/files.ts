import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileLimit } from '../rig/usage.ts';

/** What a process needs besides the connections. */
const OTHER_FILES = 200;

/** How many connections one process can have; the limit is raised for that where this is allowed. */
export function roomFor(connections: number): number {
  const wanted = connections + OTHER_FILES;
  // Of this very process: those that it starts inherit it.
  if ((fileLimit() ?? 0) < wanted) spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`]);
  return Math.min(connections, (fileLimit() ?? 1_024) - OTHER_FILES);
}

/** How many files a process has open, or null where /proc does not tell. */
export function openFiles(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}

/** How many children a process has, ended ones that nobody waited for among them; null where /proc does not tell. */
export function childrenOf(pid: number): number | null {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length;
  } catch {
    return null;
  }
}
