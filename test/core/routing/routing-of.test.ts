import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiversOf, routingOf } from '../../../src/core/routing/routing-of.ts';
import { replaceGeneration, rolesOf } from '../../../src/core/state/generations.ts';
import type { ReleaseSettings, State } from '../../../src/core/state/state.ts';
import { play } from '../player.ts';
import { usual } from '../script.ts';

const ROUTES = { affinity: true, pins: [{ kind: 'query', name: 'dpl' }], oldAssets: ['/assets'] } as const;

/** Lets every generation have these options, and a label. */
function withRoutes(state: State, routes: Partial<ReleaseSettings> = ROUTES): State {
  const settings: ReleaseSettings = {
    workers: 1,
    scaled: false,
    strategy: 'blue-green',
    limits: usual.limits,
    ...routes
  };
  return rolesOf(state).reduce(
    (next, { generation }) =>
      replaceGeneration(next, {
        ...generation,
        release: { ...generation.release, settings, label: `v${generation.id}` }
      }),
    state
  );
}

const away = (to: number) => ({
  ...{ active: to, canary: to, share: 0, by: { kind: 'random' }, always: [], never: [], salt: '' }
});

test('without a canary, and without such options, all that comes to a worker is its own', () => {
  const { state } = play('steady active=6 standby=5');
  assert.deepEqual([routingOf(state, 6), routingOf(state, 5)], [null, null]);
});

test('a canary and the active generation have the same shares', () => {
  const { state } = play('steady active=6 standby=5', 'reload ./v7.js canary=5%', 'ready 7.1');
  assert.deepEqual(routingOf(state, 6), routingOf(state, 7));
  const { active, canary, share, salt } = routingOf(state, 7)?.shares ?? {};
  assert.deepEqual([active, canary, share, salt], [6, 7, 0.05, '7']);
  assert.equal(routingOf(state, 5), null);
});

test('from the promotion on, the one before sends all to the canary; after an abort, the canary to the one that stays', () => {
  const lines = ['steady active=6', 'reload ./v7.js canary=5%', 'ready 7.1'];
  for (const more of [['promote'], ['promote', 'accepting 7.1'], ['promote', 'accepting 7.1', 'paused 6.1']]) {
    const { state } = play(...lines, ...more);
    assert.deepEqual(routingOf(state, 6)?.shares, away(7), more.join());
    assert.equal(routingOf(state, 7), null, more.join());
  }
  const { state } = play(...lines, 'abort');
  assert.deepEqual(routingOf(state, 7)?.shares, away(6));
  assert.equal(routingOf(state, 6)?.shares ?? null, null);
});

test('with affinity, a standby sends what is nobody’s to the active one', () => {
  const state = withRoutes(play('steady active=6 standby=5').state, { affinity: true });
  assert.deepEqual(routingOf(state, 5)?.shares, away(6));
  assert.equal(routingOf(state, 6), null);
});

test('one that is about to take over answers what comes to it, under each strategy', () => {
  for (const strategy of ['blue-green', 'rolling', 'in-place']) {
    const begun = [`with strategy=${strategy}`, 'steady active=6', 'reload ./v7.js', 'ready 7.1'];
    for (const more of [[], ['accepting 7.1']]) {
      const state = withRoutes(play(...begun, ...more).state);
      assert.equal(routingOf(state, 7)?.shares ?? null, null, `${strategy} ${more}`);
    }
  }
});

test('a standby is asked for old assets and by its label, unless it was rejected', () => {
  const state = withRoutes(play('steady active=6 standby=5').state);
  const { oldAssets, pins } = routingOf(state, 6) ?? {};
  assert.deepEqual(oldAssets, { paths: ['/assets'], generation: 5 });
  assert.deepEqual(pins?.generations, { v5: 5, v6: 6 });
  const [, standby] = rolesOf(state);
  if (!standby) throw new Error('there is no standby');
  const rejected = replaceGeneration(state, { ...standby.generation, rejected: 'it was bad' });
  assert.equal(routingOf(rejected, 6), null);
});

test('while two answer, for a canary or a moment, both ask each other for what they do not have', () => {
  for (const lines of [['reload ./v7.js canary=5%'], ['reload ./v7.js'], ['with strategy=rolling', 'reload ./v7.js']]) {
    const state = withRoutes(play('steady active=6', ...lines, 'ready 7.1').state);
    assert.equal(routingOf(state, 6)?.oldAssets?.generation, 7, lines.join());
    assert.equal(routingOf(state, 7)?.oldAssets?.generation, 6, lines.join());
  }
});

test('one that was only just told to pause is asked as the standby is that it becomes', () => {
  const state = withRoutes(play('steady active=6', 'reload ./v7.js', 'ready 7.1', 'accepting 7.1').state);
  assert.equal(state.phase, 'pausing');
  const { oldAssets, pins } = routingOf(state, 7) ?? {};
  assert.equal(oldAssets?.generation, 6);
  assert.deepEqual(pins?.generations, { v6: 6, v7: 7 });
});

test('what is meant for a generation goes to any of its workers that can serve, and for a worker to that one', () => {
  const { state } = play('with workers=2', 'steady active=6 standby=5', 'exited 6.1', 'restart-due 6');
  const ids = (to: string) => receiversOf(state, to).map(({ id }) => id);
  assert.deepEqual([ids('6'), ids('5'), ids('5.2'), ids('6.1'), ids('4')], [['6.2'], ['5.1', '5.2'], ['5.2'], [], []]);
});
