import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeOf } from '../../src/core/state/generations.ts';
import { HISTORY_LENGTH } from '../../src/core/state/history.ts';
import { lastEffects, play } from './player.ts';

const steady = ['steady active=6 standby=5'];
const starting = [...steady, 'reload ./v7.js'];
const opening = [...starting, 'ready 7.1'];
const pausing = [...opening, 'accepting 7.1'];
const completing = [...pausing, 'paused 6.1'];
const phases = { steady, starting, opening, pausing, completing };

/** The orders that were answered, and whether well. */
function answers(...script: string[]): [number, string][] {
  return play(...script).effects.flatMap((effect): [number, string][] =>
    effect.do === 'reply' ? [[effect.request, effect.reply.ok ? 'ok' : effect.reply.code]] : []
  );
}

test('a candidate that is not ready in time is given up, never promoted', () => {
  const { state } = play(...starting, 'ready-overdue 7');

  assert.equal(state.phase, 'steady');
  assert.equal(activeOf(state)?.id, 6);
});

test('a failed reload leaves the active generation exactly as it was', () => {
  const before = activeOf(play(...steady).state);
  for (const failure of ['ready-overdue 7', 'exited 7.1']) {
    assert.deepEqual(activeOf(play(...starting, failure).state), before);
  }
  for (const failure of ['open-overdue 7', 'exited 7.1', 'refused 7.1']) {
    const player = play(...opening, failure);
    assert.deepEqual(activeOf(player.state), before);
    const told = player.effects.filter((effect) => 'worker' in effect && effect.worker === '6.1');
    assert.deepEqual(told, [], failure);
  }
});

test('a failed reload leaves the standby as it was', () => {
  for (const failed of [
    [...starting, 'ready-overdue 7'],
    [...opening, 'open-overdue 7']
  ]) {
    const { state, deadlines } = play(...failed);
    assert.ok(state.phase === 'steady' && state.standby?.id === 5);
    assert.ok(deadlines.has('warm-over 5'));
  }
});

test('the new generation is told to accept before the old one is told to pause, and has said that it does', () => {
  const told = play(...pausing).effects.flatMap((effect) =>
    'worker' in effect ? [`${effect.do} ${effect.worker}`] : []
  );

  assert.deepEqual(told.slice(0, 3), ['fork 7.1', 'accept 7.1', 'pause 6.1']);
});

test('an order in the middle of another gets one clear refusal, in every phase of it', () => {
  for (const order of ['reload ./v8.js', 'rollback', 'boot ./v8.js']) {
    for (const script of [starting, opening, pausing]) {
      assert.deepEqual(answers(...script, order), [[2, 'HANDOVER_ERR_REFUSED_BUSY']]);
    }
  }
});

test('an order that comes while connections still move ends the one before, with its answer', () => {
  assert.deepEqual(answers(...completing, 'reload ./v8.js'), [[1, 'ok']]);
  assert.deepEqual(answers(...completing, 'rollback'), [[1, 'ok']]);
  assert.deepEqual(answers(...completing, 'stop'), [[1, 'ok']]);
});

test('a verdict to keep answers who waits for it; who does not is answered when the connections have moved', () => {
  const over = (order: string) => [
    'with bakeMs=1000',
    ...steady,
    order,
    ...[opening, pausing, completing].map((one) => one.at(-1) ?? ''),
    'bake-over 7'
  ];

  assert.deepEqual(answers(...over('reload ./v7.js')), []);
  assert.deepEqual(answers(...over('reload ./v7.js'), 'handed 6.1'), [[1, 'ok']]);
  assert.deepEqual(answers(...over('reload ./v7.js wait')), [[1, 'ok']]);
});

test('a rollback that is refused does not end the order whose connections still move', () => {
  const script = ['with keepWarmMs=0', 'steady active=6', 'reload ./v7.js', 'ready 7.1', 'accepting 7.1', 'paused 6.1'];

  assert.deepEqual(answers(...script, 'rollback'), [[2, 'HANDOVER_ERR_REFUSED_NO_STANDBY']]);
  assert.deepEqual(answers(...script, 'rollback', 'handed 6.1').at(-1), [1, 'ok']);
});

test('a stop is possible in every phase, and answers the order in progress first', () => {
  const expected = { steady: [], starting: ['ABANDONED'], opening: ['ABANDONED'], pausing: ['ok'], completing: ['ok'] };
  for (const [name, script] of Object.entries(phases)) {
    const given = answers(...script, 'stop').map(([, answer]) => answer.replace('HANDOVER_ERR_CANDIDATE_', ''));
    assert.deepEqual(given, expected[name as keyof typeof phases], name);
    assert.equal(play(...script, 'stop').state.phase, 'stopping');
  }
});

test('a stop pauses before it drains, and lets go of the listeners', () => {
  const effects = lastEffects(...steady, 'stop');
  const at = (wanted: string) => effects.findIndex((effect) => effect.startsWith(wanted));

  assert.ok(at('pause 6.1 without receivers') < at('drain 6.1 without receivers'));
  assert.ok(at('drain 6.1') < at('close-listeners'));
});

test('hurry ends what drains and kills what is being ended, and nothing else', () => {
  assert.deepEqual(lastEffects(...steady, 'hurry'), []);
  assert.deepEqual(
    lastEffects('steady active=6', 'stop', 'hurry').filter((effect) => !effect.startsWith('set-')),
    ['terminate 6.1']
  );
  assert.deepEqual(lastEffects('steady active=6', 'stop', 'hurry', 'hurry'), ['kill 6.1']);
});

test('how long the standby is kept: not at all, for a time, for ever', () => {
  const end = (keepWarmMs: string) => {
    const { state, deadlines } = play(`with keepWarmMs=${keepWarmMs}`, ...completing.with(0, 'steady active=6'));
    return [state.phase === 'steady' && state.standby?.id, deadlines.has('warm-over 6'), state.retiring.length];
  };

  assert.deepEqual(end('0'), [undefined, false, 1]);
  assert.deepEqual(end('500'), [6, true, 0]);
  assert.deepEqual(end('Infinity'), [6, false, 0]);
});

test('the standby of before is retired when the next handover commits, not earlier', () => {
  assert.equal(play(...opening).state.retiring.length, 0);
  assert.deepEqual(
    play(...pausing).state.retiring.map(({ generation }) => generation.id),
    [5]
  );
});

test('a rollback starts no worker', () => {
  const { effects } = play(
    ...steady,
    'rollback',
    'accepting 5.1',
    'paused 6.1',
    'handed 6.1',
    'rollback',
    'accepting 6.1'
  );

  assert.deepEqual(
    effects.filter((effect) => effect.do === 'fork'),
    []
  );
});

test('an answer says how long each part took', () => {
  const { effects } = play(...completing, 'handed 6.1');
  const answer = effects.flatMap((effect) => (effect.do === 'reply' ? [effect.reply] : []))[0];

  assert.ok(answer?.ok && 'completed' in answer);
  const { kind, from, to, bootMs, cutoverMs, tookMs } = answer.completed;
  assert.deepEqual(
    { kind, from, to, bootMs, cutoverMs, tookMs },
    { kind: 'reload', from: 6, to: 7, bootMs: 10, cutoverMs: 20, tookMs: 20 }
  );
});

test('the history tells what became of every generation, and why', () => {
  const boot = ['stopped', 'boot ./v1.js', 'ready 1.1', 'accepting 1.1'];
  const { history } = play(
    ...boot,
    ...['reload ./v2.js', 'exited 2.1 exited with code 1'],
    ...['reload ./v3.js', 'ready 3.1', 'accepting 3.1', 'paused 1.1', 'handed 1.1'],
    ...['warm-over 1', 'drained 1.1', 'exited 1.1']
  ).state;

  assert.deepEqual(
    history.map(({ generation, release, outcome, reason }) => [generation, release.file, outcome, reason]),
    [
      [1, '/app/v1.js', 'retired', 'it was kept warm long enough'],
      [2, '/app/v2.js', 'failed', 'worker 2.1 exited with code 1'],
      [3, '/app/v3.js', 'active', null]
    ]
  );
});

test('the history is not endless', () => {
  const failures = Array.from({ length: 60 }, (_, index) => ['reload ./v.js', `exited ${index + 7}.1`]).flat();
  const { history } = play(...steady, ...failures).state;

  assert.equal(history.length, HISTORY_LENGTH);
  assert.equal(history.at(-1)?.generation, 66);
});
