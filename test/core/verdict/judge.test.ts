import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Habit } from '../../../bench/verdict/habits.ts';
import { BUCKETS_MS } from '../../../src/core/verdict/histogram.ts';
import { judge, type Measured, percentile, type SignalName } from '../../../src/core/verdict/judge.ts';
import { DEFAULT_LIMITS, SIGNAL_NAMES, SIGNALS } from '../../../src/core/verdict/signals.ts';
import { createRandom, pick, type Random } from '../../support/random.ts';
import { bucketOf, measure, noLatency, only, withCpu } from '../bakes.ts';

const MIB = 2 ** 20;
/** All of it under one route, so many answered with 4xx. */
function routed(requests: number, refused: number, more: Partial<Measured> = {}): Measured {
  const measured = measure(requests, more);
  const { failed, latency } = measured;
  return { ...measured, routes: { 'GET /': { requests, failed, refused, latency } } };
}

const usual = withCpu(measure(5_000, { failed: 10, cut: 5 }), 1);
const beforeOf = (name: SignalName) => (name === 'refused' ? routed(5_000, 50) : usual);

/** What each signal alone is when it is bad, beside a service that is well. */
const bad: { readonly [S in SignalName]: Measured } = {
  exits: measure(500, { exits: 2 }),
  hangs: measure(500, { hangs: 1 }),
  errors: measure(500, { failed: 100 }),
  refused: routed(500, 100),
  cut: measure(400, { cut: 100 }),
  p50: measure(500, {}, [400]),
  p99: measure(2_000, {}, [5, 5, 5, 5, 900]),
  cpu: withCpu(measure(3_000), 20),
  loopDelay: measure(500, { loopDelayMs: 600 }),
  uncaught: measure(500, { uncaught: 10 }),
  memory: measure(500, { memoryPerMinuteBytes: 300 * MIB })
};

for (const name of SIGNAL_NAMES) {
  test(`${name}: alone it decides, before the bake is over and when it is`, () => {
    for (const isOver of [false, true]) {
      const { decision, signal, reason } = judge(beforeOf(name), bad[name], DEFAULT_LIMITS, isOver);
      // What is slow for half of the requests is slow for 99 % of them too: the first one decides.
      assert.deepEqual([decision, signal], ['roll back', name], reason);
    }
  });

  test(`${name}: switched off, it does not decide`, () => {
    const without = name === 'p50' ? { ...DEFAULT_LIMITS, p50: null, p99: null } : { ...DEFAULT_LIMITS, [name]: null };
    assert.equal(judge(beforeOf(name), bad[name], without, true).decision, 'keep');
    assert.equal(judge(beforeOf(name), bad[name], only(name), true).signal, name);
  });

  test(`${name}: the same before the cutover is no reason`, () => {
    assert.equal(judge(bad[name], bad[name], DEFAULT_LIMITS, true).decision, 'keep');
  });
}

test('the reason is the measurement, what it was before, and the limit', () => {
  const before = withCpu(measure(5_100, { failed: 10, exits: 1 }), 1);
  const reasons: readonly [Measured | null, Measured, string][] = [
    [
      before,
      measure(220, { failed: 90 }),
      '41 % of 220 answers were 5xx, before 0.20 % of 5,100 (limit: 2x and 0.3 points more)'
    ],
    [
      null,
      measure(20, { failed: 20 }),
      '5xx: 100 % of 20 answers; nothing to compare with from before the cutover (limit: 50 %)'
    ],
    [
      { ...before, exits: 0 },
      measure(0, { exits: 2, spanMs: 1_800 }),
      'worker exits: 2 in 1.8 s; before the cutover 0 in 30 s (limit: 2x and 2 more)'
    ],
    [
      null,
      measure(0, { hangs: 1, spanMs: 16_000 }),
      'worker hangs: 1 in 16 s; nothing to compare with from before the cutover (limit: 1)'
    ],
    [
      before,
      measure(3_000, {}, [2_300]),
      'p50: 2,371 ms over 2,900 requests; before the cutover 5 ms over 5,100 (limit: 2x and 5 ms more, or 10x)'
    ],
    [
      before,
      measure(9, { loopDelayMs: 640 }),
      'event-loop delay: 640 ms; before the cutover 11 ms (limit: 3x and 500 ms more)'
    ],
    [
      { ...before, memoryPerMinuteBytes: -3 * MIB },
      measure(9, { memoryPerMinuteBytes: 300 * MIB }),
      'memory growth: 300 MiB a minute; before the cutover -3 MiB a minute (limit: 4x and 256 MiB a minute more)'
    ]
  ];
  for (const [earlier, after, reason] of reasons)
    assert.equal(judge(earlier, after, DEFAULT_LIMITS, false).reason.replace(/5\.\d ms over 5/, '5 ms over 5'), reason);
});

test('a verdict that keeps says what it was judged by', () => {
  const reasonOf = (after: Measured) => judge(usual, after, DEFAULT_LIMITS, true).reason;

  assert.equal(reasonOf(measure(0)), 'no request came: nothing to judge by');
  assert.match(
    reasonOf(measure(3_100, { failed: 6 })),
    /^3,100 requests in 30 s, 5xx 0\.19 %, cut short 0 %, p50 5\.\d ms, p99 5\.\d ms: no limit was reached$/
  );
});

test('before the bake is over nothing is kept, and when it is nothing is left open', () => {
  for (const after of [measure(0), measure(10_000), measure(3, { failed: 3 })]) {
    assert.equal(judge(usual, after, DEFAULT_LIMITS, false).decision, 'not yet');
    assert.equal(judge(usual, after, DEFAULT_LIMITS, true).decision, 'keep');
  }
});

test('a version that answers everything with 500 is rolled back within seconds, even at ten requests a second', () => {
  const after = measure(20, { failed: 20, spanMs: 2_000 });
  for (const before of [null, measure(3), measure(20), measure(300), measure(300, { failed: 6 })])
    assert.equal(judge(before, after, DEFAULT_LIMITS, false).signal, 'errors');
});

test('a version that is slow from the start is rolled back within seconds', () => {
  const after = measure(180, { spanMs: 6_000 }, [800]);
  assert.equal(judge(measure(900), after, DEFAULT_LIMITS, false).signal, 'p50');
});

test('one worker killed by hand is no reason; one that died of an error never seen before is', () => {
  const deaths = (kinds: readonly string[]) => kinds.map((kind) => ({ kind, said: `${kind} (/srv/app.js:3:9)` }));
  const decide = (fatal: string[], seen: string[]) =>
    judge({ ...usual, fatal: deaths(seen) }, measure(50, { exits: 1, fatal: deaths(fatal) }), DEFAULT_LIMITS, true);

  assert.equal(decide([], []).decision, 'keep');
  assert.equal(decide(['Error: read …'], ['Error: read …']).decision, 'keep');
  const { signal, reason } = decide(['TypeError: boom', 'Error: read …'], ['Error: read …']);
  assert.equal(signal, 'exits');
  assert.match(
    reason,
    /^a worker died of an error that no version had died of before: TypeError: boom \(\/srv\/app\.js:3:9\) \(limit: the first one\)$/
  );
});

test('a single request that is slow, fails or is cut short does not roll back, however few there are', () => {
  for (let requests = 1; requests < 300; requests += 1) {
    const slow = { ...measure(requests - 1), requests };
    const latency = slow.latency.map((count, index) => (index === BUCKETS_MS.length ? 1 : count));
    for (const after of [{ ...slow, latency }, measure(requests, { failed: 1 }), measure(requests - 1, { cut: 1 })])
      for (const before of [null, measure(requests), usual])
        for (const spanMs of [1_000, 5_000, 30_000, 600_000])
          assert.equal(judge(before, { ...after, spanMs }, DEFAULT_LIMITS, true).decision, 'keep');
  }
});

test('a start that is cold for two seconds does not roll back', () => {
  const rate = 100;
  for (let second = 1; second <= 30; second += 1) {
    const cold = measure(rate * Math.min(second, 2), { spanMs: 1_000 * Math.min(second, 2) }, [1_500]);
    const warm = measure(rate * Math.max(0, second - 2), { spanMs: 1_000 * Math.max(0, second - 2) });
    const latency = cold.latency.map((count, index) => count + (warm.latency[index] ?? 0));
    const later = warm.slices.filter(({ requests }) => requests > 0);
    const slices = [...cold.slices, ...later.map((slice) => ({ ...slice, atMs: slice.atMs + 2_000 }))];
    const loopDelayMs = second < 10 ? 900 : 12;
    const memoryPerMinuteBytes = second < 25 ? 900 * MIB : 90 * MIB;
    const more = { latency, slices, spanMs: second * 1_000, loopDelayMs, memoryPerMinuteBytes };
    assert.equal(judge(usual, measure(rate * second, more), DEFAULT_LIMITS, false).decision, 'not yet', `${second} s`);
  }
});

test('half a second that has only begun is not yet a third one that is slow', () => {
  const slow = measure(600, { spanMs: 2_500 }, [150]);
  assert.equal(judge(usual, { ...slow, spanMs: 2_200 }, DEFAULT_LIMITS, false).decision, 'not yet');
  assert.equal(judge(usual, slow, DEFAULT_LIMITS, false).signal, 'p50');
});

test('without anything to compare with, only what is too much by itself rolls back', () => {
  const decide = (after: Measured) => judge(null, after, DEFAULT_LIMITS, true).signal;

  assert.equal(decide(measure(100, { failed: 30 })), null);
  assert.equal(decide(measure(100, { failed: 60 })), 'errors');
  assert.equal(decide(measure(100, { cut: 900 })), null);
  assert.equal(decide(withCpu(measure(500, { loopDelayMs: 900, memoryPerMinuteBytes: 900 * MIB }, [9_000]), 9)), null);
  const [wide] = [SIGNALS.p99.limit];
  const p99 = { ...wide, absolute: 5_000 };
  assert.equal(judge(null, measure(2_000, {}, [9_000]), { ...DEFAULT_LIMITS, p99 }, true).signal, 'p99');
});

test('a value that was not measured is no reason', () => {
  const unknown = { loopDelayMs: null, memoryPerMinuteBytes: null };
  for (const before of [usual, { ...usual, ...unknown }])
    assert.equal(judge(before, measure(500, unknown), DEFAULT_LIMITS, true).decision, 'keep');
});

test('without data there is never a rollback, whatever was before', () => {
  const nothing: Measured = { ...measure(0), loopDelayMs: null, memoryPerMinuteBytes: null };
  const random = createRandom(1);
  for (let round = 0; round < 300; round += 1) {
    const before = random() < 0.1 ? null : anyMeasured(random);
    const { decision, signal } = judge(before, { ...nothing, spanMs: random() * 60_000 }, DEFAULT_LIMITS, true);
    assert.deepEqual([decision, signal], ['keep', null]);
  }
});

test('what gets worse never gets away: once it is rolled back for, anything worse is too', () => {
  let turned = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = createRandom(seed);
    const before = random() < 0.2 ? null : anyMeasured(random, 0.1);
    let after = anyMeasured(random, 0.1);
    let was = judge(before, after, DEFAULT_LIMITS, true).decision;
    for (let step = 0; step < 40; step += 1) {
      after = worsen(random, after);
      const { decision } = judge(before, after, DEFAULT_LIMITS, true);
      if (was === 'roll back') assert.equal(decision, 'roll back', `seed ${seed}, step ${step}`);
      else if (decision === 'roll back') turned += 1;
      was = decision;
    }
  }
  assert.ok(turned > 60, `only ${turned} turned bad`);
});

test('whatever is measured, a verdict is one of four and its reason has every number', () => {
  const odd = [0, 1, 0.5, 1e15, -1];
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = createRandom(seed);
    const strange = (from: Measured) => ({
      ...from,
      ...{ requests: pick(random, [from.requests, ...odd]), failed: pick(random, [from.failed, ...odd]) },
      ...{ cut: pick(random, [from.cut, ...odd]), spanMs: pick(random, [from.spanMs, ...odd]) },
      ...{ latency: pick(random, [from.latency, [], noLatency]), slices: pick(random, [from.slices, []]) },
      ...{ routes: pick(random, [from.routes, {}]), cpuMs: pick(random, [from.cpuMs, null, ...odd]) },
      ...{ loopDelayMs: pick(random, [null, ...odd]), rssBytes: pick(random, [null, ...odd]) },
      ...{ memoryPerMinuteBytes: pick(random, [null, ...odd]), climbPerMinuteBytes: pick(random, [null, ...odd]) },
      ...{ exits: pick(random, [0, 1e9]), uncaught: pick(random, [0, 1e9]), hangs: pick(random, [0, 1e9]) }
    });
    const [before, after] = [strange(anyMeasured(random)), strange(anyMeasured(random))] as Measured[];
    if (!before || !after) return;
    const { decision, reason } = judge(random() < 0.1 ? null : before, after, DEFAULT_LIMITS, random() < 0.5, 50);
    assert.ok(['keep', 'keep unseen', 'roll back', 'not yet'].includes(decision), decision);
    assert.doesNotMatch(reason, /NaN|Infinity|undefined|null/);
  }
});

test('errors are compared route by route: another mix of requests is not another quality', () => {
  const routes = (often: number, rare: number): Measured => ({
    ...measure(often + rare, { failed: rare / 10 }),
    routes: {
      'GET /good': { requests: often, failed: 0, refused: 0, latency: measure(often).latency },
      'GET /flaky/…': { requests: rare, failed: rare / 10, refused: 0, latency: measure(rare).latency }
    }
  });
  // Ten times as many requests for what fails once in ten, then and now.
  assert.equal(judge(routes(4_000, 100), routes(3_000, 1_000), DEFAULT_LIMITS, true).decision, 'keep');
  const before = { ...routes(4_000, 1_000), failed: 0 };
  const good = { requests: 1_000, failed: 0, refused: 0, latency: noLatency };
  const flaky = { ...before, routes: { ...before.routes, 'GET /flaky/…': good } };
  assert.match(
    judge(flaky, routes(4_000, 1_000), DEFAULT_LIMITS, true).reason,
    /^2\.0 % of 5,000 answers were 5xx, before 0 of 5,000; GET \/flaky\/… most of all /
  );
});

test('a version that has lost its routes, or knows nobody any more, is found; one whose clients try passwords is not', () => {
  const asked = (orders: number, lost: number, logins: number, wrong: number): Measured => ({
    ...measure(orders + logins),
    routes: {
      'GET /orders/…': { requests: orders, failed: 0, refused: lost, latency: noLatency },
      'POST /login': { requests: logins, failed: 0, refused: wrong, latency: noLatency }
    }
  });
  const before = asked(4_000, 40, 100, 20);
  const { signal, reason } = judge(before, asked(400, 400, 10, 2), DEFAULT_LIMITS, false);
  assert.equal(signal, 'refused');
  assert.match(
    reason,
    /^98 % of the answers on routes asked for before were 4xx, before 1\.5 %; GET \/orders\/… most of all /
  );
  // Somebody tries passwords all day: nearly every request is refused, and the version is as good as ever.
  assert.equal(judge(before, asked(400, 4, 9_000, 9_000), DEFAULT_LIMITS, true).decision, 'keep');
});

test('one route that is broken is found among many that are not', () => {
  const asked = (failed: number): Measured => ({
    ...measure(20_000, { failed }),
    routes: {
      'GET /': { requests: 19_980, failed: 0, refused: 0, latency: noLatency },
      'POST /pay': { requests: 20, failed, refused: 0, latency: noLatency }
    }
  });
  const { signal, reason } = judge(asked(0), asked(18), DEFAULT_LIMITS, false);
  assert.equal(signal, 'errors');
  assert.match(reason, /^90 % of 20 answers to POST \/pay were 5xx, before 0 of 20 /);
});

test('what the version before was not asked for is not held against the new one, and is said', () => {
  const asked = (name: string, requests: number, failed: number, took: number): Measured => {
    const measured = measure(requests, { failed }, [took]);
    return { ...measured, routes: { [name]: { requests, failed, refused: 0, latency: measured.latency } } };
  };
  const { decision, reason } = judge(
    asked('GET /', 900, 0, 5),
    asked('GET /night', 900, 90, 900),
    DEFAULT_LIMITS,
    true
  );
  assert.equal(decision, 'keep');
  assert.match(reason, /; 100 % of them were for what was not asked for before, and not compared$/);
  assert.equal(judge(asked('GET /', 900, 0, 5), asked('GET /new', 900, 600, 5), DEFAULT_LIMITS, true).signal, 'errors');
});

test('memory that climbs far above what the version before took does not wait for its time', () => {
  const before = { ...usual, rssBytes: 90 * MIB };
  const climbing = { spanMs: 4_000, climbPerMinuteBytes: 3_000 * MIB };
  const after = (rssBytes: number) => measure(2_000, { ...climbing, rssBytes });
  assert.match(
    judge(before, after(260 * MIB), DEFAULT_LIMITS, false).reason,
    /^memory: a worker takes 260 MiB and grows by 50 MiB a second; before the cutover the largest took 90 MiB /
  );
  // A cache that fills again is no leak.
  assert.equal(judge({ ...before, rssBytes: 900 * MIB }, after(260 * MIB), DEFAULT_LIMITS, false).decision, 'not yet');
});

test('with fewer requests than were wanted, a version is kept unseen', () => {
  const decide = (count: number) => judge(usual, measure(count, { spanMs: 3_000 }), DEFAULT_LIMITS, true, 50);
  assert.deepEqual(
    [decide(12).decision, decide(12).reason],
    ['keep unseen', 'kept unseen: 12 requests in 3 s, too few to see anything']
  );
  assert.equal(decide(0).reason, 'kept unseen: no request came: nothing to judge by');
  assert.equal(decide(50).decision, 'keep');
});

test('a percentile is the bound of the bucket that it lies in', () => {
  assert.equal(percentile(noLatency, 0.5), null);
  assert.equal(percentile([], 0.5), null);
  const one = measure(1, {}, [5]).latency;
  for (const share of [0, 0.5, 0.99, 1]) assert.equal(percentile(one, share), BUCKETS_MS[bucketOf(5)]);
  const hundred = measure(100, {}, [...Array.from({ length: 98 }, () => 1), 700, 90_000]).latency;
  assert.equal(percentile(hundred, 0.5), BUCKETS_MS[bucketOf(1)]);
  assert.equal(percentile(hundred, 0.98), BUCKETS_MS[bucketOf(1)]);
  assert.equal(percentile(hundred, 0.99), BUCKETS_MS[bucketOf(700)]);
  assert.equal(percentile(hundred, 1), 60_000);
});

test('the buckets go from 0.1 ms to 60 s in steps of about 10 %', () => {
  assert.deepEqual([BUCKETS_MS[0], BUCKETS_MS.at(-1)], [0.1, 60_000]);
  for (const [index, bound] of BUCKETS_MS.slice(1).entries()) {
    const step = bound / (BUCKETS_MS[index] ?? Number.NaN);
    assert.ok(step > 1.09 && step < 1.11, `${step}`);
  }
});

/** Anything that could be measured; `rough` is how likely each thing goes wrong. */
function anyMeasured(random: Random, rough = 0.5): Measured {
  const seconds = Math.ceil(random() * 30);
  const lived = new Habit(Math.floor(random() * 1e9)).lived(seconds, random() < rough ? { failedShare: random() } : {});
  const some = (most: number) => (random() < rough ? Math.floor(random() * most) : 0);
  return {
    ...lived,
    loopDelayMs: random() < 0.2 ? null : random() * 50,
    uncaught: some(30),
    exits: some(5),
    hangs: some(3),
    memoryPerMinuteBytes: random() < 0.2 ? null : random() * 100 * MIB
  };
}

/** The same, and one thing of it worse. */
function worsen(random: Random, after: Measured): Measured {
  const { slices } = after;
  const more = 1 + Math.floor(random() * 20);
  const later = (): Partial<Measured> => {
    const index = Math.floor(random() * slices.length);
    const slice = slices[index];
    if (!slice) return {};
    const from = Math.floor(random() * slice.latency.length);
    const moved = Math.min(slice.latency[from] ?? 0, more * 5);
    const to = Math.min(slice.latency.length - 1, from + Math.floor(random() * 80));
    const move = (counts: readonly number[]) =>
      counts.map((count, at) => count + (at === to ? moved : 0) - (at === from ? moved : 0));
    const slower = slices.map((one, at) => (at === index ? { ...one, latency: move(one.latency) } : one));
    return { latency: move(after.latency), slices: slower };
  };
  const busier = slices.map((slice) => ({ ...slice, cpuMs: slice.cpuMs + more * slice.requests }));
  const failing = pick(random, Object.keys(after.routes)) ?? '';
  const route = after.routes[failing];
  const fails = Math.min(more, (route?.requests ?? 0) - (route?.failed ?? 0));
  const worse: readonly Partial<Measured>[] = [
    { exits: after.exits + 1 },
    { hangs: after.hangs + 1 },
    { uncaught: after.uncaught + more },
    route
      ? {
          failed: after.failed + fails,
          routes: { ...after.routes, [failing]: { ...route, failed: route.failed + fails } }
        }
      : {},
    { cut: after.cut + more },
    later(),
    later(),
    later(),
    { slices: busier, cpuMs: (after.cpuMs ?? 0) + more * after.requests },
    { fatal: [...after.fatal, { kind: 'Error: another', said: '' }], exits: Math.max(1, after.exits) },
    { climbPerMinuteBytes: (after.climbPerMinuteBytes ?? 0) + 900 * MIB, rssBytes: (after.rssBytes ?? 0) + 200 * MIB },
    { loopDelayMs: after.loopDelayMs === null ? null : after.loopDelayMs * 1.5 },
    { memoryPerMinuteBytes: after.memoryPerMinuteBytes === null ? null : after.memoryPerMinuteBytes + more * MIB }
  ];
  return { ...after, ...pick(random, worse) };
}
