import { compareRefused } from './baseline.ts';
import type { Excess, Find } from './excess.ts';
import type { Measured, Route } from './measured.ts';
import { showNumber, showShare } from './reasons.ts';
import type { Limit } from './signals.ts';
import { isSurelyMore, type Share } from './statistics.ts';

/** What one route alone has to be worse by: of all routes, one is always a little worse than before. */
const ROUTE_FLOOR = 0.1;
/** Responses that are cut short in fewer slices are one thing that happened, such as the end of a load test. */
const CUT_SLICES = 3;

/** Judges the share of 5xx: of all that can be compared, of each route, and of what cannot. */
export const findErrors: Find = ({ limit, before, after, baseline }) => {
  const all = { bad: after.failed, all: after.requests };
  const known = baseline && { bad: baseline.failed, all: baseline.requests };
  if (!baseline || !known || known.all < limit.requests || baseline.worth < limit.requests)
    return findAbsolute(all, limit);
  const past = { bad: baseline.failedShare * baseline.worth, all: baseline.worth };
  const routes = rateRoutes(before, after);
  if (isWorse(known, past, limit, limit.floor)) {
    const earlier = { bad: before?.failed ?? 0, all: before?.requests ?? 0 };
    const [worst] = routes;
    return { said: `${showErrors(all, earlier)}${worst ? `; ${worst.name} most of all` : ''}` };
  }
  const alone = { ...limit, requests: limit.least };
  const worse = routes.find(({ now, then }) => isWorse(now, then, alone, ROUTE_FLOOR));
  if (worse) return { said: showErrors(worse.now, worse.then, ` to ${worse.name}`) };
  const { requests, failed } = baseline.unknown;
  return findAbsolute({ bad: failed, all: requests }, limit, ' to what was not asked for before');
};

/** Judges the share of 4xx on the routes that both versions were asked for. */
export const findRefused: Find = ({ limit, before, after }) => {
  if (!before) return null;
  const { before: then, after: now, worst } = compareRefused(before, after);
  if (then.all < limit.requests || !isWorse(now, then, limit, limit.floor)) return null;
  const most = worst === null ? '' : `; ${worst} most of all`;
  return {
    said: `${showShare(now)} of the answers on routes asked for before were 4xx, before ${showShare(then)}${most}`
  };
};

/** Judges the share of responses that were cut short. */
export const findCut: Find = ({ limit, before, after }) => {
  const now = { bad: after.cut, all: after.requests + after.cut };
  const then = { bad: before?.cut ?? 0, all: before ? before.requests + before.cut : 0 };
  if (now.all < limit.requests || now.all === 0) return null;
  if (then.all < limit.requests || then.all === 0) return findAbsolute(now, limit);
  const slices = after.slices.filter(({ cut }) => cut > 0);
  if (slices.length < CUT_SLICES || !isWorse(now, then, limit, limit.floor)) return null;
  const shown = (share: Share) => `${showShare(share)} of ${showNumber(share.all)} requests`;
  return { after: shown(now), before: shown(then) };
};

function isWorse(now: Share, then: Share, { ratio, requests, least }: Limit, floor: number): boolean {
  if (now.all < requests || now.all === 0 || now.bad < least) return false;
  const baseline = then.all === 0 ? 0 : then.bad / then.all;
  const isOver = now.bad / now.all >= Math.max(baseline * ratio, baseline + floor);
  return isOver && isSurelyMore(now, then);
}

function findAbsolute({ bad, all }: Share, { absolute, requests }: Limit, where = ''): Excess | null {
  if (absolute === null || all === 0 || all < requests || bad / all < absolute) return null;
  return { after: `${showShare({ bad, all })} of ${showNumber(all)} answers${where}`, before: null };
}

/** The routes with 5xx, the one with most more than before first. */
function rateRoutes(before: Measured | null, after: Measured) {
  const rated = Object.entries(after.routes).flatMap(([name, route]) => {
    const past = before?.routes[name];
    if (!past || past.requests === 0 || route.failed === 0) return [];
    const [now, then] = [shareOf(route), shareOf(past)];
    return [{ name, now, then, by: now.bad - (now.all * then.bad) / then.all }];
  });
  return rated.sort((one, other) => other.by - one.by);
}

function shareOf({ requests, failed }: Route): Share {
  return { bad: failed, all: requests };
}

function showErrors(now: Share, then: Share, where = ''): string {
  const past = then.bad === 0 ? '0' : showShare(then);
  return `${showShare(now)} of ${showNumber(now.all)} answers${where} were 5xx, before ${past} of ${showNumber(then.all)}`;
}
