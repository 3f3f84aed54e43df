import type { Baseline } from './baseline.ts';
import type { Excess } from './excess.ts';
import type { Measured } from './measured.ts';
import { type BakeLimits, type Limit, MIB, SIGNALS, type SignalName, type Unit } from './signals.ts';
import { percentile, type Share } from './statistics.ts';

/** Says why a generation is rolled back: what was measured, what it was before, and the limit. */
export function explain(name: SignalName, limit: Limit, excess: Excess): string {
  if ('said' in excess) return `${excess.said} (limit: ${excess.limit ?? showLimit(name, limit)})`;
  const { after, before } = excess;
  const { title, kind } = SIGNALS[name];
  if (before !== null) return `${title}: ${after}; before the cutover ${before} (limit: ${showLimit(name, limit)})`;
  const known = kind === 'count' ? limit.floor : (limit.absolute ?? limit.floor);
  return `${title}: ${after}; nothing to compare with from before the cutover (limit: ${showValue(name, known)})`;
}

/** Says what was measured where no limit was reached. */
export function summarize(baseline: Baseline | null, after: Measured, limits: BakeLimits, unseen: boolean): string {
  const { requests, failed, cut, latency } = after;
  const all = requests + cut;
  const judged = all === 0 ? 'no request came: nothing to judge by' : null;
  const came = `${showNumber(all)} request${all === 1 ? '' : 's'} in ${showSpan(after)}`;
  if (unseen) return `kept unseen: ${judged ?? `${came}, too few to see anything`}`;
  if (judged) return judged;
  const [p50, p99] = [percentile(latency, 0.5), percentile(latency, 0.99)];
  const shown = [
    came,
    `5xx ${showValue('errors', requests === 0 ? 0 : failed / requests)}`,
    `cut short ${showValue('cut', cut / all)}`,
    ...(p50 === null || p99 === null ? [] : [`p50 ${showValue('p50', p50)}`, `p99 ${showValue('p99', p99)}`])
  ];
  return `${shown.join(', ')}: no limit was reached${describeUnfair(baseline, after, limits)}`;
}

/** Says what could not be compared with the version before; nothing where most of it could. */
function describeUnfair(baseline: Baseline | null, { requests }: Measured, { p50, errors }: BakeLimits): string {
  const needed = p50?.requests ?? errors?.requests ?? 0;
  if (requests === 0 || needed === 0) return '';
  const unknown = baseline?.unknown.requests ?? 0;
  if (baseline && baseline.past >= needed && unknown * 2 > requests) {
    const share = showShare({ bad: unknown, all: requests });
    return `; ${share} of them were for what was not asked for before, and not compared`;
  }
  return baseline && baseline.worth >= needed ? '' : '; too little came before the cutover to compare it with';
}

/** Writes a share in percent. */
export function showShare({ bad, all }: Share): string {
  const percent = all > 0 ? (100 * bad) / all : 0;
  return `${percent >= 10 ? Math.round(percent) : percent.toPrecision(2)} %`;
}

/** Writes the length of time a measurement is about. */
export function showSpan({ spanMs }: Measured): string {
  return `${showNumber(spanMs / 1000)} s`;
}

const UNITS: { readonly [U in Unit]: (value: number) => string } = {
  times: showNumber,
  share: (value) => `${showNumber(value * 100)} %`,
  ms: (value) => `${showNumber(value)} ms`,
  'bytes per minute': (value) => `${showNumber(value / MIB)} MiB a minute`
};

/** Writes a value of a signal with its unit, in two digits at least: `0.2 %`, `1,200 ms`. */
export function showValue(name: SignalName, value: number): string {
  return UNITS[SIGNALS[name].unit](value);
}

/** Writes a limit as a reason names it: `2x and 5 points more`. */
export function showLimit(name: SignalName, { ratio, floor, outright }: Limit): string {
  const more = SIGNALS[name].unit === 'share' ? `${showNumber(floor * 100)} points` : showValue(name, floor);
  const over = `${showNumber(ratio)}x and ${more} more`;
  return outright === null ? over : `${over}, or ${showNumber(outright)}x`;
}

/** Writes a number: whole from 10 on, else to two digits, with commas. */
export function showNumber(value: number): string {
  if (Math.abs(value) < 10) return String(Number(Number(value.toPrecision(2)).toFixed(3)));
  // Not toLocaleString(): what it loads the first time takes 30 ms, while connections move.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
