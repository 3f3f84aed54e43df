import pidusage from 'pidusage';

export interface Usage {
  readonly rssBytes: number;
  /** Share of one core, 0-1 and above. */
  readonly cpuShare: number;
}

/**
 * Measures memory and CPU of processes.
 *
 * @returns a map without the processes that could not be measured
 */
export async function measureUsage(pids: readonly number[]): Promise<Map<number, Usage>> {
  const found = await Promise.allSettled(pids.map(async (pid) => [pid, await pidusage(pid)] as const));
  const usage = new Map<number, Usage>();
  for (const one of found) {
    if (one.status !== 'fulfilled') continue; // it exited meanwhile; the caller shows null
    const [pid, { memory, cpu }] = one.value;
    usage.set(pid, { rssBytes: memory, cpuShare: Math.round(cpu * 10) / 1000 });
  }
  return usage;
}

/** Lets go of what pidusage keeps between measurements. */
export function forgetUsage(): void {
  pidusage.clear();
}
