import { chooseGeneration, type Shares } from '../../src/core/routing/choose.ts';
import type { Beside } from '../load/connection.ts';
import type { PacedResult } from '../load/patterns.ts';
import type { Detail } from '../rig/model.ts';
import type { Slice } from '../rig/sides.ts';
import { median, quantile, ratio, spread, sum } from '../rig/statistics.ts';

const DECISIONS = 1_000_000;

/** A service, or a proxy before two processes, and what it has done. */
export interface Side {
  readonly name: string;
  readonly port: number;
  readonly isProxy: boolean;
  readonly beside: Beside | null;
  /** All processes that it is made of. */
  readonly pids: readonly number[];
  /** As hard as it can. */
  readonly slices: Slice[];
  /** At a rate that all carry. */
  readonly paced: PacedResult[];
}

/** Requests per second, of each slice. */
export const ratesOf = ({ slices }: Side) => slices.map(({ answered, tookMs }) => (answered / tookMs) * 1000);

/** In each round, what the side did / what the base did. */
function ratiosTo(base: Side, side: Side): number[] {
  const rates = ratesOf(side);
  return ratesOf(base).map((rate, round) => ratio(rates[round] ?? null, rate) ?? Number.NaN);
}

export const ratioTo = (base: Side, side: Side) => median(ratiosTo(base, side));

function cpuPerRequest({ slices }: Side): number | null {
  return ratio(sum(slices.map((slice) => slice.cpuUs)), sum(slices.map(({ answered }) => answered)));
}

export function describeSide(base: Side, side: Side): Detail[] {
  const { name, slices, paced, isProxy } = side;
  const all = paced.flatMap(({ ms, moved }) =>
    Array.from(ms, (one, index) => ({ ms: one, moved: moved[index] === 1 }))
  );
  const moving = all.filter(({ moved }) => moved).map(({ ms }) => ms);
  const staying = all.filter(({ moved }) => !moved).map(({ ms }) => ms);
  const second = sum(paced.map((one) => sum(one.second)));
  const results = [...slices, ...paced];
  return [
    { name: `${name}: requests`, value: median(ratesOf(side)), unit: '/s' },
    { name: `${name}: CPU per request, of all processes`, value: cpuPerRequest(side), unit: 'us' },
    ...(side === base
      ? []
      : [
          { name: `${name}: / ${base.name}`, value: ratioTo(base, side), unit: 'x' },
          { name: `${name}: middle half of the rounds`, value: spread(ratiosTo(base, side), 3) },
          {
            name: `${name}: CPU per request, ${base.name} / this`,
            value: ratio(cpuPerRequest(base), cpuPerRequest(side)),
            unit: 'x'
          },
          { name: `${name}: answered by the second version`, value: ratio(100 * second, all.length), unit: '%' }
        ]),
    // Behind a proxy no connection moves.
    ...(isProxy || moving.length === 0
      ? latencies(name, [...moving, ...staying])
      : [...latencies(`${name}: that move`, moving), ...latencies(`${name}: that stay`, staying)]),
    {
      name: `${name}: requests lost, connections opened again`,
      value: `${sum(results.map(({ lost }) => lost))}, ${sum(results.map(({ reconnects }) => reconnects))}`
    }
  ];
}

function latencies(name: string, ms: readonly number[]): Detail[] {
  return [
    { name: `${name}: p50`, value: quantile(ms, 0.5), unit: 'ms' },
    { name: `${name}: p99`, value: quantile(ms, 0.99), unit: 'ms' }
  ];
}

/** How often per second it can be decided who answers, by a cookie among others. */
export function countDecisions(): number {
  const by = { kind: 'cookie', name: 'session' } as const;
  const routing: Shares = { active: 1, canary: 2, share: 0.05, by, always: [], never: [], salt: '2' };
  const asked = Array.from({ length: 1_000 }, (_, user) => ({
    ...{ headers: { cookie: `theme=dark; session=u${user}` }, url: '/answer', address: undefined, lot: 0, chance: 0 }
  }));
  const startedAt = performance.now();
  for (let turn = 0; turn < DECISIONS; turn += 1) {
    const one = asked[turn % asked.length];
    if (one) chooseGeneration(routing, one);
  }
  return (DECISIONS / (performance.now() - startedAt)) * 1000;
}
