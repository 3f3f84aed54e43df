import { CLIENT_KINDS, FAILURE_KINDS } from './model.ts';
import type { Report } from './report.ts';
import type { Percentiles } from './samples.ts';

/** Writes a report as a compact table for a person; what is zero is mostly left out. */
export function formatReport(report: Report): string {
  const seconds = report.tookMs / 1000;
  const lines = [
    `${report.sent} sent = ${report.answered} answered + ${report.failed} failed` +
      ` in ${seconds.toFixed(1)} s (${Math.round(report.answered / seconds)} answers/s, seed ${report.seed})`,
    `failures    ${listed(report.failures, FAILURE_KINDS) || 'none'}`,
    `versions    ${listed(report.perVersion, Object.keys(report.perVersion)) || 'none'}`,
    `latency ms  ${latency(report.latency)}`,
    `slowest     ${report.slowest ? `${ms(report.slowest.ms)} ms ${report.slowest.url} at ${at(report.slowest.atMs)}` : '-'}`,
    `silence     ${ms(report.silence.ms)} ms at ${at(report.silence.atMs)}`,
    `the client  ${Math.round(report.ownUsage.cpuShare * 100)} % of a core, longest stall ${ms(report.ownUsage.longestStallMs)} ms`,
    '',
    row(['clients', 'n', 'sockets', 'sent', 'failed', 'asked', 'closed', 'reset', 'p50', 'p99', 'max'])
  ];
  for (const kind of CLIENT_KINDS) {
    const { clients, connections, sent, failed, latency: taken } = report.perClient[kind];
    if (clients === 0) continue;
    const { asked, closed, reset } = report.reconnects[kind];
    const numbers = [clients, connections, sent, failed, asked, closed, reset].map(String);
    lines.push(row([kind, ...numbers, ms(taken.p50), ms(taken.p99), ms(taken.max)]));
  }
  if (report.timeline.marks.length > 0) lines.push('', ...formatMarks(report));
  if (report.examples.length > 0) lines.push('', ...formatExamples(report));
  return lines.join('\n');
}

/** One line for each mark: what was under way between it and the next. */
function formatMarks(report: Report): string[] {
  const { marks } = report.timeline;
  return marks.map(({ atMs, name }, index) => {
    const between = report.latencyBetween(atMs, marks[index + 1]?.atMs ?? report.tookMs);
    return `${at(atMs).padStart(9)}  ${name.padEnd(24)} ${latency(between)}`;
  });
}

function formatExamples(report: Report): string[] {
  const shown = report.examples.map(
    ({ kind, id, atMs, url, detail }) => `${at(atMs).padStart(9)}  ${kind} ${id} ${url}: ${detail}`
  );
  const more = report.failed - shown.length;
  return more > 0 ? [...shown, `           ... and ${more} more`] : shown;
}

function row([name = '', ...cells]: readonly string[]): string {
  return name.padEnd(12) + cells.map((cell) => cell.padStart(9)).join('');
}

function listed(counts: Readonly<Record<string, number>>, keys: readonly string[]): string {
  return keys
    .filter((key) => counts[key])
    .map((key) => `${key} ${counts[key]}`)
    .join(', ');
}

const latency = ({ p50, p90, p99, max, count }: Percentiles) =>
  `p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  max ${ms(max)}  of ${count}`;
const ms = (value: number | null) => (value === null ? '-' : value.toFixed(1));
const at = (atMs: number) => `${(atMs / 1000).toFixed(2)} s`;
