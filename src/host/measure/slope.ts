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
const MINUTE_MS = 60_000;

/** How fast memory grows, by least squares, in bytes a minute; null before there is enough to tell. */
export function findSlope(readings: readonly Reading[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [first, last] = [readings[0]?.at ?? 0, readings.at(-1)?.at ?? 0];
  if (readings.length < SLOPE_READINGS || last - first < SLOPE_SPAN_MS) return null;
  const middle = mean(readings.map(({ at }) => at));
  const level = mean(readings.map(({ bytes }) => bytes));
  const across = readings.reduce((sum, { at, bytes }) => sum + (at - middle) * (bytes - level), 0);
  return (across / readings.reduce((sum, { at }) => sum + (at - middle) ** 2, 0)) * MINUTE_MS;
}

/** How fast it grew over the last seconds, in bytes a minute; null before there are so many. */
export function findClimb(readings: readonly Reading[]): number | null {
  const last = readings.at(-1);
  const first = last && readings.findLast(({ at }) => last.at - at >= CLIMB_SPAN_MS);
  return first && last ? ((last.bytes - first.bytes) / (last.at - first.at)) * MINUTE_MS : null;
}
