import type { SystemResult } from '../../result.ts';
import type { Spec } from '../library.ts';
import { CONFIG, colour } from '../theme.ts';
import { showCount, showMs, sortSystems } from '../words.ts';
import { colourOf, labelsFor, NARROW, type Plot } from './plot.ts';

/** At 0 a logarithm has no place; nothing that was measured is shorter. */
const LEAST_MS = 0.01;
/** Of all that were measured, those that get a column; on a telephone, fewer. */
const SHOWN = [0.5, 0.9, 0.99, 0.999, 1];
const FEW = [0.5, 0.99, 1];
/** Between two columns, and at the right edge for what a label needs. */
const GAP = 18;

const ABOUT = {
  id: 'latency',
  title: 'How long answers take around a deploy',
  reading:
    'Circles are the quiet time between deploys, diamonds the second around a deploy; the longer the line between the ' +
    'two, the more a deploy slows the clients down. Each step of the scale is ten times slower than the one before.'
};

/** How long answers take around a deploy, beside the quiet time: one row a system, one column a percentile. */
export function latency(systems: readonly SystemResult[]): Plot {
  const drawn = sortSystems(systems).filter(({ latency }) => latency.some(({ share }) => SHOWN.includes(share)));
  if (drawn.length === 0) return { ...ABOUT, description: '', spec: null };
  const measured = new Set(drawn.flatMap((system) => system.latency.map(({ share }) => share)));
  const times = drawn.flatMap((system) => system.latency.flatMap(({ aroundMs, steadyMs }) => [aroundMs, steadyMs]));
  const exponent = (value: number, round: (value: number) => number) =>
    10 ** round(Math.log10(Math.max(LEAST_MS, value)));
  const least = exponent(Math.min(...times), Math.floor);
  const domain: Domain = [least, Math.max(10 * least, exponent(Math.max(...times), Math.ceil))];
  return {
    ...ABOUT,
    description: drawn
      .map(({ name, p99 }) =>
        p99 ? `${name}: p99 ${showMs(p99.steadyMs)} in the quiet time, ${showMs(p99.aroundMs)} around a deploy.` : ''
      )
      .join(' '),
    spec: (width) => {
      const shares = (width < NARROW ? FEW : SHOWN).filter((share) => measured.has(share));
      const columns = width < NARROW ? 1 : shares.length;
      return {
        config: CONFIG,
        columns,
        spacing: { column: GAP, row: 24 },
        concat: shares.map((share, index) =>
          column(share, { drawn, domain, width, columns, isFirst: index % columns === 0 })
        )
      };
    }
  };
}

type Domain = [least: number, most: number];

interface Place {
  readonly drawn: readonly SystemResult[];
  readonly domain: Domain;
  readonly width: number;
  readonly columns: number;
  readonly isFirst: boolean;
}

function column(share: number, { drawn, domain, width, columns, isFirst }: Place): Spec {
  const labels = labelsFor(width, drawn);
  const values = drawn.flatMap((system) =>
    system.latency
      .filter((point) => point.share === share)
      .map(({ aroundMs, steadyMs }) => ({
        system: labels.nameOf(system),
        colour: colourOf(system),
        around: Math.max(LEAST_MS, aroundMs),
        steady: Math.max(LEAST_MS, steadyMs)
      }))
  );
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    axis: {
      title: null,
      values: powers(domain),
      labelExpr: "datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + (datum.index === 0 ? ' ms' : '')"
    }
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
    title: { text: titleOf(share), frame: 'group' },
    data: { values },
    width: (width - labels.width - columns * GAP - 12) / columns,
    height: { step: labels.step },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, opacity: 0.6 },
        encoding: { x: x('steady'), x2: { field: 'around' }, y, color: own }
      },
      {
        mark: { type: 'point', shape: 'circle', size: 42, filled: true, fill: colour('paper'), strokeWidth: 1.5 },
        encoding: { x: x('steady'), y, stroke: own }
      },
      {
        mark: { type: 'point', shape: 'diamond', size: 62, filled: true, opacity: 1 },
        encoding: { x: x('around'), y, color: own }
      }
    ]
  };
}

function powers([least, most]: Domain): number[] {
  const count = Math.round(Math.log10(most / least));
  return Array.from({ length: count + 1 }, (_, index) => least * 10 ** index);
}

/** A share as people say it. */
function titleOf(share: number): string {
  if (share === 0.5) return 'p50, the middle one';
  if (share === 1) return 'the slowest';
  return `p${Number((share * 100).toFixed(3))}, 1 in ${showCount(Math.round(1 / (1 - share)))}`;
}
