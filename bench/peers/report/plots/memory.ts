import type { SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { CONFIG, colour } from '../theme.ts';
import { showMegabytes, sortSystems } from '../words.ts';
import { colourOf, NARROW, type Plot, wrap } from './plot.ts';

type Memory = NonNullable<SystemResult['memory']>;
type Drawn = SystemResult & { readonly memory: Memory };

const AXIS_WIDTH = 34;
const GAP = 16;
const HEIGHT = 84;
/** Width of a character of a title. */
const TITLE_CHARACTER = 7.4;

const ABOUT = {
  id: 'memory',
  title: 'Memory over a deploy',
  reading:
    'The height is the memory in MB that the processes of a system hold for themselves, over the seconds around a deploy, ' +
    'which is ordered at the dashed line; the highest point is what the machine must have to spare.'
};

/** Memory of all processes of a system over a deploy, all on one scale. */
export function memory(systems: readonly SystemResult[]): Plot {
  const drawn = sortSystems(systems).filter((system): system is Drawn => system.memory !== null);
  if (drawn.length === 0) return { ...ABOUT, description: '', spec: null };
  const points = drawn.flatMap(({ memory }) => memory.series);
  const most = Math.max(...drawn.map(({ memory }) => memory.peakBytes), ...points.map(({ bytes }) => bytes)) / 1e6;
  const times = [0, ...points.map(({ atMs }) => atMs / 1_000)];
  return {
    ...ABOUT,
    description: drawn
      .map(
        ({ name, memory }) =>
          `${name}: ${showMegabytes(memory.restBytes)} at rest, ${showMegabytes(memory.peakBytes)} at the peak.`
      )
      .join(' '),
    spec: (width) => {
      const columns = width < NARROW ? 2 : 4;
      const place = {
        width: (width - 12) / columns - AXIS_WIDTH - GAP,
        most: most * 1.05,
        times: [Math.min(...times), Math.max(...times)]
      };
      return {
        config: CONFIG,
        columns,
        spacing: { column: GAP, row: 18 },
        concat: drawn.map((one) => panel(one, place))
      };
    }
  };
}

interface Place {
  readonly width: number;
  readonly most: number;
  readonly times: readonly number[];
}

function panel(system: Drawn, { width, most, times }: Place): Spec {
  const { series, restBytes, peakBytes } = system.memory;
  const x = {
    field: 'at',
    type: 'quantitative',
    scale: { domain: times, nice: false },
    axis: { title: null, grid: false, tickCount: 4, labelExpr: "format(datum.value, '~g') + ' s'" }
  };
  const axis = { title: null, tickCount: 3, minExtent: AXIS_WIDTH, maxExtent: AXIS_WIDTH, domain: false, ticks: false };
  const lines = wrap(system.name, Math.floor((width + AXIS_WIDTH) / TITLE_CHARACTER)).split('\n');
  return {
    title: {
      text: lines,
      subtitle: `${showMegabytes(restBytes)}, peak ${showMegabytes(peakBytes)}`,
      color: colourOf(system) === colour('ours') ? colour('ours') : colour('ink')
    },
    width,
    height: HEIGHT,
    layer: [
      {
        data: { values: series.map(({ atMs, bytes }) => ({ at: atMs / 1_000, megabytes: bytes / 1e6 })) },
        mark: { type: 'area', color: colourOf(system), opacity: 0.75 },
        encoding: {
          x,
          y: { field: 'megabytes', type: 'quantitative', scale: { domain: [0, most], nice: false }, axis }
        }
      },
      {
        data: { values: [{ at: 0 }] },
        mark: { type: 'rule', color: colour('ink'), strokeDash: [5, 3], opacity: 0.8 },
        encoding: { x }
      }
    ]
  };
}
