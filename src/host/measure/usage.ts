import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStatFields } from '../proc-stat.ts';

/** The unit of /proc/meminfo. */
const KIB = 1_024;

export interface Usage {
  readonly rssBytes: number;
  /** Share of one core, 0-1 and above. */
  readonly cpuShare: number;
}

/** The unit in which the kernel tells the time of processes, on every architecture. @source proc(5), USER_HZ */
const TICKS_PER_MS = 1 / 10;

/** What was read of a process last. */
const last = new Map<number, { readonly at: number; readonly cpuMs: number }>();

/**
 * Measures memory and CPU of processes: since they were last measured, or since they were started.
 *
 * @returns a map without the processes that could not be measured
 */
export async function measureUsage(pids: readonly number[]): Promise<Map<number, Usage>> {
  if (elsewhere) return measureElsewhere(pids, (await elsewhere).default);
  const usage = new Map<number, Usage>();
  for (const pid of pids) {
    const found = readUsage(pid);
    if (found) usage.set(pid, found); // else it exited meanwhile; the caller shows null
  }
  for (const pid of last.keys()) if (!pids.includes(pid)) last.delete(pid);
  return usage;
}

function readUsage(pid: number): Usage | null {
  const [stat, status, uptime] = [`/proc/${pid}/stat`, `/proc/${pid}/status`, '/proc/uptime'].map(readText);
  const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  // The name of the program, in parentheses, may have any signs in it.
  const fields = stat ? readStatFields(stat) : [];
  const [user, system, startedAt] = [11, 12, 19].map((index) => Number(fields[index]) / TICKS_PER_MS);
  if (rssKib === undefined || user === undefined || system === undefined || startedAt === undefined) return null;
  const at = Number.parseFloat(uptime ?? '') * 1_000;
  const cpuMs = user + system;
  const before = last.get(pid) ?? { at: startedAt, cpuMs: 0 };
  last.set(pid, { at, cpuMs });
  const share = at > before.at ? (cpuMs - before.cpuMs) / (at - before.at) : 0;
  return { rssBytes: Number(rssKib) * KIB, cpuShare: Math.round(share * 1_000) / 1_000 };
}

/** Loaded at the start where it is needed, since its files may be gone later, and not where it is not. */
const elsewhere = process.platform === 'linux' ? null : import('pidusage');
type Pidusage = Awaited<NonNullable<typeof elsewhere>>['default'];

async function measureElsewhere(pids: readonly number[], pidusage: Pidusage): Promise<Map<number, Usage>> {
  const usage = new Map<number, Usage>();
  const found = await Promise.allSettled(pids.map(async (pid) => [pid, await pidusage(pid)] as const));
  for (const one of found) {
    if (one.status !== 'fulfilled') continue;
    const [pid, { memory, cpu }] = one.value;
    usage.set(pid, { rssBytes: memory, cpuShare: Math.round(cpu * 10) / 1000 });
  }
  pidusage.clear(); // it would keep files open
  return usage;
}

/**
 * Reads how much of the machine's memory is available, or of what this process's cgroups (version 2) may use, where
 * that is less.
 *
 * Nowhere but on Linux: what `os.freemem()` says elsewhere leaves out all that the system would give up at once, and is
 * next to nothing on a healthy Mac.
 *
 * @param root where `/proc` and `/sys` are found
 * @returns a share, 0-1, or null where it is not told
 */
export function readAvailableShare(root = '/'): number | null {
  const shares = readRooms(root).map(({ free, most }) => free / most);
  return shares.length === 0 ? null : Math.min(...shares);
}

/** The same in bytes. */
export function readAvailableBytes(root = '/'): number | null {
  const rooms = readRooms(root).map(({ free }) => free);
  return rooms.length === 0 ? null : Math.min(...rooms);
}

/** How much may be used, and how much of it is left. */
interface Room {
  readonly free: number;
  readonly most: number;
}

/** The machine, and every cgroup above this process that has a limit. */
function readRooms(root: string): Room[] {
  const meminfo = readNumbers(join(root, 'proc/meminfo'));
  const [most, free] = [meminfo?.get('MemTotal'), meminfo?.get('MemAvailable')];
  if (!most || free === undefined) return [];
  const machine = { free: free * KIB, most: most * KIB };
  return [machine, ...cgroupsOf(root).flatMap((folder) => readCgroupRoom(folder) ?? [])];
}

/** The folders of the cgroup that this process is in, and of those above: a limit of any of them holds. */
function cgroupsOf(root: string): string[] {
  const path = /^0::\/(.*)$/m.exec(readText(join(root, 'proc/self/cgroup')) ?? '')?.[1] ?? '';
  const parts = path.split('/').filter((part) => part !== '');
  const folder = join(root, 'sys/fs/cgroup');
  return [folder, ...parts.map((_, index) => join(folder, ...parts.slice(0, index + 1)))];
}

/** Files that the kernel would give up are counted as used there, so they are taken off again. */
function readCgroupRoom(folder: string): Room | null {
  const most = Number(readText(join(folder, 'memory.max')) ?? 'max'); // "max": no limit
  const used = Number(readText(join(folder, 'memory.current')) ?? Number.NaN);
  const files = readNumbers(join(folder, 'memory.stat'))?.get('inactive_file') ?? 0;
  const isLimited = Number.isFinite(most) && most > 0 && used >= 0;
  return isLimited ? { free: Math.max(0, most - Math.max(0, used - files)), most } : null;
}

/** Lines such as `MemTotal:  16384 kB` or `inactive_file 4096`. */
function readNumbers(path: string): Map<string, number> | null {
  const lines = readText(path)?.matchAll(/^(\w+):?\s+(\d+)/gm);
  return lines ? new Map([...lines].map(([, name = '', value]) => [name, Number(value)])) : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // another system, or no such cgroup: then it limits nothing
  }
}
