import { type BakeLimits, type Limit, type Measured, MIB, SIGNALS, type SignalName, type Unit } from './signals.ts';
import { percentile } from './statistics.ts';

/** One signal over its limit: what it was after the cutover and before it, in words; null for nothing to compare with. */
export interface Excess {
  readonly after: string;
  readonly before: string | null;
}

/** Says why a generation is rolled back: what was measured, what it was before, and the limit. */
export function explain(name: SignalName, limit: Limit, { after, before }: Excess): string {
  const { title, kind } = SIGNALS[name];
  if (before !== null) return `${title}: ${after}; before the cutover ${before} (limit: ${showLimit(name, limit)})`;
  const known = kind === 'count' ? limit.floor : (limit.absolute ?? limit.floor);
  return `${title}: ${after}; nothing to compare with from before the cutover (limit: ${showValue(name, known)})`;
}

/** Says what was measured where no limit was reached. */
export function summarize(after: Measured, limits: BakeLimits): string {
  const { requests, failed, cut, latency } = after;
  const all = requests + cut;
  if (all === 0) return 'no request came: nothing to judge by';
  const came = `${showNumber(all)} request${all === 1 ? '' : 's'} in ${showSpan(after)}`;
  const needed = [limits.errors, limits.cut, limits.p50, limits.p99].map((limit) => limit?.requests ?? 0);
  if (all < Math.min(...needed)) return `${came}: too few to judge their responses by`;
  const [p50, p99] = [percentile(latency, 0.5), percentile(latency, 0.99)];
  const shown = [
    came,
    `5xx ${showValue('errors', requests === 0 ? 0 : failed / requests)}`,
    `cut short ${showValue('cut', cut / all)}`,
    ...(p50 === null || p99 === null ? [] : [`p50 ${showValue('p50', p50)}`, `p99 ${showValue('p99', p99)}`])
  ];
  return `${shown.join(', ')}: no limit was reached`;
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
export function showLimit(name: SignalName, { ratio, floor }: Limit): string {
  const more = SIGNALS[name].unit === 'share' ? `${showNumber(floor * 100)} points` : showValue(name, floor);
  return `${showNumber(ratio)}x and ${more} more`;
}

/** Writes a number: whole from 10 on, else to two digits, with commas. */
export function showNumber(value: number): string {
  const shown = Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(2));
  return shown.toLocaleString('en');
}
