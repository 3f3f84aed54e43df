import type { Goal, Limit, Order } from './goal.ts';

/** Where a machine stands. */
export interface MachinePlace {
  readonly id: string;
  readonly zone: string | null;
}

/** How many machines may be missing at once: a share is rounded down, and one may always, or nothing would ever be deployed. */
export function countPermits(limit: Limit, machines: number): number {
  if ('machines' in limit) return limit.machines;
  return Math.max(1, Math.floor(limit.share * machines + 1e-9));
}

/** What a machine is sorted by: a zone, where zones come one after the other, and its name. No name has a slash. */
export function placeInOrder(order: Order, { id, zone }: MachinePlace): string {
  return order === 'zone' ? `${zone ?? '-'}/${id}` : id;
}

/** The key of a machine in the queue, below that of the deploy: the canaries stand before all others. */
export function placeInQueue({ canaries, order }: Goal, machine: MachinePlace): string {
  return `${canaries.includes(machine.id) ? 0 : 1}/${placeInOrder(order, machine)}`;
}

/** The machines that go first. */
export function chooseCanaries(order: Order, machines: readonly MachinePlace[], count: number): readonly string[] {
  const key = (machine: MachinePlace) => placeInOrder(order, machine);
  // As etcd sorts: by bytes.
  const sorted = [...machines].sort((one, other) => Buffer.compare(Buffer.from(key(one)), Buffer.from(key(other))));
  return sorted.slice(0, count).map(({ id }) => id);
}

/** Reads `2` or `25%`, as people write how many machines may be missing. */
export function readLimit(given: string): Limit | undefined {
  const [, number, percent] = /^(\d{1,6})(%)?$/.exec(given.trim()) ?? [];
  const value = Number(number);
  if (number === undefined || value < 1) return undefined;
  if (percent === undefined) return { machines: value };
  return value <= 100 ? { share: value / 100 } : undefined;
}

export function showLimit(limit: Limit): string {
  return 'machines' in limit ? String(limit.machines) : `${Math.round(limit.share * 100)}%`;
}

/** How often a machine looks at what it is told otherwise anyway: together a fleet of any size looks some 40 times a second. */
export function paceMs(machines: number): number {
  return Math.min(90_000, Math.max(3_000, machines * 30));
}
