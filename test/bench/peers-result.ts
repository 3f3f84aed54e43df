import type { PeersResult, Spread, SystemResult } from '../../bench/peers/result.ts';

// What a whole run might have found: some systems lose, some were not measured in part, some not at all.

const BUCKETS = 260;
const DEPLOYS = [3_000, 8_000, 13_000, 18_000];
const ROLLBACKS = [22_500];
const SHARES = [0.5, 0.9, 0.99, 0.999, 1];
const NONE = {
  refused: 0,
  reset: 0,
  closedWithoutAnswer: 0,
  cutShort: 0,
  serverError: 0,
  badAnswer: 0,
  timeout: 0,
  answeredTwice: 0,
  wrongVersion: 0
};

interface Sketch extends Pick<SystemResult, 'id' | 'name' | 'note'> {
  readonly failures?: Partial<SystemResult['failures']>;
  /** Buckets after a deploy in which requests fail, and how many are answered meanwhile. */
  readonly hurt?: { readonly buckets: number; readonly each: number; readonly answersShare: number };
  readonly answers: number;
  readonly reconnects?: number;
  readonly deployMs: number;
  readonly rollbackMs: number | null;
  readonly kept: number;
  readonly fresh: number;
  readonly p99: readonly [aroundMs: number, steadyMs: number];
  readonly megabytes: readonly [rest: number, peak: number];
  readonly death: SystemResult['death'];
  readonly troubles?: readonly string[];
}

const around = (median: number, count = 12): Spread => ({ median, low: median * 0.96, high: median * 1.05, count });

/** The same numbers at each run: a wave, and no chance. */
const wave = (at: number) => Math.sin(at * 12.9898) * 0.5 + Math.sin(at * 0.7) * 0.5;

function timelineOf({ answers, hurt }: Sketch): NonNullable<SystemResult['timeline']> {
  const isHurt = (at: number) =>
    hurt !== undefined && DEPLOYS.some((deploy) => at >= deploy / 100 + 4 && at < deploy / 100 + 4 + hurt.buckets);
  const buckets = Array.from({ length: BUCKETS }, (_, at) => at);
  return {
    bucketMs: 100,
    answers: buckets.map((at) =>
      Math.max(0, Math.round((answers + wave(at) * answers * 0.12) * (isHurt(at) ? (hurt?.answersShare ?? 1) : 1)))
    ),
    failures: buckets.map((at) => (isHurt(at) ? (hurt?.each ?? 0) : 0)),
    deploysMs: DEPLOYS,
    rollbacksMs: ROLLBACKS
  };
}

function memoryOf([rest, peak]: Sketch['megabytes']): NonNullable<SystemResult['memory']> {
  const megabytes = (at: number) => (at > 5 && at < 32 ? peak - (32 - at) * 0.2 : rest) + wave(at);
  return {
    restBytes: rest * 1e6,
    peakBytes: peak * 1e6,
    series: Array.from({ length: 60 }, (_, at) => ({ atMs: (at - 5) * 100, bytes: Math.round(megabytes(at) * 1e6) }))
  };
}

function draw(sketch: Sketch): SystemResult {
  const [aroundMs, steadyMs] = sketch.p99;
  return {
    id: sketch.id,
    name: sketch.name,
    note: sketch.note,
    config: `bench/peers/systems/${sketch.id}.ts`,
    skipped: null,
    failures: { ...NONE, ...sketch.failures },
    requests: sketch.answers * BUCKETS * 3,
    complete: true,
    idleReconnects: sketch.reconnects ?? 0,
    deploys: 12,
    rollbacks: sketch.rollbackMs === null ? 0 : 3,
    deployMs: around(sketch.deployMs),
    rollbackMs: sketch.rollbackMs === null ? null : around(sketch.rollbackMs, 3),
    rollbackNote:
      sketch.rollbackMs === null ? 'It keeps no earlier version.' : 'The earlier version is deployed again.',
    keptAliveShare: around(sketch.kept),
    freshShare: around(sketch.fresh),
    p99: { aroundMs, steadyMs, ratio: aroundMs / steadyMs },
    latency: SHARES.map((share, index) => ({
      share,
      aroundMs: aroundMs * ([0.05, 0.3, 1, 2.1, 3][index] ?? 1),
      steadyMs: steadyMs * ([0.2, 0.5, 1, 1.8, 2.6][index] ?? 1)
    })),
    slices: Array.from({ length: 30 }, (_, index) => ({
      fromMs: index * 50 - 500,
      p99Ms: index === 9 && sketch.failures ? null : index === 10 ? aroundMs : steadyMs
    })),
    memory: memoryOf(sketch.megabytes),
    death: sketch.death,
    autocannon: { sent: 48_120, answered: 48_120, errors: 0 },
    timeline: timelineOf(sketch),
    troubles: sketch.troubles ?? [],
    examples: sketch.failures ? ['refused fresh2-118 GET /answer: ECONNREFUSED'] : []
  };
}

function skip(id: string, name: string, why: string, install: string): SystemResult {
  return {
    id,
    name,
    note: 'A system that this machine does not have.',
    config: `bench/peers/systems/${id}.ts`,
    skipped: { why, install },
    failures: NONE,
    requests: 0,
    complete: false,
    idleReconnects: 0,
    deploys: 0,
    rollbacks: 0,
    deployMs: null,
    rollbackMs: null,
    rollbackNote: null,
    keptAliveShare: null,
    freshShare: null,
    p99: null,
    latency: [],
    memory: null,
    death: null,
    autocannon: null,
    timeline: null,
    troubles: [],
    examples: []
  };
}

const gone = (failed: number, downMs: number | null, note: string) => ({ failed, downMs, inChargeMs: downMs, note });

const SYSTEMS: readonly SystemResult[] = [
  draw({
    id: 'kill-and-start',
    name: 'kill and start',
    note: 'SIGTERM to the old version, then the new one: what many deploy scripts do.',
    failures: { refused: 46_411, reset: 57, closedWithoutAnswer: 21, cutShort: 12 },
    hurt: { buckets: 4, each: 210, answersShare: 0 },
    answers: 96,
    reconnects: 300,
    deployMs: 412,
    rollbackMs: 407,
    kept: 1,
    fresh: 1,
    p99: [420, 4.1],
    megabytes: [58, 61],
    death: gone(5_120, null, 'Nobody starts it again.')
  }),
  draw({
    id: 'cluster',
    name: 'node:cluster, rolled by hand',
    note: 'Two workers, replaced one after the other.',
    failures: { reset: 38, closedWithoutAnswer: 13 },
    hurt: { buckets: 2, each: 4, answersShare: 0.8 },
    answers: 94,
    reconnects: 281,
    deployMs: 690,
    rollbackMs: 702,
    kept: 0.96,
    fresh: 0.53,
    p99: [58, 4.4],
    megabytes: [142, 201],
    death: gone(4_900, null, 'Nobody starts it again.')
  }),
  draw({
    id: 'pm2',
    name: 'PM2 reload, as its docs advise',
    note: 'Cluster mode, wait_ready, listen_timeout, kill_timeout.',
    failures: { reset: 31, closedWithoutAnswer: 21 },
    hurt: { buckets: 3, each: 2, answersShare: 0.85 },
    answers: 92,
    reconnects: 297,
    deployMs: 5_510,
    rollbackMs: 5_480,
    kept: 0.88,
    fresh: 0.42,
    p99: [71, 5.2],
    megabytes: [168, 232],
    death: gone(0, 0, 'Its daemon only watches; the workers share its socket.')
  }),
  draw({
    id: 'pm2-default',
    name: 'PM2 reload, default settings',
    note: 'Nothing but pm2 start and pm2 reload.',
    failures: { refused: 2, reset: 411, closedWithoutAnswer: 160, cutShort: 44, timeout: 1 },
    hurt: { buckets: 5, each: 14, answersShare: 0.6 },
    answers: 91,
    reconnects: 300,
    deployMs: 3_240,
    rollbackMs: 3_190,
    kept: 0.88,
    fresh: 0.43,
    p99: [103, 5.3],
    megabytes: [166, 229],
    death: gone(12, 340, 'The daemon starts its workers again when it is back.'),
    troubles: ['deploy 3 of round 2 ended with exit code 1']
  }),
  draw({
    id: 'nginx-simple',
    name: 'nginx, two ports, as tutorials have it',
    note: 'Health check, nginx -s reload, the old version is stopped after half a second.',
    failures: { serverError: 10, reset: 21, closedWithoutAnswer: 16 },
    hurt: { buckets: 2, each: 3, answersShare: 0.9 },
    answers: 88,
    reconnects: 120,
    deployMs: 1_105,
    rollbackMs: 1_090,
    kept: 0.47,
    fresh: 1.87,
    p99: [44, 6.8],
    megabytes: [81, 142],
    death: gone(3_011, 190, 'The service manager starts it again.')
  }),
  draw({
    id: 'haproxy',
    name: 'HAProxy, switched by its runtime API',
    note: 'drain, then maint; both versions behind one backend.',
    answers: 89,
    deployMs: 1_450,
    rollbackMs: 38,
    kept: 0.5,
    fresh: 0.77,
    p99: [9.1, 6.4],
    megabytes: [79, 138],
    death: gone(2_870, 205, 'The service manager starts it again.')
  }),
  skip('watt', 'Watt (wattpm) restart', 'it needs Node 22.19 or later', 'npm ci --prefix bench/peers'),
  {
    ...draw({
      id: 'socket-passing',
      name: 'socket passing, plain restart',
      note: 'As systemd does: the socket stays open, requests wait for the new version in its queue.',
      failures: { reset: 60, closedWithoutAnswer: 25, cutShort: 11 },
      hurt: { buckets: 3, each: 8, answersShare: 0 },
      answers: 95,
      reconnects: 300,
      deployMs: 398,
      rollbackMs: null,
      kept: 1,
      fresh: 0.99,
      p99: [380, 4.2],
      megabytes: [60, 66],
      death: null
    }),
    memory: null,
    troubles: ['memory: a process was gone before it was read', 'death: the watch was broken off']
  },
  draw({
    id: 'handover',
    name: 'handover, one worker',
    note: 'The strategy blue-green, which is the default.',
    answers: 95,
    deployMs: 520,
    rollbackMs: 2.1,
    kept: 0.99,
    fresh: 0.97,
    p99: [7.4, 4.2],
    megabytes: [104, 158],
    death: gone(0, 0, 'The workers go on serving; the next supervisor finds them.')
  }),
  {
    ...draw({
      id: 'handover-two',
      name: 'handover, two workers',
      note: 'The same with two workers on one socket.',
      answers: 96,
      deployMs: 610,
      rollbackMs: 2.6,
      kept: 1.02,
      fresh: 1.01,
      p99: [8.8, 4.6],
      megabytes: [151, 252],
      death: gone(0, 0, 'The workers go on serving; the next supervisor finds them.')
    }),
    steadyAs: 'handover'
  },
  skip('handover-in-place', 'handover, in place', 'this build refuses --strategy', 'npm run build')
];

/** A result with every kind of row in it. */
export const SAMPLE: PeersResult = {
  date: '2025-03-14T09:26:53.000Z',
  machine: {
    cpu: 'Sample CPU @ 2.80GHz',
    cores: 2,
    memoryBytes: 25_270_000_000,
    os: 'Linux 6.1.0',
    node: 'v20.20.2'
  },
  versions: { handover: '0.1.0', nginx: '1.22.1', haproxy: '2.6.12', pm2: '7.0.4', autocannon: '8.0.0' },
  settings: {
    quick: false,
    rounds: 3,
    deploys: 4,
    pauseMs: 2_000,
    graceMs: 1_000,
    drainMs: 5_000,
    clients: { idle: 100, thinking: 100, busy: 4, fresh: 3, slow: 10, uploading: 5, pipelining: 2 },
    requestTimeoutMs: 15_000,
    keptConnections: 64,
    freshTogether: 16,
    latencyRate: 500
  },
  systems: SYSTEMS
};
