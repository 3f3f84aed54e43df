import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that descend from it, as /proc tells; none where it is gone or there is no /proc. */
export function withDescendants(pid: number): number[] {
  let children: number[];
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const texts = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim());
    children = texts.flatMap((text) => (text === '' ? [] : text.split(' ').map(Number)));
  } catch {
    return [];
  }
  return [pid, ...children.flatMap(withDescendants)];
}

/** When a process was started, in ticks since the machine was: with its id, its identity. Null where that is not told. */
export const startTimeOf = (pid: number) => statOf(pid)?.[19] ?? null;

/** Whether a process runs; one that is dead and not yet waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** The fields of /proc/<pid>/stat after the name. */
function statOf(pid: number): string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? null;
  } catch {
    return null; // it is gone
  }
}
