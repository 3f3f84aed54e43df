import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BUCKETS_MS } from '../../../src/core/verdict/histogram.ts';
import { Watchdog, type WatchdogLimits } from '../../../src/host/measure/watchdog.ts';
import type { Sample, ToWorker } from '../../../src/protocol/messages.ts';

const nothing: Sample = {
  ...{ requests: 0, redirected: 0, refused: 0, failed: 0, cut: 0, uncaught: 0, cpuMs: 0, rssBytes: 50_000_000 },
  ...{ latency: [], loop: [], routes: [] }
};
const off: WatchdogLimits = { hangMs: 15_000, keepMs: 60_000, maxMemoryBytes: null, standbyShare: 0 };

/** Workers that exist on paper only, and a clock that goes when it is told to; what is told is written down. */
class Ward {
  readonly told: string[] = [];
  /** What a worker answers when it is asked; one that is not here is silent. */
  readonly answers = new Map<string, Partial<Sample>>();
  available: number | null = 0.5;
  now = 1_000_000;
  readonly vitals: Watchdog;

  constructor(limits: Partial<WatchdogLimits> = {}) {
    this.vitals = new Watchdog(
      { ...off, ...limits },
      {
        now: () => this.now,
        onMeasured: () => {},
        readRoom: () => null,
        onGrowth: () => {},
        onHung: (worker, silentMs) => this.told.push(`${worker} hangs for ${silentMs}`),
        onHeavy: (worker, rssBytes) => this.told.push(`${worker} has ${rssBytes}`),
        onLowMemory: (share) => this.told.push(`only ${share} is left`),
        readAvailable: () => this.available
      }
    );
  }

  add(id: string): this {
    this.answers.set(id, {});
    const send = (message: ToWorker) => {
      assert.equal(message.type, 'sample');
      const answer = this.answers.get(id);
      if (answer && 'ask' in message) this.answer(id, answer, Number(message.ask));
    };
    this.vitals.watch({ id, generation: Number.parseInt(id, 10), process: { send } });
    return this;
  }

  answer(id: string, sample: Partial<Sample>, ask = 0): void {
    this.vitals.take(id, { type: 'sampled', ask, ...nothing, ...sample });
  }

  /** Lets seconds pass, as the supervisor sees them. */
  async pass(seconds: number, eachMs = 1_000): Promise<void> {
    for (let count = 0; count < seconds; count += 1) {
      this.now += eachMs;
      this.vitals.tick();
      await turn(); // memory is read in the background
    }
  }

  measured(generation: number, lastMs = 60_000) {
    return this.vitals.measured(generation, this.now - lastMs, this.now);
  }

  /** What was told since the last look. */
  look(): string[] {
    return this.told.splice(0);
  }
}

test('a worker that answers is never silent', async () => {
  const ward = new Ward().add('6.1');
  await ward.pass(100);

  assert.deepEqual([ward.vitals.silentMs('6.1'), ward.look()], [null, []]);
});

test('a worker that does not answer is silent from the ask on, and hangs when the timeout is reached', async () => {
  const ward = new Ward().add('6.1').add('6.2');
  await ward.pass(3);
  ward.answers.delete('6.1');
  await ward.pass(2);
  assert.equal(ward.vitals.silentMs('6.1'), null);
  await ward.pass(1);
  assert.equal(ward.vitals.silentMs('6.1'), 2_000);
  await ward.pass(12);
  assert.deepEqual(ward.look(), []);

  await ward.pass(1);
  assert.deepEqual(ward.look(), ['6.1 hangs for 15000']);
  assert.deepEqual([ward.vitals.silentMs('6.2'), ward.measured(6).hangs], [null, 1]);
});

test('a hang is told once, and again only when the worker has answered in between', async () => {
  const ward = new Ward({ hangMs: 3_000 }).add('6.1');
  ward.answers.delete('6.1');
  await ward.pass(30);
  assert.equal(ward.look().length, 1);

  ward.answer('6.1', {});
  assert.equal(ward.vitals.silentMs('6.1'), null);
  await ward.pass(30);
  assert.equal(ward.look().length, 1);
});

test('with a hang timeout of 0 nobody hangs, and silence is still shown', async () => {
  const ward = new Ward({ hangMs: 0 }).add('6.1');
  ward.answers.delete('6.1');
  await ward.pass(101);

  assert.deepEqual([ward.look(), ward.vitals.silentMs('6.1')], [[], 100_000]);
});

test('time in which the supervisor stood still is nobody’s silence', async () => {
  const ward = new Ward().add('6.1');
  ward.answers.delete('6.1');
  await ward.pass(10);
  ward.now += 3_600_000; // SIGSTOP, a suspended laptop, a blocked loop
  assert.equal(ward.vitals.silentMs('6.1'), 9_000);
  await ward.pass(1);
  assert.deepEqual([ward.vitals.silentMs('6.1'), ward.look()], [null, []]);

  await ward.pass(14);
  assert.deepEqual(ward.look(), []);
  await ward.pass(1);
  assert.deepEqual(ward.look(), ['6.1 hangs for 15000']);
});

test('a supervisor that is always late calls nobody hung', async () => {
  const ward = new Ward({ hangMs: 5_000 }).add('6.1');
  ward.answers.delete('6.1');
  await ward.pass(50, 2_500);

  assert.deepEqual(ward.look(), []);
});

test('a worker that is forgotten is not asked, not silent and not heard', async () => {
  const ward = new Ward().add('6.1');
  ward.answers.delete('6.1');
  await ward.pass(5);
  ward.vitals.forget('6.1');
  ward.answer('6.1', { requests: 5 });
  await ward.pass(50);

  assert.deepEqual([ward.look(), ward.vitals.silentMs('6.1'), ward.vitals.totals(6).requests], [[], null, 0]);
});

test('what the workers of a generation did is added up, and that of another is not', async () => {
  const ward = new Ward().add('6.1').add('6.2').add('7.1');
  ward.answers.set('6.1', { requests: 10, failed: 1, latency: [0, 4, 70, 6] });
  ward.answers.set('6.2', { requests: 5, cut: 2, uncaught: 1, latency: [70, 2, 141, 1] });
  ward.answers.set('7.1', { requests: 1_000, latency: [3, 1_000] });
  await ward.pass(2);

  const { latency, slices, routes, cpuMs, fatal, ...rest } = ward.measured(6);
  assert.deepEqual([slices.length, routes, cpuMs, fatal], [2, {}, 0, []]);
  assert.deepEqual(rest, {
    spanMs: 2_000,
    requests: 30,
    failed: 2,
    cut: 4,
    loopDelayMs: null,
    standbyDelayMs: null,
    rssBytes: 50_000_000,
    climbPerMinuteBytes: null,
    uncaught: 2,
    exits: 0,
    hangs: 0,
    memoryPerMinuteBytes: null
  });
  assert.equal(latency.length, BUCKETS_MS.length + 1);
  assert.deepEqual([latency[0], latency[3], latency[70], latency[141]], [8, 0, 16, 2]);
});

test('only the window that is asked for counts, and only as long as it was watched', async () => {
  const ward = new Ward().add('6.1');
  ward.answers.set('6.1', { requests: 1 });
  await ward.pass(20);

  assert.equal(ward.measured(6, 5_000).requests, 5);
  assert.equal(ward.measured(6, 5_000).spanMs, 5_000);
  assert.equal(ward.measured(6, 50_000).requests, 20);
  assert.equal(ward.measured(6, 50_000).spanMs, 20_000);
  assert.equal(ward.vitals.measured(6, ward.now - 15_000, ward.now - 10_000).requests, 5);
  assert.equal(ward.vitals.measured(9, 0, ward.now).requests, 0);
});

test('seconds are let go of when they are old; the totals stay, also when the workers are gone', async () => {
  const ward = new Ward({ keepMs: 10_000 }).add('6.1');
  ward.answers.set('6.1', { requests: 10, failed: 1, cut: 2 });
  await ward.pass(30);
  assert.ok(ward.measured(6).requests <= 110);

  ward.vitals.forget('6.1');
  await ward.pass(30);
  assert.equal(ward.measured(6).requests, 0);
  assert.deepEqual(ward.vitals.totals(6), { requests: 360, failed: 90 });
  assert.deepEqual(ward.vitals.totals(5), { requests: 0, failed: 0 });
});

test('exits that are told are counted', async () => {
  const ward = new Ward().add('6.1');
  ward.vitals.onExit(6);
  ward.vitals.onExit(6);

  assert.equal(ward.measured(6).exits, 2);
});

test('one hiccup is not the delay of the event loop, and one bad worker of three is', async () => {
  const [fine, bad] = [10, 80];
  const ward = new Ward().add('6.1').add('7.1').add('7.2').add('7.3');
  for (const id of ['6.1', '7.1', '7.2', '7.3']) ward.answers.set(id, { loop: [fine, 50] });
  await ward.pass(10);
  ward.answers.set('6.1', { loop: [fine, 40, bad, 1] });
  ward.answers.set('7.3', { loop: [fine, 45, bad, 5] });
  await ward.pass(1);
  ward.answers.set('6.1', { loop: [fine, 50] });
  await ward.pass(19);

  assert.deepEqual(
    [6, 7].map((id) => ward.measured(id).loopDelayMs),
    [BUCKETS_MS[fine], BUCKETS_MS[bad]]
  );
});

test('memory that grows is a slope, that of the worker that grows fastest; memory that does not is none', async () => {
  const ward = new Ward().add('6.1').add('7.1').add('7.2');
  for (let second = 0; second < 30; second += 1) {
    ward.answers.set('7.1', { rssBytes: 50_000_000 + 1_000 * second });
    await ward.pass(1);
  }
  assert.ok(Math.abs(ward.measured(6).memoryPerMinuteBytes ?? 1e9) < 10);
  const { memoryPerMinuteBytes, climbPerMinuteBytes, rssBytes } = ward.measured(7);
  assert.deepEqual(
    [memoryPerMinuteBytes, climbPerMinuteBytes, rssBytes].map((one) => Math.round(one ?? 0)),
    [60_000, 60_000, 50_029_000]
  );
});

test('before there is enough to tell, memory has no slope', async () => {
  const ward = new Ward().add('6.1');
  await ward.pass(3);
  const { memoryPerMinuteBytes, climbPerMinuteBytes } = ward.measured(6);
  assert.deepEqual([memoryPerMinuteBytes, climbPerMinuteBytes], [null, null]);
});

test('what workers did adds up alike, in whichever order they answer', async () => {
  const answers: [string, Partial<Sample>][] = [
    ['6.1', { requests: 3, failed: 1, cpuMs: 5, latency: [3, 3], routes: [['GET /', 3, 1, [3, 3], 0]] }],
    [
      '6.2',
      {
        requests: 2,
        cut: 1,
        cpuMs: 2,
        latency: [3, 1, 9, 1],
        routes: [
          ['GET /', 1, 0, [3, 1], 0],
          ['POST /', 1, 0, [9, 1], 0]
        ]
      }
    ],
    ['6.3', { requests: 9, cpuMs: 1, latency: [9, 9], loop: [4, 2], routes: [['other', 9, 0, [9, 9], 0]] }]
  ];
  const measure = (order: typeof answers) => {
    const ward = new Ward().add('6.1').add('6.2').add('6.3');
    ward.now += 700;
    for (const [worker, sample] of order) ward.answer(worker, sample);
    return ward.measured(6, 1_000);
  };
  const [one, two, three] = answers as [(typeof answers)[number], (typeof answers)[number], (typeof answers)[number]];
  const first = measure([one, two, three]);
  for (const order of [
    [three, two, one],
    [two, one, three],
    [three, one, two]
  ])
    assert.deepEqual(measure(order), first);
  assert.deepEqual([first.requests, first.failed, first.cut, first.cpuMs], [14, 1, 1, 8]);
  assert.deepEqual([first.routes['GET /']?.requests, first.slices.length], [4, 1]);
});

test('what a worker died of is remembered by its kind, for the versions after it', () => {
  const ward = new Ward().add('6.1').add('7.1');
  ward.vitals.onFatal('6.1', 'TypeError: cannot read "a" of row 17 (/srv/app.js:3:9)');
  ward.vitals.onExit(6);
  ward.vitals.onFatal('7.1', 'TypeError: cannot read "b" of row 8 (/srv/app.js:9:1)');
  const kindsOf = (deaths: readonly { kind: string }[]) => deaths.map(({ kind }) => kind);
  assert.deepEqual(kindsOf(ward.measured(7).fatal), kindsOf(ward.vitals.deathsBeside(7)));
  assert.deepEqual([ward.measured(6).exits, ward.vitals.deathsBeside(6)], [1, []]);
});

test('a worker above its memory for six readings in a row is told, again every 30 s while it stays', async () => {
  const ward = new Ward({ maxMemoryBytes: 100 }).add('6.1').add('6.2').add('6.3');
  ward.answers.set('6.1', { rssBytes: 100 }).set('6.2', { rssBytes: 101 });
  ward.answers.set('6.3', { rssBytes: 0 });
  await ward.pass(4);
  assert.deepEqual(ward.look(), []);
  await ward.pass(2);
  assert.deepEqual(ward.look(), ['6.2 has 101']);
  await ward.pass(28);
  assert.deepEqual(ward.look(), []);
  await ward.pass(2);
  assert.deepEqual(ward.look(), ['6.2 has 101']);
});

test('a worker whose memory goes down in between is not told', async () => {
  const ward = new Ward({ maxMemoryBytes: 100 }).add('6.1');
  for (let round = 0; round < 10; round += 1) {
    ward.answers.set('6.1', { rssBytes: 500 });
    await ward.pass(4);
    ward.answers.set('6.1', { rssBytes: 50 });
    await ward.pass(2);
  }

  assert.deepEqual(ward.look(), []);
});

test('a machine without memory to spare is told after six readings, again every 30 s while it stays', async () => {
  const ward = new Ward({ standbyShare: 0.1 }).add('6.1');
  ward.available = 0.1;
  await ward.pass(10);
  ward.available = null; // not told: nothing is known
  await ward.pass(10);
  ward.available = 0.09;
  await ward.pass(5);
  assert.deepEqual(ward.look(), []);
  await ward.pass(1);
  assert.deepEqual(ward.look(), ['only 0.09 is left']);
  await ward.pass(30);
  assert.deepEqual(ward.look(), ['only 0.09 is left']);
});

test('the machine is not looked at where that is switched off', async () => {
  const ward = new Ward().add('6.1');
  ward.available = 0;
  await ward.pass(100);

  assert.deepEqual(ward.look(), []);
});
