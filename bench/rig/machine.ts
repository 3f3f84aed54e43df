import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { keepAwake } from './awake.ts';
import { NOT_BUILT, Refusal } from './refusal.ts';

/** What the figures were measured on. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly memoryBytes: number;
  /** One-minute load average when the bench began: others at work make figures noisy. */
  readonly loadBefore: number;
  /** Whether idle cores were kept from sleeping. */
  readonly awake: boolean;
  /** The core that servers are pinned to, and that of the load; null where they cannot be kept apart. */
  readonly pins: { readonly server: number; readonly load: number } | null;
}

/** Looks at the machine, and keeps its cores awake. Servers and load get a core each where there are two, and `taskset` to say so. */
export function prepareMachine(): Machine {
  const cores = availableParallelism();
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    kernel: release(),
    memoryBytes: totalmem(),
    loadBefore: loadavg()[0] ?? 0,
    awake: keepAwake(),
    pins: cores >= 2 ? findPins() : null
  };
}

function findPins(): Machine['pins'] {
  const { status, stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  if (status !== 0) return null; // no taskset, as on macOS: the scheduler decides
  const allowed = (stdout.split(':').at(-1) ?? '')
    .trim()
    .split(',')
    .flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
  const [server, load] = allowed;
  return server === undefined || load === undefined ? null : { server, load };
}

/** One line for people. */
export function showMachine({ node, cpu, cores, kernel, memoryBytes, loadBefore, awake, pins }: Machine): string {
  const gigabytes = (memoryBytes / 2 ** 30).toFixed(1);
  const placed = pins ? `servers on core ${pins.server}, load on core ${pins.load}` : 'not pinned';
  const sleeping = awake ? 'kept awake' : 'may sleep';
  const what = `Node ${node}, ${cpu}, ${cores} cores (${sleeping}), ${gigabytes} GiB, kernel ${kernel}`;
  return `${what}, ${placed}, load average ${loadBefore.toFixed(2)}`;
}

/** Whether a source file is newer than what was built of it. @throws Refusal when nothing was built */
export function isStale(build: string, source: string): boolean {
  const builtAt = statSync(join(build, 'index.js'), { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined) throw new Refusal(`${NOT_BUILT} (there is no ${join(build, 'index.js')})`);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  return files.some((file) => statSync(join(source, file)).isFile() && statSync(join(source, file)).mtimeMs > builtAt);
}
