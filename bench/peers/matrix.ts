import { styleText } from 'node:util';
import { EVERY_FAILURE, type FailureKind } from '../client/index.ts';
import type { PeersResult, Spread, SystemResult } from './result.ts';

/** How each kind of failure is called in the head of a column. */
const SHORT: Readonly<Record<FailureKind, string>> = {
  refused: 'refused',
  reset: 'reset',
  closedWithoutAnswer: 'closed',
  cutShort: 'cut',
  serverError: '5xx',
  badAnswer: 'bad',
  timeout: 'timeout',
  answeredTwice: 'twice',
  wrongVersion: 'wrong v.'
};

/** How a median is written: with its quartiles, or alone. */
type ShowSpread = (spread: Spread | null, digits: number) => string;

type Column = { readonly head: string; cell(system: SystemResult, show: ShowSpread): string };

const FAILURES: readonly Column[] = [
  { head: 'requests', cell: ({ requests }) => String(requests) },
  { head: 'failed', cell: ({ failures }) => String(total(failures)) },
  ...EVERY_FAILURE.map((kind) => ({ head: SHORT[kind], cell: ({ failures }: SystemResult) => String(failures[kind]) })),
  { head: 'idle rec.', cell: ({ idleReconnects }) => String(idleReconnects) },
  { head: 'deploys', cell: ({ deploys, rollbacks }) => `${deploys}+${rollbacks}` }
];

const DEPLOYS: readonly Column[] = [
  { head: 'deploy ms', cell: ({ deployMs }, show) => show(deployMs, 0) },
  { head: 'rollback ms', cell: ({ rollbackMs }, show) => show(rollbackMs, 1) },
  { head: 'p99 steady', cell: ({ p99 }) => number(p99?.steadyMs, 1) },
  { head: 'p99 deploy', cell: ({ p99 }) => number(p99?.aroundMs, 1) },
  { head: 'ratio', cell: ({ p99 }) => number(p99?.ratio, 1) },
  { head: 'MB rest', cell: ({ memory }) => number(memory && memory.restBytes / 1e6, 0) },
  { head: 'MB peak', cell: ({ memory }) => number(memory && memory.peakBytes / 1e6, 0) }
];

const STANDING: readonly Column[] = [
  { head: 'kept-alive', cell: ({ keptAliveShare }, show) => show(keptAliveShare, 2) },
  { head: 'fresh', cell: ({ freshShare }, show) => show(freshShare, 2) },
  { head: 'killed: lost', cell: ({ death }) => number(death?.failed, 0) },
  { head: 'down ms', cell: ({ death }) => number(death?.downMs, 0) },
  { head: 'back ms', cell: ({ death }) => number(death?.inChargeMs, 0) },
  { head: 'cannon lost', cell: ({ autocannon }) => number(autocannon && autocannon.sent - autocannon.answered, 0) },
  { head: 'it says', cell: ({ autocannon }) => number(autocannon?.errors, 0) }
];

/** Writes the failure matrix and the figures as three tables, one line per system. Colours only where they are wanted. */
export function showMatrix({ systems }: PeersResult, colours: boolean): string {
  const measured = systems.filter(({ skipped }) => !skipped);
  const skipped = systems.flatMap(({ name, skipped }) =>
    skipped ? [`skipped: ${name}: ${skipped.why} (${skipped.install})`] : []
  );
  const troubles = systems.flatMap(({ name, troubles }) => troubles.map((trouble) => `trouble: ${name}: ${trouble}`));
  const tables = [
    table(measured, FAILURES, colours),
    table(measured, DEPLOYS, false),
    table(measured, STANDING, false)
  ];
  return [tables.join('\n\n'), '', ...skipped, ...troubles].join('\n');
}

/** The same tables for docs/beside-the-others.md, with medians alone, and on what they were measured. */
export function matrixMarkdown({ date, machine, versions, settings, systems }: PeersResult): string {
  const measured = systems.filter(({ skipped }) => !skipped);
  const day = date.slice(0, 10);
  const { cores, cpu, os } = machine;
  const measuredOn = [`${cores} cores (${cpu})`, os, ...Object.entries(versions).map((pair) => pair.join(' '))].join(
    ', '
  );
  const count = `${settings.rounds} rounds of ${settings.deploys} deploys and a rollback`;
  const tables = [FAILURES, DEPLOYS, STANDING].map((columns) => markdownTable(measured, columns)).join('\n\n');
  return `${tables}\n\n${day}; ${count}; ${measuredOn}.\n`;
}

function markdownTable(systems: readonly SystemResult[], columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = systems.map((system) => line([system.name, ...columns.map(({ cell }) => cell(system, showMedian))]));
  return [line(['', ...columns.map(({ head }) => head)]), line(['---', ...columns.map(() => '---:')]), ...rows].join(
    '\n'
  );
}

function table(systems: readonly SystemResult[], columns: readonly Column[], colours: boolean): string {
  const names = systems.map(({ name }) => name);
  const first = Math.max(...names.map((name) => name.length), 6);
  const cells = systems.map((system) => columns.map((column) => column.cell(system, showSpread)));
  const widths = columns.map(({ head }, at) => Math.max(head.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const head = `${''.padEnd(first)}  ${columns.map((column, at) => column.head.padStart(widths[at] ?? 0)).join('  ')}`;
  const lines = cells.map((line, row) => {
    const numbers = line.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ');
    const text = `${(names[row] ?? '').padEnd(first)}  ${numbers}`;
    const system = systems[row];
    if (!colours || !system) return text;
    return styleText(system.complete && total(system.failures) === 0 ? 'green' : 'red', text);
  });
  return [head, ...lines].join('\n');
}

export const total = (failures: SystemResult['failures']) =>
  Object.values(failures).reduce((sum, count) => sum + count, 0);

const number = (value: number | null | undefined, digits: number) =>
  value === null || value === undefined ? '-' : value.toFixed(digits);

const showMedian: ShowSpread = (spread, digits) => number(spread?.median, digits);

const showSpread: ShowSpread = (spread, digits) =>
  spread === null
    ? '-'
    : `${showMedian(spread, digits)} (${spread.low.toFixed(digits)}..${spread.high.toFixed(digits)})`;
