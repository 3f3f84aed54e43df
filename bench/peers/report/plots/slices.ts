import type { SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { CONFIG, colour } from '../theme.ts';
import { isOurs, showMs, sortSystems } from '../words.ts';
import { above, colourOf, lines, NARROW, type Plot } from './plot.ts';

type Slices = NonNullable<SystemResult['slices']>;

const AXIS_WIDTH = 44;
const ROW_HEIGHT = 42;
/** At 0 a logarithm has no place; nothing that is measured is shorter. */
const LEAST_MS = 0.1;

const ABOUT = {
  id: 'slices',
  title: 'What the slowest hundredth waits, moment by moment',
  reading:
    'Each strip is one system, each step the p99 of 50 ms around a deploy; the dashed line is the moment from which only ' +
    'the new version answers new connections. Each step of the scale is ten times slower than the one below it; where ' +
    'there is no step, nobody was answered.'
};

/** The p99 of each system in the moments around a deploy, one below the other on one scale. */
export function slices(systems: readonly SystemResult[]): Plot {
  const drawn = sortSystems(systems).filter(({ slices }) => slices?.some(({ p99Ms }) => p99Ms !== null));
  if (drawn.length === 0) return { ...ABOUT, description: '', spec: null };
  const longest = Math.max(...drawn.map(({ slices = [] }) => longestOf(slices)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(longest, 10 * LEAST_MS)));
  return {
    ...ABOUT,
    description: drawn
      .map(({ name, slices = [] }) => `${name}: at the worst moment ${showMs(longestOf(slices))}.`)
      .join(' '),
    spec: (width) => ({
      config: CONFIG,
      spacing: 8,
      vconcat: drawn.map((system, index) => strip(system, most, width, index === drawn.length - 1))
    })
  };
}

const longestOf = (slices: Slices) => Math.max(...slices.map(({ p99Ms }) => p99Ms ?? 0));

function strip(system: SystemResult, most: number, width: number, isLast: boolean): Spec {
  const { slices = [], name } = system;
  const plotWidth = width - AXIS_WIDTH - 16;
  const isNarrow = width < NARROW;
  const stepMs = (slices[1]?.fromMs ?? 0) - (slices[0]?.fromMs ?? 0);
  const [firstMs, lastMs] = [slices[0]?.fromMs ?? 0, (slices.at(-1)?.fromMs ?? 0) + stepMs];
  const x = {
    field: 'from',
    type: 'quantitative',
    scale: { domain: [firstMs, lastMs], nice: false },
    axis: {
      title: isLast ? 'milliseconds after the switch' : null,
      ...{ labels: isLast, ticks: isLast, grid: false, tickCount: isNarrow ? 4 : 8 }
    }
  };
  const y = {
    field: 'ms',
    type: 'quantitative',
    scale: { type: 'log', domain: [LEAST_MS, most], nice: false },
    axis: {
      title: null,
      values: [1, 10, 100, 1_000].filter((value) => value <= most),
      labelExpr: "datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'",
      ...{ minExtent: AXIS_WIDTH, maxExtent: AXIS_WIDTH, domain: false, ticks: false }
    }
  };
  const values = slices.flatMap(({ fromMs, p99Ms }) =>
    p99Ms === null ? [] : [{ from: fromMs, to: fromMs + stepMs, ms: Math.max(LEAST_MS, p99Ms), least: LEAST_MS }]
  );
  const worst = { fontSize: 11, color: colour('soft'), align: 'right', x: plotWidth };
  return {
    width: plotWidth,
    height: ROW_HEIGHT,
    layer: [
      {
        data: { values },
        mark: { type: 'rect', color: colourOf(system), opacity: 0.75 },
        encoding: { x, x2: { field: 'to' }, y, y2: { field: 'least' } }
      },
      lines([{ from: 0 }], [5, 3], x),
      above(name, { fontSize: 12, fontWeight: 600, color: colour(isOurs(system) ? 'ours' : 'ink') }, -5),
      ...(isNarrow ? [] : [above(`${showMs(longestOf(slices))} at the worst moment`, worst, -5)])
    ]
  };
}
