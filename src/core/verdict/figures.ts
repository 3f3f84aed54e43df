import type { Measured } from './measured.ts';
import { percentile } from './statistics.ts';

/** What a generation did while it was judged, or before the cutover; null = not measured. */
export interface Figures {
  /** How long it was measured, in milliseconds. */
  readonly spanMs: number;
  /** Responses completed. */
  readonly requests: number;
  /** Of them with a status of 500 or above. */
  readonly failed: number;
  /** Requests whose response was cut short; they are not among `requests`. */
  readonly cut: number;
  /** Time that half of the requests took at the most. */
  readonly p50Ms: number | null;
  /** Time that 99 % of the requests took at the most. */
  readonly p99Ms: number | null;
  /** CPU time of all workers, divided by the requests. */
  readonly cpuMsPerRequest: number | null;
  /** p99 of the delay of the event loop, the worst worker. */
  readonly loopDelayMs: number | null;
  /** Resident memory of the largest worker. */
  readonly rssBytes: number | null;
  /** Growth of the worker that grows fastest. */
  readonly memoryPerMinuteBytes: number | null;
  /** Workers that exited without being told to. */
  readonly exits: number;
  /** Workers that were replaced because they did not answer. */
  readonly hangs: number;
  /** Uncaught exceptions and unhandled rejections. */
  readonly uncaught: number;
  /** The routes that were asked for most, at most 20: method and pattern, with `…` for numbers and ids. Never a query. */
  readonly routes: readonly RouteFigures[];
}

/** What was asked for under one method and pattern. */
export interface RouteFigures {
  /** As `GET /orders/…`. */
  readonly route: string;
  readonly requests: number;
  readonly failed: number;
  /** With a status of 400 to 499. */
  readonly refused: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The figures of both versions. */
export interface BothFigures {
  /** The version before, up to the cutover; null where nothing of it is known. */
  readonly before: Figures | null;
  /** The new version, since the cutover; null before anything was measured. */
  readonly after: Figures | null;
}

const ROUTES_SHOWN = 20;

/** Turns measurements of both versions into what is shown of them. */
export function describeBoth(measured: { before: Measured | null; after: Measured } | null): BothFigures {
  return {
    before: measured?.before ? describeFigures(measured.before) : null,
    after: measured ? describeFigures(measured.after) : null
  };
}

function describeFigures(measured: Measured): Figures {
  const { requests, latency, cpuMs } = measured;
  const routes = Object.entries(measured.routes)
    .sort(([, one], [, other]) => other.requests - one.requests)
    .slice(0, ROUTES_SHOWN)
    .map(([route, { latency: took, ...counts }]) => ({
      ...{ route, requests: counts.requests, failed: counts.failed, refused: counts.refused },
      ...percentilesOf(took)
    }));
  return {
    spanMs: Math.round(measured.spanMs),
    ...{ requests, failed: measured.failed, cut: measured.cut },
    ...percentilesOf(latency),
    cpuMsPerRequest: cpuMs === null || requests === 0 ? null : Number((cpuMs / requests).toPrecision(3)),
    loopDelayMs: shorten(measured.loopDelayMs),
    rssBytes: measured.rssBytes,
    memoryPerMinuteBytes: measured.memoryPerMinuteBytes === null ? null : Math.round(measured.memoryPerMinuteBytes),
    ...{ exits: measured.exits, hangs: measured.hangs, uncaught: measured.uncaught, routes }
  };
}

function percentilesOf(latency: readonly number[]) {
  return { p50Ms: shorten(percentile(latency, 0.5)), p99Ms: shorten(percentile(latency, 0.99)) };
}

function shorten(ms: number | null): number | null {
  return ms === null ? null : Number(ms.toPrecision(3));
}
