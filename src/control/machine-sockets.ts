import { readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A control socket of somebody on this machine, by what the kernel tells everybody. */
export interface MachineSocket {
  readonly path: string;
  /** The supervisor; 0 where it is not known. */
  readonly pid: number;
  /** The number of its user; null where that is not to be seen. */
  readonly uid: number | null;
}

/** What the kernel marks a socket with that accepts connections: __SO_ACCEPTCON. */
const ACCEPTS = '00010000';

/**
 * Finds the control sockets of all supervisors of this machine, wherever they were put: beside each is the socket of its
 * workers, whose name in the kernel's list says which it is. Those in the temp folder count where it is their default place.
 *
 * @source proc(5), /proc/net/unix
 */
export function findMachineSockets(): readonly MachineSocket[] {
  const found = new Map<string, MachineSocket>();
  for (const line of readList().split('\n')) {
    const [, flags, name = ''] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line) ?? [];
    const [, base, pid] = /^(.+)\.link\.(\d+)$/.exec(name) ?? [];
    if (flags !== ACCEPTS || base === undefined) continue;
    const path = isThere(base) ? base : `${base}.sock`;
    if (isTrial(path)) continue;
    found.set(path, { path, pid: Number(pid), uid: uidOf(Number(pid)) });
  }
  return [...found.values()].sort((one, other) => one.path.localeCompare(other.path));
}

/** What is in the temp folder, but not where a user without a runtime folder has it, is tried out by somebody. */
function isTrial(path: string): boolean {
  const [, rest] = path.startsWith(`${tmpdir()}/`) ? [path, path.slice(tmpdir().length + 1)] : [];
  return rest !== undefined && !/^handover-\d+\/[^/]+$/.test(rest);
}

function readList(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return ''; // no Linux: only the own folder is known
  }
}

function uidOf(pid: number): number | null {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return null; // hidden, or it counts processes otherwise: in a container
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false; // not there, or not for this user
  }
}
