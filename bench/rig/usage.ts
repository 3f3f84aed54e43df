import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const TICK_US = 10_000;

/** CPU time that a process has used, in microseconds: all of its threads, or null where /proc does not tell. */
export function cpuUs(pid: number): number | null {
  try {
    // Nanoseconds, where the kernel keeps them; `stat` counts in steps of 10 ms.
    const threads = readdirSync(`/proc/${pid}/task`);
    const spent = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]));
    const total = spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0);
    if (total > 0) return total / 1000;
  } catch {
    // no schedstat in this kernel: the ticks will do
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    return null; // no /proc, as on macOS
  }
}

/** Memory of a process in bytes: all it maps, its share of that, and what is its alone. */
export interface Memory {
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly privateBytes: number;
}

/** Reads /proc/<pid>/smaps_rollup; null where there is none. */
export function memoryOf(pid: number): Memory | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return null; // another system, or the process is gone
  }
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
  return {
    rssBytes: bytes('Rss'),
    pssBytes: bytes('Pss'),
    privateBytes: bytes('Private_Clean') + bytes('Private_Dirty')
  };
}

/** How many files a process of this user may have open, or null where it is not told. */
export function fileLimit(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line ? Number(line[1]) : null;
  } catch {
    return null; // not Linux
  }
}
