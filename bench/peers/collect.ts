import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVERY_FAILURE, type FailureKind } from '../client/index.ts';
import { sum } from '../rig/statistics.ts';
import type { System } from './model.ts';
import type { SystemResult } from './result.ts';
import type { Round } from './rounds.ts';
import { spreadOf } from './statistics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLES_MAX = 5;

/** What was measured of one system besides the rounds, as far as it was. */
export type Figures = Pick<
  SystemResult,
  'keptAliveShare' | 'freshShare' | 'p99' | 'latency' | 'slices' | 'memory' | 'death' | 'autocannon'
>;

export const NO_FIGURES: Figures = {
  keptAliveShare: null,
  freshShare: null,
  p99: null,
  latency: [],
  slices: [],
  memory: null,
  death: null,
  autocannon: null
};

/** Puts the rounds and figures of one system together as its row. */
export function collect(
  system: System,
  rounds: readonly Round[],
  figures: Figures,
  more: readonly string[]
): SystemResult {
  const reports = rounds.map(({ report }) => report);
  const deployMs = rounds.flatMap((round) => round.deployMs);
  const rollbackMs = rounds.flatMap((round) => round.rollbackMs);
  return {
    ...describe(system),
    skipped: null,
    failures: countFailures((kind) => sum(reports.map(({ failures }) => failures[kind]))),
    // A round that could not be played is among the other troubles.
    complete:
      rounds.length > 0 && rounds.every((round) => round.complete) && !more.some((one) => one.startsWith('round')),
    requests: sum(reports.map(({ sent }) => sent)),
    idleReconnects: sum(reports.flatMap(({ reconnects }) => Object.values(reconnects.idle))),
    deploys: deployMs.length,
    rollbacks: rollbackMs.length,
    deployMs: spreadOf(deployMs),
    rollbackMs: spreadOf(rollbackMs),
    ...figures,
    timeline: timelineOf(rounds),
    troubles: [...rounds.flatMap(({ troubles }) => troubles), ...more],
    examples: reports
      .flatMap(({ examples }) => examples)
      .slice(0, EXAMPLES_MAX)
      .map(({ kind, client, url, detail, atMs }) => `${kind} of ${client} at ${Math.round(atMs)} ms, ${url}: ${detail}`)
  };
}

/** The row of a system that cannot run here. */
export function collectSkipped(system: System, skipped: NonNullable<SystemResult['skipped']>): SystemResult {
  return { ...collect(system, [], NO_FIGURES, []), skipped };
}

function describe({ id, name, note, rollbackNote, steadyAs, file }: System) {
  return { id, name, note, rollbackNote, ...(steadyAs && { steadyAs }), config: relative(ROOT, fileURLToPath(file)) };
}

function countFailures(count: (kind: FailureKind) => number): Record<FailureKind, number> {
  return Object.fromEntries(EVERY_FAILURE.map((kind) => [kind, count(kind)])) as Record<FailureKind, number>;
}

function timelineOf([first]: readonly Round[]): SystemResult['timeline'] {
  if (!first) return null;
  const { buckets, marks } = first.report.timeline;
  const marked = (wanted: string) => marks.flatMap(({ name, atMs }) => (name === wanted ? [Math.round(atMs)] : []));
  return {
    bucketMs: 100,
    answers: buckets.map(({ answered }) => answered),
    failures: buckets.map(({ failed }) => failed),
    deploysMs: marked('deploy'),
    rollbacksMs: marked('rollback')
  };
}
