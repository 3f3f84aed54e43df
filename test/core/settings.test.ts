import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot, startOrder } from '../../src/core/rules/start.ts';
import { createGeneration, limitsFor, settleLimits, sizeAfter } from '../../src/core/state/generations.ts';
import type { Generation, In, Limits, Release, State } from '../../src/core/state/state.ts';
import { release, usual } from './script.ts';

function releaseWith(entry: string, workers: number, limits: Partial<Limits>, scaled = false): Release {
  const settings = { workers, scaled, strategy: 'blue-green', limits: { ...usual.limits, ...limits } } as const;
  return { ...release(entry), settings };
}

const generation = (id: number, of: Release, size: number): Generation =>
  createGeneration(id, of, size, 'blue-green', 0);

function steady(active: Generation): In<'steady'> {
  const none = { retiring: [], history: [], drained: null, plannedStop: null };
  const common = { limits: usual.limits, lastGeneration: active.id, ...none };
  return { ...common, phase: 'steady', active, standby: null, completing: null, bake: null, scaling: null };
}

const ORDER = {
  request: 1,
  kind: 'reload',
  strategy: 'blue-green',
  warm: false,
  askedAt: 0,
  waits: false,
  canary: null
} as const;

test('the limits of the generation that is being started hold until it is given up, then those of the active one', () => {
  const active = generation(1, releaseWith('./v1.js', 1, { readyMs: 1_000, drainMs: 10 }), 1);
  const next = releaseWith('./v2.js', 1, { readyMs: 2_000, drainMs: 20 });
  const { state, effects } = startOrder(steady(active), { ...ORDER, heldAt: null, verdict: null }, next, 1);

  assert.equal(state.limits.readyMs, 2_000);
  const deadline = effects.find((effect) => effect.do === 'set-deadline');
  assert.equal(deadline?.do === 'set-deadline' && deadline.afterMs, 2_000);
  assert.equal(settleLimits(state).limits.readyMs, 2_000);
  assert.equal(settleLimits(steady(active)).limits.readyMs, 1_000);
  assert.equal(limitsFor(state, active).drainMs, 10, 'what drains does so by its own');
});

test('a release of which nothing is known changes no limit', () => {
  const state: State = steady(generation(1, release('./v1.js'), 1));

  assert.equal(settleLimits(state), state);
  const none = { lastGeneration: 0, retiring: [], history: [], drained: null, plannedStop: null };
  const stopped = { phase: 'stopped', limits: usual.limits, ...none } as const;
  const asked = {
    type: 'boot-asked',
    request: 1,
    release: release('./v1.js'),
    size: 1,
    strategy: 'blue-green'
  } as const;
  assert.equal(boot(stopped, { ...asked, at: 0 }).state.limits, usual.limits);
});

test('in a rollback the version before has as many workers as it had, unless the operator has scaled since', () => {
  const leaving = (size: number, workers: number, scaled = false) =>
    generation(2, releaseWith('./v2.js', workers, {}, scaled), size);

  assert.equal(sizeAfter(leaving(3, 3), 1), 1);
  assert.equal(sizeAfter(leaving(5, 3), 1), 5, 'scaled while it was active');
  assert.equal(sizeAfter(leaving(4, 4, true), 1), 4, 'scaled before it was started');
  assert.equal(sizeAfter(generation(2, release('./v2.js'), 3), 1), 3, 'not known how it was to run');
});
