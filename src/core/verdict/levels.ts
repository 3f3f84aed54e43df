import type { Find } from './excess.ts';
import type { Measured } from './measured.ts';
import { showNumber, showValue } from './reasons.ts';
import { MIB } from './signals.ts';

/** A version that costs three times nothing costs nothing: so much of a core more is worth a word. */
const CPU_SHARE = 0.1;
/** In so many slices it must need too much, and in more than half of all. */
const CPU_SLICES = 8;
/** Where routes are asked for so differently, CPU cannot be compared: it is not measured for each. */
const OTHER_MIX = 0.2;

/** What grows so fast for some seconds, beyond what the version before ever took, will not stop by itself. */
const CLIMB_BYTES = 600 * MIB;
const BEYOND_BYTES = 128 * MIB;
const BEYOND_RATIO = 1.25;

/** Judges a figure by itself. */
export function findLevel(read: (from: Measured) => number | null): Find {
  return ({ name, limit, before, after }) => {
    const value = read(after);
    if (value === null || after.spanMs < limit.afterMs) return null;
    const earlier = before && read(before);
    const baseline = earlier === null ? null : Math.max(0, earlier);
    const tooMuch = baseline === null ? limit.absolute : Math.max(baseline * limit.ratio, baseline + limit.floor);
    if (tooMuch === null || value < tooMuch) return null;
    return { after: showValue(name, value), before: earlier === null ? null : showValue(name, earlier) };
  };
}

/** Judges the CPU time of a request. */
export const findCpu: Find = ({ name, limit, before, after }) => {
  const settled = after.slices.filter(({ atMs }) => atMs >= limit.afterMs);
  const requests = settled.reduce((total, slice) => total + slice.requests, 0);
  const cpuMs = settled.reduce((total, slice) => total + slice.cpuMs, 0);
  const usual = before && before.cpuMs !== null && before.requests > 0 ? before.cpuMs / before.requests : null;
  if (requests < Math.max(1, limit.requests) || after.cpuMs === null) return null;
  if (usual === null || !before || before.requests < limit.requests) {
    if (limit.absolute === null || cpuMs / requests < limit.absolute) return null;
    return { after: showValue(name, cpuMs / requests), before: null };
  }
  if (differ(before, after) > OTHER_MIX) return null;
  const mostMs = Math.max(usual * limit.ratio, usual + limit.floor);
  const bad = settled.filter((slice) => slice.cpuMs >= mostMs * slice.requests);
  if (cpuMs < mostMs * requests || bad.length < CPU_SLICES || bad.length * 2 <= settled.length) return null;
  const spanMs = after.spanMs - limit.afterMs;
  const more = cpuMs / spanMs - (usual * requests) / spanMs;
  if (more < CPU_SHARE) return null;
  return {
    after: `${showValue(name, cpuMs / requests)} over ${showNumber(requests)} requests`,
    before: showValue(name, usual)
  };
};

/** Which share of the requests would have to be for another route, to make the mix the same. */
function differ(before: Measured, after: Measured): number {
  const names = new Set([...Object.keys(before.routes), ...Object.keys(after.routes)]);
  const shareOf = ({ routes, requests }: Measured, name: string) => (routes[name]?.requests ?? 0) / requests;
  return [...names].reduce((total, name) => total + Math.abs(shareOf(before, name) - shareOf(after, name)), 0) / 2;
}

/** Judges what grows too fast to wait for: a version that takes far more than the one before, and goes on growing. */
export const findMemory: Find = ({ before, after }) => {
  const [taken, climb, usual] = [after.rssBytes, after.climbPerMinuteBytes, before?.rssBytes ?? null];
  if (taken === null || climb === null || usual === null) return null;
  const most = usual * BEYOND_RATIO + BEYOND_BYTES;
  if (climb < CLIMB_BYTES || taken < most) return null;
  const mib = (bytes: number) => `${showNumber(bytes / MIB)} MiB`;
  return {
    said: `memory: a worker takes ${mib(taken)} and grows by ${mib(climb / 60)} a second; before the cutover the largest took ${mib(usual)}`,
    limit: `${mib(most)} while growing by ${mib(CLIMB_BYTES / 60)} a second`
  };
};
