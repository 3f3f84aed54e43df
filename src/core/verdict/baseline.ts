import { BUCKETS_MS, OTHER_ROUTES } from './histogram.ts';
import type { Measured, Route } from './measured.ts';
import type { Share } from './statistics.ts';

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

/** Of how many requests how many were answered 4xx, before and since, in the mix that the version before was asked for. */
export interface Refused {
  readonly before: Share;
  readonly after: Share;
  /** The route on which it has become most. */
  readonly worst: string | null;
}

/**
 * Compares 4xx on the routes that both versions were asked for.
 *
 * Clients cause most of them: one that tries passwords or ids all day must not look like a version that has lost its
 * routes. So each route counts as much as it was asked for before; what has no route of its own does not count.
 */
export function compareRefused(before: Measured, after: Measured): Refused {
  const both = Object.entries(before.routes).flatMap(([name, then]) => {
    const now = after.routes[name];
    const isKnown = name !== OTHER_ROUTES && then.requests >= KNOWN_REQUESTS && (now?.requests ?? 0) >= KNOWN_REQUESTS;
    return now && isKnown ? [{ name, then, now }] : [];
  });
  const all = both.reduce((total, { then }) => total + then.requests, 0);
  let [share, variance, most] = [0, 0, 0];
  let worst: string | null = null;
  for (const { name, then, now } of both) {
    const weight = then.requests / all;
    const more = weight * (now.refused / now.requests - then.refused / then.requests);
    share += (weight * now.refused) / now.requests;
    variance += weight ** 2 / now.requests;
    if (more > most) [most, worst] = [more, name];
  }
  const worth = variance > 0 ? 1 / variance : 0;
  const refused = both.reduce((total, { then }) => total + then.refused, 0);
  return { before: { bad: refused, all }, after: { bad: share * worth, all: worth }, worst };
}

function routesOf({ routes, requests, failed, latency }: Measured): Map<string, Route> {
  const named = Object.entries(routes).filter(([, route]) => route.requests > 0);
  if (named.length > 0) return new Map(named);
  return new Map(requests === 0 ? [] : [['', { requests, failed, refused: 0, latency }]]);
}
