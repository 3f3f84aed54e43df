import type { Limits, Surge } from '../state/release.ts';

/**
 * Turns `maxSurge` and `maxUnavailable` into numbers of workers, as Kubernetes does.
 *
 * A share is rounded up for the surge and down for the unavailable; if both come to 0, one may be unavailable.
 */
export function measureSurge(
  { maxSurge, maxUnavailable }: Pick<Limits, 'maxSurge' | 'maxUnavailable'>,
  workers: number
): { readonly surge: number; readonly unavailable: number } {
  // Shares are whole percents: 0.07 * 100 must not be 7.000000000000001.
  const percents = (surge: Surge) =>
    typeof surge === 'number' ? surge : (Math.round(surge.share * 100) * workers) / 100;
  const surge = Math.ceil(percents(maxSurge));
  const unavailable = Math.min(workers, Math.floor(percents(maxUnavailable)));
  return { surge, unavailable: surge + unavailable === 0 ? 1 : unavailable };
}
