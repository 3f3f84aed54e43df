import { STRATEGIES, type StrategyName } from '../../options/strategies.ts';
import { readOneOf, readRecord, readTexts, Unreadable } from './read-record.ts';

/** What the machines of a fleet are to run, and how they come to it: the one document that all of them watch. */
export interface Goal {
  /** Of this deploy alone. */
  readonly id: string;
  /** How often it was begun: machines that failed try again in the next attempt. */
  readonly attempt: number;
  readonly release: FleetRelease;
  /** What the fleet ran before; null where nobody knows. */
  readonly previous: FleetRelease | null;
  /** What it ran before that, latest first: where an operator goes back to from a deploy of `previous` itself. */
  readonly earlier: readonly FleetRelease[];
  /** How each machine hands over; null: as its own options say. */
  readonly strategy: StrategyName | null;
  readonly maxUnavailable: Limit;
  /** How many there were when the deploy was ordered: the more there are, the more slowly they come to etcd; 0 where nobody said. */
  readonly machines: number;
  /** The machines that go first, by their names. */
  readonly canaries: readonly string[];
  /** How long each of them is watched before the others begin. */
  readonly bakeMs: number;
  /** Those of them that were watched for so long. */
  readonly baked: readonly string[];
  readonly order: Order;
  readonly onFailure: OnFailure;
  /** How many machines have to fail for the fleet to stop. */
  readonly failures: number;
  readonly failed: readonly Failure[];
  readonly state: GoalState;
  /** Where a paused deploy goes on. */
  readonly resumesTo: 'canary' | 'rolling' | null;
  /** Who gave the last order. */
  readonly by: By;
}

/** A release, with `{label}` in its texts for the label. */
export interface FleetRelease {
  readonly label: string;
  /** The file that starts the app, from the folder of the service; null: as it is. */
  readonly entry: string | null;
  /** The working directory, from the folder of the service; null: as it is. */
  readonly cwd: string | null;
  /** What is run in the folder of the service first; null: nothing. */
  readonly fetch: string | null;
}

/** A number of machines, or a share of them. */
export type Limit = { readonly machines: number } | { readonly share: number };

export interface Failure {
  readonly machine: string;
  readonly code: string;
  readonly why: string;
}

export interface By {
  readonly user: string | null;
  readonly host: string;
  /** Such as `handover fleet deploy 43`. */
  readonly command: string;
}

export const ORDERS = ['host', 'zone'] as const;
export type Order = (typeof ORDERS)[number];

export const ON_FAILURE = ['rollback', 'pause'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** `canary`, `rolling`, `rolling-back`: machines deploy. `done`, `rolled-back`: all have. Else nobody begins anything. */
export const GOAL_STATES = [
  'canary',
  'rolling',
  'rolling-back',
  'done',
  'rolled-back',
  'paused',
  'stopped',
  'aborted'
] as const;
export type GoalState = (typeof GOAL_STATES)[number];

const RESUMES_TO = ['canary', 'rolling'] as const;

/** A label goes into commands and paths: letters and digits of any file name, and no way up. */
const LABEL = /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}$/;

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

export function writeGoal(goal: Goal): string {
  return JSON.stringify(goal);
}

/** Reads what is under the key, whoever wrote it. @throws Unreadable that says what is wrong with it */
export function readGoal(text: string): Goal {
  const { object, field } = readRecord(text, 'a goal');
  const count = (name: string, least: number) => {
    const value = field(name, 'number') as number;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Unreadable(`"${name}" is ${value}, and must be an integer of ${least} or more`);
  };
  const failed = Array.isArray(object.failed) ? object.failed : [];
  const earlier = Array.isArray(object.earlier) ? object.earlier : [];
  return {
    id: readId(field('id', 'string') as string),
    attempt: count('attempt', 1),
    release: readRelease(object.release, 'release'),
    previous: object.previous == null ? null : readRelease(object.previous, 'previous'),
    earlier: earlier.map((one) => readRelease(one, 'earlier')),
    strategy: object.strategy == null ? null : readOneOf(object.strategy, 'strategy', STRATEGIES),
    maxUnavailable: readStoredLimit(object.maxUnavailable),
    machines: object.machines == null ? 0 : count('machines', 0),
    canaries: readTexts(object.canaries, 'canaries'),
    bakeMs: count('bakeMs', 0),
    baked: readTexts(object.baked, 'baked'),
    order: readOneOf(object.order, 'order', ORDERS),
    onFailure: readOneOf(object.onFailure, 'onFailure', ON_FAILURE),
    failures: count('failures', 1),
    failed: failed.map((one) => {
      const { field: of } = readRecord(one, 'a failure');
      return { machine: of('machine', 'string'), code: of('code', 'string'), why: of('why', 'string') } as Failure;
    }),
    state: readOneOf(object.state, 'state', GOAL_STATES),
    resumesTo: object.resumesTo == null ? null : readOneOf(object.resumesTo, 'resumesTo', RESUMES_TO),
    by: readBy(object.by)
  };
}

function readId(id: string): string {
  if (/^[A-Za-z0-9-]{1,60}$/.test(id)) return id;
  throw new Unreadable('"id" must be a text of letters, digits and dashes');
}

function readRelease(given: unknown, name: string): FleetRelease {
  const { object, field } = readRecord(given, `"${name}"`);
  const label = field('label', 'string') as string;
  if (!isLabel(label)) throw new Unreadable(`the label of "${name}" has characters that no label has`);
  const text = (part: 'entry' | 'cwd' | 'fetch') => (object[part] == null ? null : (field(part, 'string') as string));
  return { label, entry: text('entry'), cwd: text('cwd'), fetch: text('fetch') };
}

function readStoredLimit(given: unknown): Limit {
  const { object } = readRecord(given, '"maxUnavailable"');
  const { machines, share } = object;
  if (typeof machines === 'number' && Number.isSafeInteger(machines) && machines >= 1) return { machines };
  if (typeof share === 'number' && share > 0 && share <= 1) return { share };
  throw new Unreadable('"maxUnavailable" must have "machines", 1 or more, or "share", above 0 and at most 1');
}

function readBy(given: unknown): By {
  const { object, field } = readRecord(given, '"by"');
  return {
    user: typeof object.user === 'string' ? object.user : null,
    host: field('host', 'string') as string,
    command: field('command', 'string') as string
  };
}

/** The texts of a release with its label in them. */
export function expand({ label, entry, cwd, fetch }: FleetRelease): FleetRelease {
  const fill = (text: string | null) => (text === null ? null : text.replaceAll('{label}', label));
  return { label, entry: fill(entry), cwd: fill(cwd), fetch: fill(fetch) };
}
