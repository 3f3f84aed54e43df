import type { Spread, SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { CONFIG, colour } from '../theme.ts';
import { sortSystems } from '../words.ts';
import { colourOf, labelsFor, NARROW, type Plot, wrap } from './plot.ts';

const GAP = 18;
/** For the figure behind the longest bar. */
const ROOM = 1.2;
const SIDES = [
  { field: 'keptAliveShare', title: 'Connections kept open' },
  { field: 'freshShare', title: 'A new connection for each request' }
] as const;

const ABOUT = {
  id: 'throughput',
  title: 'Speed while nothing is deployed',
  reading:
    'The bar is the number of requests a second that a system answers, as a share of the same app under plain node, ' +
    'which is the dashed line at 1; the short line at its end is the middle half of the measurements.'
};

/** How many requests a second each system answers, as a share of what bare node does. */
export function throughput(systems: readonly SystemResult[]): Plot {
  const drawn = sortSystems(systems).filter(({ keptAliveShare, freshShare }) => keptAliveShare ?? freshShare);
  if (drawn.length === 0) return { ...ABOUT, description: '', spec: null };
  const medians = drawn.flatMap((system) => SIDES.flatMap(({ field }) => system[field]?.median ?? []));
  // A spread may be as wide as it likes on a busy machine; what is beyond the scale is cut off.
  const most = Math.max(1, ...medians) * 1.1;
  return {
    ...ABOUT,
    description: drawn
      .map(
        (system) => `${system.name}: ${SIDES.map(({ field, title }) => `${title} ${show(system[field])}`).join(', ')}.`
      )
      .join(' '),
    spec: (width) => {
      const columns = width < NARROW ? 1 : 2;
      return {
        config: CONFIG,
        columns,
        spacing: { column: GAP, row: 24 },
        concat: SIDES.map((side, index) => bars(side, { drawn, most, width, columns, isFirst: index % columns === 0 }))
      };
    }
  };
}

const show = (spread: Spread | null) => (spread ? spread.median.toFixed(2) : 'not measured');

interface Place {
  readonly drawn: readonly SystemResult[];
  readonly most: number;
  readonly width: number;
  readonly columns: number;
  readonly isFirst: boolean;
}

function bars({ field, title }: (typeof SIDES)[number], { drawn, most, width, columns, isFirst }: Place): Spec {
  const labels = labelsFor(width, drawn);
  const values = drawn.flatMap((system) => {
    const spread = system[field];
    return spread
      ? [
          {
            system: labels.nameOf(system),
            colour: colourOf(system),
            median: spread.median,
            low: Math.min(most, spread.low),
            high: Math.min(most, spread.high),
            text: show(spread)
          }
        ]
      : [];
  });
  const x = (name: string) => ({
    field: name,
    type: 'quantitative',
    scale: { domain: [0, most * ROOM], nice: false },
    axis: { title: null, tickCount: 5, format: '.1f' }
  });
  const y = {
    field: 'system',
    type: 'nominal',
    scale: { domain: drawn.map(labels.nameOf) },
    sort: null,
    axis: isFirst ? labels.axis : { ...labels.axis, labels: false, minExtent: 0, maxExtent: 0 }
  };
  const own = { field: 'colour', type: 'nominal', scale: null, legend: null };
  return {
    title: wrap(title, width < NARROW ? 22 : 40).split('\n'),
    data: { values },
    width: (width - labels.width - columns * GAP - 12) / columns,
    height: { step: labels.step },
    layer: [
      { mark: { type: 'bar', height: 12, opacity: 0.75 }, encoding: { x: x('median'), y, color: own } },
      {
        mark: { type: 'rule', color: colour('ink'), strokeWidth: 1.5 },
        encoding: { x: x('low'), x2: { field: 'high' }, y }
      },
      {
        mark: { type: 'text', align: 'right', fontSize: 11, color: colour('ink') },
        encoding: { x: { datum: most * ROOM, type: 'quantitative' }, y, text: { field: 'text' } }
      },
      {
        data: { values: [{}] },
        mark: { type: 'rule', color: colour('ink'), strokeDash: [4, 3] },
        encoding: { x: { datum: 1, type: 'quantitative' } }
      }
    ]
  };
}
