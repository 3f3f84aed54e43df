import { BUCKETS_MS } from './histogram.ts';
import type { Measured, Route } from './measured.ts';

/** With fewer, nothing is known of a route. */
const KNOWN_REQUESTS = 5;

/**
 * What the version before would have done with the requests of the new one.
 *
 * Each route counts as much as the new version was asked for it, so that another mix of requests is not taken for another
 * quality (direct standardization). Routes that the version before was hardly asked for are left out, and counted.
 */
export interface Baseline {
  /** The requests of the new version, 5xx among them, that there is something to compare with. */
  readonly requests: number;
  readonly failed: number;
  /** Those of routes of which nothing is known, and 5xx among them. */
  readonly unknown: { readonly requests: number; readonly failed: number };
  /** What of these requests would have failed before, 0-1. */
  readonly failedShare: number;
  /** The durations that these requests would have had before: shares that add up to 1. */
  readonly latency: readonly number[];
  /** As many requests of the version before tell as much as its requests do in this mix. */
  readonly worth: number;
  /** How many requests that version had. */
  readonly past: number;
}

/** Compares route by route. Measurements without routes are one route. */
export function compareRoutes(before: Measured, after: Measured): Baseline {
  const [earlier, later] = [routesOf(before), routesOf(after)];
  const known = [...later].filter(([name]) => (earlier.get(name)?.requests ?? 0) >= KNOWN_REQUESTS);
  const requests = known.reduce((total, [, route]) => total + route.requests, 0);
  const failed = known.reduce((total, [, route]) => total + route.failed, 0);
  const latency = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  let [failedShare, variance] = [0, 0];
  for (const [name, { requests: asked }] of known) {
    const past = earlier.get(name);
    if (!past) continue;
    const weight = asked / requests;
    failedShare += (weight * past.failed) / past.requests;
    variance += weight ** 2 / past.requests;
    for (const [index, count] of past.latency.entries())
      latency[index] = (latency[index] ?? 0) + (weight * count) / past.requests;
  }
  const unknown = { requests: after.requests - requests, failed: after.failed - failed };
  const worth = variance > 0 ? 1 / variance : 0;
  return { requests, failed, unknown, failedShare, latency, worth, past: before.requests };
}

function routesOf({ routes, requests, failed, latency }: Measured): Map<string, Route> {
  const named = Object.entries(routes).filter(([, route]) => route.requests > 0);
  if (named.length > 0) return new Map(named);
  return new Map(requests === 0 ? [] : [['', { requests, failed, latency }]]);
}
