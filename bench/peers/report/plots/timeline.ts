import type { SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { CONFIG, colour } from '../theme.ts';
import { countOf, isOurs, sortSystems } from '../words.ts';
import { above, colourOf, lines, NARROW, type Plot } from './plot.ts';

type Timeline = NonNullable<SystemResult['timeline']>;
type Drawn = SystemResult & { readonly timeline: Timeline };

const AXIS_WIDTH = 34;
const ROW_HEIGHT = 42;
/** Failures may be many times more than answers; this much of the answers' scale is theirs, and the rest a number. */
const FAILURES_SHARE = 0.5;

const failedIn = ({ failures }: Timeline) => failures.reduce((total, count) => total + count, 0);

const ABOUT = {
  id: 'timeline',
  title: 'Answers and failures over time',
  reading:
    'Each strip is one system: the higher the hill, the more requests were answered in that tenth of a second; red bars ' +
    'below the line are requests that failed, and a red cross marks each tenth of a second in which any did. Dashed ' +
    'lines are deploys, dotted lines are rollbacks; all strips have the same scale.'
};

/** Answers and failures of each system over time, one below the other on one scale. */
export function timeline(systems: readonly SystemResult[]): Plot {
  const drawn = sortSystems(systems).filter((system): system is Drawn => system.timeline !== null);
  if (drawn.length === 0) return { ...ABOUT, description: '', spec: null };
  const most = Math.max(1, ...drawn.flatMap(({ timeline }) => timeline.answers));
  const lastMs = Math.max(...drawn.map(({ timeline }) => timeline.answers.length * timeline.bucketMs));
  const scale = { top: most, bottom: -most * FAILURES_SHARE, lastMs };
  return {
    ...ABOUT,
    description: drawn
      .map(({ name, timeline }) => `${name}: ${countOf(failedIn(timeline), 'failed request')}.`)
      .join(' '),
    spec: (width) => ({
      config: CONFIG,
      spacing: 8,
      vconcat: drawn.map((system, index) => strip(system, scale, width, index === drawn.length - 1))
    })
  };
}

interface Scale {
  readonly top: number;
  readonly bottom: number;
  readonly lastMs: number;
}

function strip(system: Drawn, { top, bottom, lastMs }: Scale, width: number, isLast: boolean): Spec {
  const { answers, failures, bucketMs, deploysMs, rollbacksMs } = system.timeline;
  const failed = failedIn(system.timeline);
  const seconds = (ms: number) => ms / 1_000;
  const plotWidth = width - AXIS_WIDTH - 16;
  const isNarrow = width < NARROW;
  const hurt = failures.flatMap((count, at) =>
    count > 0 ? [{ at: seconds(at * bucketMs), end: seconds((at + 1) * bucketMs), down: Math.max(bottom, -count) }] : []
  );
  const ordered = (moments: readonly number[]) => moments.map((ms) => ({ at: seconds(ms) }));
  const x = {
    field: 'at',
    type: 'quantitative',
    scale: { domain: [0, seconds(lastMs)], nice: false },
    axis: {
      title: isLast ? 'seconds' : null,
      labels: isLast,
      ticks: isLast,
      grid: false,
      tickCount: isNarrow ? 5 : 12
    }
  };
  const yScale = { domain: [bottom, top], nice: false };
  const round = Number(top.toPrecision(1)) <= top ? Number(top.toPrecision(1)) : Math.floor(top);
  const y = {
    field: 'count',
    type: 'quantitative',
    scale: yScale,
    axis: { title: null, values: [0, round], minExtent: AXIS_WIDTH, maxExtent: AXIS_WIDTH, domain: false, ticks: false }
  };
  const outcome = failed > 0 ? `✕ ${countOf(failed, 'request')} failed` : 'no request failed';
  const outcomeColour = colour(failed > 0 ? 'failed' : 'soft');
  return {
    width: plotWidth,
    height: ROW_HEIGHT,
    layer: [
      {
        data: { values: answers.map((count, at) => ({ at: seconds(at * bucketMs), count })) },
        mark: { type: 'area', interpolate: 'step-after', color: colourOf(system), opacity: 0.75 },
        encoding: { x, y }
      },
      lines(ordered(deploysMs), [5, 3], x),
      lines(ordered(rollbacksMs), [1.5, 2.5], x),
      {
        data: { values: hurt },
        mark: { type: 'bar', color: colour('failed') },
        encoding: {
          x,
          x2: { field: 'end' },
          y: { field: 'down', type: 'quantitative', scale: yScale },
          y2: { datum: 0 }
        }
      },
      {
        data: { values: hurt },
        mark: {
          type: 'point',
          shape: 'M-1,-1L1,1M1,-1L-1,1',
          size: 30,
          stroke: colour('failed'),
          strokeWidth: 1.5,
          opacity: 1
        },
        encoding: { x, y: { datum: bottom, type: 'quantitative', scale: yScale } }
      },
      above(
        system.name,
        { fontSize: 12, fontWeight: 600, color: colour(isOurs(system) ? 'ours' : 'ink') },
        isNarrow ? -18 : -5
      ),
      above(outcome, { fontSize: 11, color: outcomeColour, ...(isNarrow ? {} : { align: 'right', x: plotWidth }) }, -5)
    ]
  };
}
