import type { DrainedStatus } from '../../core/drained-status.ts';
import { readOneOf, readRecord } from './read-record.ts';

/** Which way a machine goes: to the release, or back to what ran before. */
export type Way = 'forth' | 'back';

export const OUTCOME_PHASES = ['deploying', 'deployed', 'failed', 'lost'] as const;

/** What became of a deploy on one machine. It stays when the machine is gone. */
export interface Outcome {
  readonly deploy: string;
  readonly attempt: number;
  readonly way: Way;
  /** `deploying` is written with the permit: a machine that dies then is found by it. */
  readonly phase: (typeof OUTCOME_PHASES)[number];
  /** The permit that it deploys with. */
  readonly slot: number | null;
  /** The generation that was active before, to go back to. */
  readonly from: number | null;
  readonly code: string | null;
  readonly why: string | null;
}

export function readOutcome(text: string): Outcome {
  const { object, field } = readRecord(text, 'an outcome');
  const number = (value: unknown) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : null);
  const textOr = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    deploy: field('deploy', 'string') as string,
    attempt: field('attempt', 'number') as number,
    way: readOneOf(object.way, 'way', ['forth', 'back']),
    phase: readOneOf(object.phase, 'phase', OUTCOME_PHASES),
    slot: number(object.slot),
    from: number(object.from),
    code: textOr(object.code),
    why: textOr(object.why)
  };
}

const MACHINE_PHASES = [
  'steady',
  'waiting',
  'deploying',
  'baking',
  'deployed',
  'failed',
  'rolling-back',
  'rolled-back',
  'given-up',
  'by-hand'
] as const;
export type MachinePhase = (typeof MACHINE_PHASES)[number];

/** What a machine says of itself, as long as it is there. */
export interface MachineRecord {
  readonly machine: string;
  readonly zone: string | null;
  readonly host: string;
  /** The control socket of its supervisor: with the host, it tells a machine from another one of the same name. */
  readonly socket: string;
  readonly addresses: readonly string[];
  readonly generation: number | null;
  readonly label: string | null;
  /** The phase of its supervisor, as `handover status` shows it. */
  readonly state: string;
  /** Whether a worker of the active generation accepts. */
  readonly ready: boolean;
  /** How the last handover was judged; null where it was not. */
  readonly verdict: string | null;
  /** Out of its load balancers by hand, as `handover status` shows it; null: in. */
  readonly drained: DrainedStatus | null;
  /** The deploy that it takes part in. */
  readonly deploy: string | null;
  readonly phase: MachinePhase;
  /** Why it failed, or what it waits for. */
  readonly why: string | null;
}

export function readMachine(text: string): MachineRecord {
  const { object, field } = readRecord(text, 'a machine');
  const textOr = (name: string) => (typeof object[name] === 'string' ? (object[name] as string) : null);
  const addresses = Array.isArray(object.addresses) ? object.addresses : [];
  return {
    machine: field('machine', 'string') as string,
    zone: textOr('zone'),
    host: field('host', 'string') as string,
    socket: field('socket', 'string') as string,
    addresses: addresses.filter((one) => typeof one === 'string'),
    generation: typeof object.generation === 'number' ? object.generation : null,
    label: textOr('label'),
    state: field('state', 'string') as string,
    ready: field('ready', 'boolean') as boolean,
    verdict: textOr('verdict'),
    drained: readDrained(object.drained),
    deploy: textOr('deploy'),
    phase: readOneOf(object.phase, 'phase', MACHINE_PHASES),
    why: textOr('why')
  };
}

function readDrained(given: unknown): DrainedStatus | null {
  if (given == null) return null;
  const { object, field } = readRecord(given, '"drained"');
  return {
    since: field('since', 'string') as string,
    until: typeof object.until === 'string' ? object.until : null,
    closeIdle: object.closeIdle === true,
    reason: field('reason', 'string') as string
  };
}

/** Who has a permit, or stands in the queue: `slot` once it has one. */
export interface Holder {
  readonly machine: string;
  readonly slot: number | null;
}

export function readHolder(text: string): Holder {
  const { object, field } = readRecord(text, 'a permit');
  return { machine: field('machine', 'string') as string, slot: typeof object.slot === 'number' ? object.slot : null };
}
