/** Milliseconds since the epoch, finer than `Date.now()` and never going back. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
