/** One reading of a worker's memory. */
export interface Reading {
  readonly at: number;
  readonly bytes: number;
}

/** Memory is no slope before so many readings over so long: a process that starts only grows. */
const SLOPE_READINGS = 5;
const SLOPE_SPAN_MS = 5_000;
/** Long enough for the garbage collector to have run in what only fills its heap. */
const CLIMB_SPAN_MS = 3_000;
export const MINUTE_MS = 60_000;

/** The line that fits readings best, by least squares; `error` is the standard error of its slope. In bytes a minute. */
export function fitLine(readings: readonly Reading[]): { readonly slope: number; readonly error: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(readings.map(({ at }) => at));
  const level = mean(readings.map(({ bytes }) => bytes));
  const spread = readings.reduce((sum, { at }) => sum + (at - middle) ** 2, 0);
  const slope = readings.reduce((sum, { at, bytes }) => sum + (at - middle) * (bytes - level), 0) / spread;
  const left = readings.reduce((sum, { at, bytes }) => sum + (bytes - level - slope * (at - middle)) ** 2, 0);
  const error = Math.sqrt(left / (readings.length - 2) / spread);
  return { slope: slope * MINUTE_MS, error: error * MINUTE_MS };
}

/** How fast memory grows, in bytes a minute; null before there is enough to tell. */
export function findSlope(readings: readonly Reading[]): number | null {
  const [first, last] = [readings[0]?.at ?? 0, readings.at(-1)?.at ?? 0];
  return readings.length < SLOPE_READINGS || last - first < SLOPE_SPAN_MS ? null : fitLine(readings).slope;
}

/** How fast it grew over the last seconds, in bytes a minute; null before there are so many. */
export function findClimb(readings: readonly Reading[]): number | null {
  const last = readings.at(-1);
  const first = last && readings.findLast(({ at }) => last.at - at >= CLIMB_SPAN_MS);
  return first && last ? ((last.bytes - first.bytes) / (last.at - first.at)) * MINUTE_MS : null;
}
