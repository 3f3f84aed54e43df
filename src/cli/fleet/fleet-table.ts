import type { Picture } from '../../fleet/observer.ts';
import type { Goal } from '../../fleet/rules/goal.ts';
import type { MachineRecord } from '../../fleet/rules/records.ts';
import { columns } from '../columns.ts';
import type { Io } from '../io.ts';
import { count, firstLine } from '../print.ts';

const COLOURS: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  deployed: 'green',
  failed: 'red',
  'rolled-back': 'yellow',
  'given-up': 'yellow',
  'by-hand': 'yellow',
  deploying: 'yellow',
  baking: 'yellow'
};

/** What the fleet is to run, in one line. */
export function showGoal({ goal }: Picture): string {
  if (!goal) return 'Nothing was deployed to this fleet yet: each machine runs what it was started with.';
  const { release, previous, state, failed, by } = goal;
  const from = previous ? ` (before: ${previous.label})` : '';
  const who = `${by.user ?? 'somebody'} on ${by.host}`;
  const bad = failed.map(({ machine, why }) => `\n  ${machine}: ${firstLine(why)}`).join('');
  return `Release ${release.label}${from}: ${state}, by ${who}${bad}`;
}

/** The machines, one line each. */
export function showMachines({ machines, goal, unreadable }: Picture, io: Io): string {
  if (machines.length === 0) return 'No machine is registered.';
  const head = ['machine', 'zone', 'phase', 'label', 'generation', 'serves', ''].map((title) => io.paint('dim', title));
  const lines = columns([head, ...machines.map((one) => row(one, goal, io))], [4]);
  const strange = unreadable.map(({ key, reason }) => `Not usable: ${key}: ${reason}`);
  return [...lines, ...strange].join('\n');
}

function row(record: MachineRecord, goal: Goal | null, io: Io) {
  const { machine, zone, phase, label, generation, ready, state, why, drained } = record;
  const shown = COLOURS[phase];
  const isOdd = goal !== null && label !== null && label !== goal.release.label;
  return [
    machine,
    zone ?? '-',
    shown ? io.paint(shown, phase) : phase,
    isOdd ? io.paint('dim', label) : (label ?? '-'),
    generation === null ? '-' : String(generation),
    ready ? (drained ? io.paint('yellow', 'drained') : 'yes') : io.paint('red', 'no'),
    [
      [state === 'steady' ? '' : state, why === null ? '' : firstLine(why)].filter((part) => part !== '').join(': '),
      drained ? `${drained.reason}, and comes back with \`handover undrain\` there` : ''
    ]
      .filter((part) => part !== '')
      .join('; ')
  ];
}

/** What a program reads. */
export function describePicture(service: string, { goal, machines, unreadable }: Picture): object {
  return { service, goal, machines, ...(unreadable.length > 0 ? { unreadable } : {}) };
}

/** `3 of 3 machines`. */
export function countDeployed({ machines, goal }: Picture): string {
  const have = machines.filter(({ label }) => label === goal?.release.label).length;
  return `${have} of ${count(machines.length, 'machine')}`;
}
