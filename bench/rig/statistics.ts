/** Nearest rank, never interpolated; null of nothing. */
export function quantile(values: Iterable<number>, share: number): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
export function median(values: Iterable<number>): number | null {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

export const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** Writes the middle half of some values: what a median alone does not tell. */
export function spread(values: readonly number[], digits = 2): string {
  const show = (value: number | null) => (value === null ? '-' : value.toFixed(digits));
  return `${show(quantile(values, 0.25))}..${show(quantile(values, 0.75))} of ${values.length}`;
}

/** Divides, where there is something to divide by. */
export function ratio(part: number | null, whole: number | null): number | null {
  return part === null || !whole ? null : part / whole;
}

/** The order ABBA: a drift of the machine, as long as it is even, falls on both alike. */
export function* alternate<T>(a: T, b: T, pairs: number): Generator<readonly [T, T]> {
  for (let pair = 0; pair < pairs; pair += 1) yield pair % 2 === 0 ? [a, b] : [b, a];
}

/** Whether a value keeps its limit; null where it was not measured counts as missed. */
export const atMost = (value: number | null, limit: number) => value !== null && value <= limit;
export const atLeast = (value: number | null, limit: number) => value !== null && value >= limit;
