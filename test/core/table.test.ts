import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { On } from '../../src/core/rules/rule.ts';
import { areAll, rolesOf } from '../../src/core/state/generations.ts';
import type { Event, EventType, Phase, State } from '../../src/core/state/state.ts';
import { step } from '../../src/core/step.ts';
import { table } from '../../src/core/table.ts';
import { NOTHING_MEASURED } from '../../src/core/verdict/measured.ts';
import { play } from './player.ts';
import { brokenPromises } from './promises.ts';
import { release } from './script.ts';

const twoSteady = ['with workers=2', 'steady active=6 standby=5'];
const twoReady = [...twoSteady, 'reload ./v7.js', 'ready 7.1', 'ready 7.2'];
const twoPausing = [...twoReady, 'accepting 7.1', 'accepting 7.2'];
const firstReady = ['with workers=2', 'stopped', 'boot ./v1.js', 'ready 1.1', 'ready 1.2'];

const checked = [
  'with workers=2 checkMs=20000',
  'steady active=6 standby=5',
  'reload ./v7.js',
  'ready 7.1',
  'ready 7.2'
];

const baking = ['with workers=2 bakeMs=30000', ...twoPausing.slice(1), 'paused 6.1', 'paused 6.2'];
const exclusive = [
  'with workers=2 strategy=exclusive migrateMs=60000',
  ...['steady active=6 standby=5', 'reload ./v7.js', 'ready 7.1', 'ready 7.2']
];
const canary = ['with workers=2', 'steady active=6 standby=5', 'reload ./v7.js canary=5%,50%'];
const rolling = ['with workers=2 strategy=rolling', 'steady active=6 standby=5', 'reload ./v7.js'];
const inPlace = ['with workers=2 strategy=in-place', 'steady active=6', 'reload ./v7.js'];

/** Several ways into each phase. A phase that is typed and has none here does not compile. */
const ways: { readonly [P in Phase]: readonly (readonly string[])[] } = {
  booting: [
    ['with checkMs=20000', 'stopped', 'boot ./v1.js', 'ready 1.1'],
    ['stopped', 'boot ./v1.js'],
    firstReady,
    [...firstReady, 'accepting 1.1'],
    [...firstReady.slice(0, -1)]
  ],
  steady: [
    ['steady active=6'],
    twoSteady,
    [...twoPausing, 'paused 6.1', 'paused 6.2'],
    [...twoSteady, 'exited 6.1'],
    [...twoSteady, 'exited 6.1', 'exited 6.2'],
    [...twoSteady, 'exited 6.1', 'restart-due 6'],
    [...twoSteady, 'exited 6.1', 'restart-due 6', 'worker-overdue 6.3'],
    [...twoSteady, 'exited 5.1', 'exited 5.2'],
    [...twoSteady, 'exited 5.1', 'restart-due 5'],
    ['with keepWarmMs=0', 'steady active=6', 'reload ./v7.js', 'ready 7.1', 'accepting 7.1', 'paused 6.1'],
    baking,
    [...baking, 'handed 6.1', 'handed 6.2'],
    [...twoSteady, 'scale 3'],
    [...twoSteady, 'scale 1'],
    [...twoSteady, 'heavy 6.1'],
    [...twoSteady, 'heavy 6.1', 'ready 6.3', 'accepting 6.3'],
    [...twoSteady, 'hung 6.1']
  ],
  starting: [
    ['steady active=6', 'reload ./v7.js'],
    [...twoSteady, 'reload ./v7.js', 'ready 7.1'],
    [...twoSteady, 'exited 6.1', 'reload ./v7.js', 'restart-due 6'],
    [...twoSteady, 'reload ./v7.js', 'exited 6.1', 'exited 6.2']
  ],
  checking: [checked, [...checked.slice(0, -1), 'exited 6.1', 'exited 6.2', checked.at(-1) ?? '']],
  withdrawing: [
    ['with strategy=exclusive drainBeforeMs=15000', 'steady active=6 standby=5', 'reload ./v7.js', 'ready 7.1'],
    ['with workers=2 strategy=in-place drainBeforeMs=15000', ...inPlace.slice(1)],
    ['with workers=2 strategy=in-place drainBeforeMs=15000', ...inPlace.slice(1), 'exited 6.1', 'restart-due 6']
  ],
  quieting: [
    exclusive,
    [...exclusive, 'paused 6.1', 'paused 6.2', 'quiet 6.1'],
    [...exclusive, 'exited 6.1', 'restart-due 6', 'ready 6.3'],
    ['with workers=2 strategy=exclusive', 'steady active=6 standby=5', 'rollback']
  ],
  migrating: [
    [...exclusive, 'paused 6.1', 'paused 6.2', 'quiet 6.1', 'quiet 6.2', 'inactive 6.1', 'inactive 6.2'],
    [...exclusive, 'quiet 6.1', 'quiet 6.2', 'inactive 6.1', 'inactive 6.2', 'exited 6.1', 'restart-due 6']
  ],
  rolling: [
    rolling,
    [...rolling, 'ready 7.1'],
    [...rolling, 'ready 7.1', 'accepting 7.1'],
    [...rolling, 'ready 7.1', 'accepting 7.1', 'paused 6.1'],
    [...rolling, 'ready 7.1', 'accepting 7.1', 'paused 6.1', 'ready 7.2'],
    [...rolling, 'exited 6.1', 'exited 6.2'],
    ['with workers=2 strategy=rolling checkMs=20000', ...rolling.slice(1), 'ready 7.1'],
    ['with workers=2 strategy=rolling surge=0 unavailable=1', ...rolling.slice(1)],
    ['with workers=2 strategy=rolling keepWarmMs=0', ...rolling.slice(1), 'ready 7.1', 'accepting 7.1'],
    inPlace,
    [...inPlace, 'inactive 6.1', 'drained 6.1'],
    [...inPlace, 'inactive 6.1', 'drained 6.1', 'exited 6.1'],
    [...inPlace, 'inactive 6.1', 'drained 6.1', 'exited 6.1', 'ready 7.1', 'accepting 7.1']
  ],
  opening: [
    [...exclusive, 'quiet 6.1', 'quiet 6.2', 'inactive 6.1', 'inactive 6.2', 'migrated 7'],
    ['steady active=6', 'reload ./v7.js', 'ready 7.1'],
    twoReady,
    [...twoReady, 'accepting 7.1'],
    [...twoReady, 'exited 6.1', 'exited 6.2'],
    [...twoSteady, 'rollback'],
    [...twoSteady, 'rollback', 'accepting 5.1'],
    [...twoSteady, 'exited 5.1', 'restart-due 5', 'rollback']
  ],
  canary: [
    [...canary, 'ready 7.1', 'ready 7.2'],
    [...canary, 'ready 7.1', 'ready 7.2', 'exited 7.1'],
    [...canary, 'ready 7.1', 'ready 7.2', 'share 0.5'],
    [...canary, 'ready 7.1', 'ready 7.2', 'exited 6.1', 'exited 6.2']
  ],
  pausing: [
    ['steady active=6', 'reload ./v7.js', 'ready 7.1', 'accepting 7.1'],
    twoPausing,
    [...twoPausing, 'paused 6.2'],
    [...twoPausing, 'exited 6.2'],
    [...twoPausing, 'exited 7.2', 'exited 7.1'],
    [...twoSteady, 'rollback', 'accepting 5.1', 'accepting 5.2']
  ],
  stopping: [
    [...twoSteady, 'stop'],
    [...twoPausing, 'stop'],
    ['steady active=6', 'reload ./v7.js', 'stop', 'drained 6.1'],
    ['stopped', 'boot ./v1.js', 'ready-overdue 1']
  ],
  stopped: [['stopped'], ['steady active=6', 'stop', 'drained 6.1', 'exited 6.1']]
};

/** An event of each type. One that is typed and has none here does not compile. */
const events: { readonly [T in EventType]: (about: number, worker: string) => Omit<On<T>, 'at' | 'type'> } = {
  'boot-asked': () => ({ request: 90, release: release('./v9.js'), size: 2, strategy: 'blue-green' }),
  'reload-asked': () => ({
    ...{ request: 90, release: release('./v9.js'), size: 2, kind: 'reload', strategy: 'blue-green' },
    ...{ supersedes: true, waits: true }
  }),
  'rollback-asked': () => ({ request: 90, to: null }),
  'promote-asked': () => ({ request: 90 }),
  'abort-asked': () => ({ request: 90 }),
  'retire-asked': () => ({ request: 90 }),
  'scale-asked': () => ({ request: 90, size: 3 }),
  'stop-asked': () => ({ request: 90, why: 'SIGTERM' }),
  'all-ready': (about) => ({ about }),
  proven: (about) => ({ about }),
  'check-failed': (about) => ({ about, check: 'GET /health', why: 'it answered status 500' }),
  'check-overdue': (about) => ({ about }),
  'all-quiet': (about) => ({ about }),
  'quiet-overdue': (about) => ({ about }),
  migrated: (about) => ({ about }),
  'migrate-failed': (about) => ({ about, why: 'it exited with code 1' }),
  'all-accepting': (about) => ({ about }),
  'all-paused': (about) => ({ about }),
  'all-handed': (about) => ({ about }),
  'worker-lost': (about, worker) => ({ about, worker, why: 'exited with code 1' }),
  'accept-failed': (about, worker) => ({ about, worker, code: 'HANDOVER_ERR_LISTEN_IN_USE', why: 'it is taken' }),
  'ready-overdue': (about) => ({ about, why: 'it never listened' }),
  unfit: (about, worker) => ({ about, worker, why: 'none of its servers asks', fix: 'say which' }),
  'open-overdue': (about) => ({ about }),
  'pause-overdue': (about) => ({ about }),
  'hand-overdue': (about) => ({ about }),
  reached: (about) => ({ about, closed: [] }),
  unreached: (about) => ({ about, why: 'no worker accepts on 127.0.0.1:80' }),
  'reach-overdue': (about) => ({ about }),
  'warm-over': (about) => ({ about }),
  sampled: (about) => ({ about, before: null, after: crashing }),
  'bake-over': (about) => ({ about }),
  'scale-overdue': (about) => ({ about }),
  'share-asked': () => ({ request: 90, share: 0.5 }),
  'withdraw-over': (about) => ({ about }),
  'step-over': (about) => ({ about })
};

/** A generation that loses one worker after the other. */
const crashing = { ...NOTHING_MEASURED, spanMs: 5_000, exits: 3 };

/** What the table may be told: news of a kind comes from workers that are as far as it says. */
function canHappen(state: State, type: EventType, about: number): boolean {
  const generation = rolesOf(state).find((one) => one.generation.id === about)?.generation;
  if (type === 'all-quiet') return generation === undefined || areAll.quiet(generation);
  if (type !== 'all-accepting') return true;
  return generation?.workers.some(({ phase }) => phase === 'accepting') ?? true;
}

function make(type: EventType, about: number, worker: string, at: number): Event {
  return { type, at, ...events[type](about, worker) } as Event;
}

for (const phase of Object.keys(table) as Phase[]) {
  test(`each way into the phase ${phase} leads there`, () => {
    for (const way of ways[phase]) assert.equal(play(...way).state.phase, phase, way.join(' > '));
  });

  for (const type of Object.keys(table[phase]) as EventType[]) {
    test(`${phase} + ${type}: every promise is kept`, () => {
      for (const way of ways[phase]) {
        const { state, now } = play(...way);
        const subjects = rolesOf(state).map(({ generation }) => generation);
        for (const { id, lastWorker } of subjects.length > 0 ? subjects : [{ id: 1, lastWorker: 1 }]) {
          if (!canHappen(state, type, id)) continue;
          const event = make(type, id, `${id}.${lastWorker}`, now + 1);
          assert.deepEqual(brokenPromises(state, event, step(state, event)), [], `${way.join(' > ')} > ${type} ${id}`);
        }
      }
    });

    test(`${phase} + ${type}: news of a generation that is long gone changes nothing`, () => {
      for (const way of ways[phase]) {
        const { state, now } = play(...way);
        const event = make(type, 3, '3.1', now + 1);
        if ('about' in event) assert.deepEqual(step(state, event), { state, effects: [] });
      }
    });

    test(`${phase} + ${type}: the same news gives the same answer, and the state before is not touched`, () => {
      for (const way of ways[phase]) {
        const { state, now } = play(...way);
        const before = structuredClone(state);
        const event = make(type, state.lastGeneration, `${state.lastGeneration}.1`, now + 1);
        assert.deepEqual(step(state, event), step(state, event));
        assert.deepEqual(state, before);
      }
    });
  }
}
