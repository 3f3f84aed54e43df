import type { LoadResult } from '../load/patterns.ts';
import type { Context } from './model.ts';
import type { RunningServer } from './service.ts';
import { alternate, median, ratio, sum } from './statistics.ts';
import { cpuUs } from './usage.ts';

export interface Slice extends LoadResult {
  readonly cpuUs: number;
}

/** What one side did in all its slices. */
export interface Side extends RunningServer {
  readonly name: string;
  readonly slices: Slice[];
}

/** The app under plain node beside the same under a supervisor; both are ended by whoever started them. */
export function besidePlain(plain: RunningServer, { port }: { readonly port: number }, pid: number): [Side, Side] {
  return [
    { name: 'plain', ...plain, slices: [] },
    { name: 'handover', port, pid, end: async () => {}, slices: [] }
  ];
}

/** Loads one side and then the other, again and again, in slices. */
export async function run(
  { progress }: Context,
  [base, other]: readonly [Side, Side],
  count: number,
  what: string,
  load: (side: Side) => Promise<LoadResult>
): Promise<void> {
  let done = 0;
  for (const pair of alternate(base, other, count)) {
    done += 1;
    progress(`${what}: pair ${done} of ${count}`);
    for (const side of pair) {
      const before = cpuUs(side.pid) ?? 0;
      const result = await load(side);
      side.slices.push({ ...result, cpuUs: (cpuUs(side.pid) ?? 0) - before });
    }
  }
}

const perMs = ({ answered, tookMs }: Slice) => answered / tookMs;

/** Of each pair of neighbours, the second side / the first. */
export function pairs([base, other]: readonly [Side, Side]): number[] {
  return base.slices.map((slice, index) => {
    const beside = other.slices[index];
    return beside ? perMs(beside) / perMs(slice) : Number.NaN;
  });
}

/** Requests per second, of the slice in the middle. */
export const rate = ({ slices }: Side) => (median(slices.map(perMs)) ?? 0) * 1000;

/** Over all slices together: the clock of the kernel is coarse, and this hardly notices who else is at work. */
export function cpuPerRequest({ slices }: Side): number | null {
  return ratio(sum(slices.map((slice) => slice.cpuUs)), sum(slices.map(({ answered }) => answered)));
}
