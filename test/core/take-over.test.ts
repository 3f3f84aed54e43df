import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolesOf } from '../../src/core/state/generations.ts';
import type { State } from '../../src/core/state/state.ts';
import { step } from '../../src/core/step.ts';
import { type Adopted, takeOver } from '../../src/core/take-over.ts';
import { play } from './player.ts';

const STEADY = ['steady active=6 standby=5'];
const STARTING = [...STEADY, 'reload ./v7.js'];
const OPENING = [...STARTING, 'ready 7.1'];
const PAUSING = [...OPENING, 'accepting 7.1'];
const COMPLETING = [...PAUSING, 'paused 6.1'];

const NOTHING = { accepting: false, paused: false, quiet: true, handed: false, drained: false } as const;
const SAID: Record<string, Adopted> = {
  starts: { ...NOTHING, told: null, ready: false, whileActive: 'off' },
  ready: { ...NOTHING, told: null, ready: true, whileActive: 'off' },
  accepts: { ...NOTHING, told: 'accept', ready: true, accepting: true, quiet: false, whileActive: 'on' },
  // It was told to accept, and has not said that it does.
  told: { ...NOTHING, told: 'accept', ready: true, whileActive: 'off' },
  paused: { ...NOTHING, told: 'pause', ready: true, paused: true, handed: true, whileActive: 'off' },
  // It is quiet, and keeps its connections for the version that serves now.
  holds: { ...NOTHING, told: 'hold', ready: true, paused: true, whileActive: 'off' },
  drains: { ...NOTHING, told: 'drain', ready: true, paused: true, whileActive: 'off' }
};

/** Where the earlier supervisor ended, who is still there, and what comes of it. */
const TABLE: readonly (readonly [script: readonly string[], workers: Record<string, string>, outcome: string])[] = [
  [STEADY, { '6.1': 'accepts', '5.1': 'paused' }, 'steady active=6 standby=5'],
  [STEADY, { '6.1': 'accepts' }, 'steady active=6 standby=5 ! fork 5.2'],
  [STEADY, { '5.1': 'paused' }, 'steady active=6 standby=5 ! accept 5.1, fork 6.2'],
  [STEADY, {}, 'steady active=6 standby=5 ! fork 5.2, fork 6.2'],
  [STEADY, { '6.1': 'told', '5.1': 'paused' }, 'steady active=6 standby=5 ! accept 5.1, accept 6.1'],
  [
    STARTING,
    { '6.1': 'accepts', '5.1': 'paused', '7.1': 'starts' },
    'steady active=6 standby=5 retiring=7 ! terminate 7.1'
  ],
  [STARTING, { '6.1': 'accepts', '5.1': 'paused' }, 'steady active=6 standby=5'],
  [OPENING, { '6.1': 'accepts', '5.1': 'paused', '7.1': 'told' }, 'steady active=6 standby=5 retiring=7 ! drain 7.1'],
  [
    OPENING,
    { '6.1': 'accepts', '5.1': 'paused', '7.1': 'accepts' },
    'pausing active=7 leaving=6 retiring=5 ! drain 5.1, pause 6.1'
  ],
  [
    PAUSING,
    { '6.1': 'accepts', '7.1': 'accepts', '5.1': 'drains' },
    'pausing active=7 leaving=6 retiring=5 ! drain 5.1, pause 6.1'
  ],
  [PAUSING, { '6.1': 'paused', '7.1': 'accepts', '5.1': 'drains' }, 'steady active=7 standby=6 retiring=5 ! drain 5.1'],
  [PAUSING, { '7.1': 'accepts' }, 'steady active=7 standby=6 ! fork 6.2'],
  [COMPLETING, { '6.1': 'paused', '7.1': 'accepts' }, 'steady active=7 standby=6'],
  [COMPLETING, { '6.1': 'accepts', '7.1': 'accepts' }, 'steady active=7 standby=6 ! pause 6.1'],
  [PAUSING, { '6.1': 'holds', '7.1': 'accepts' }, 'steady active=7 standby=6 ! pause 6.1'],
  [COMPLETING, { '6.1': 'holds', '7.1': 'accepts' }, 'steady active=7 standby=6 ! pause 6.1']
];

for (const [script, workers, outcome] of TABLE) {
  const there = Object.entries(workers).map(([id, says]) => `${id} ${says}`);
  test(`${script.slice(1).join(', ') || 'steady'}; there are ${there.join(', ') || 'none'}: ${outcome}`, () => {
    const { state, effects } = takeOver(play(...script).state, said(workers), 2_000_000);
    const shown = effects.flatMap((effect) =>
      ['fork', 'accept', 'pause', 'drain', 'terminate'].includes(effect.do) && 'worker' in effect
        ? [`${effect.do} ${effect.worker}`]
        : []
    );
    const does = [...new Set(shown)].sort();
    assert.equal(`${show(state)}${does.length > 0 ? ` ! ${does.join(', ')}` : ''}`, outcome);
    assert.ok(!effects.some((effect) => effect.do === 'reply'), 'nobody waits for an answer any more');
  });
}

test('after a stop, or before the first version served, another one is started; what is left is ended', () => {
  const { state } = takeOver(play(...STEADY, 'stop').state, said({ '6.1': 'drains', '5.1': 'drains' }), 2_000_000);
  assert.equal(show(state), 'stopped retiring=6 retiring=5');
});

test('a bake goes on for the rest of its time', () => {
  const saved = play(...COMPLETING).state;
  const baking = {
    ...saved,
    bake: {
      ...{ generation: 7, from: 6, undisturbedUntil: 0, since: 1_999_000, forMs: 5_000 },
      ...{ extended: false, measured: null, waiting: [] }
    }
  } as State;
  const { effects } = takeOver(baking, said({ '6.1': 'paused', '7.1': 'accepts' }), 2_000_000);
  const over = effects.find((effect) => effect.do === 'set-deadline' && effect.deadline === 'bake-over');
  assert.deepEqual(over, { do: 'set-deadline', deadline: 'bake-over', about: 7, afterMs: 4_000 });
});

function said(workers: Record<string, string>): Map<string, Adopted> {
  return new Map(Object.entries(workers).map(([id, says]) => [id, SAID[says] as Adopted]));
}

function show(state: State): string {
  return [state.phase, ...rolesOf(state).map(({ role, generation }) => `${role}=${generation.id}`)].join(' ');
}

test('a generation that has served for long is not taken back, however its addresses are answered after a takeover', () => {
  const { state, effects } = takeOver(play(...STEADY).state, said({ '6.1': 'accepts', '5.1': 'paused' }), 2_000_000);
  assert.ok(!effects.some((effect) => effect.do === 'set-deadline' && effect.deadline === 'reach-overdue'));
  for (const type of ['reach-overdue', 'unreached'] as const) {
    const after = step(state, { type, about: 6, why: 'nobody accepts there', at: 2_010_000 });
    assert.deepEqual(after.state, state, type);
  }
});

test('a cutover that nobody had answered yet is taken back after a takeover where nobody does', () => {
  const before = play(...COMPLETING).state;
  assert.ok(before.phase === 'steady' && before.completing);
  const unanswered: State = { ...before, completing: { ...before.completing, reached: false } };
  const { state, effects } = takeOver(unanswered, said({ '6.1': 'paused', '7.1': 'accepts' }), 2_000_000);
  assert.ok(effects.some((effect) => effect.do === 'set-deadline' && effect.deadline === 'reach-overdue'));
  const after = step(state, { type: 'unreached', about: 7, why: 'nobody accepts there', at: 2_010_000 });
  assert.ok(after.effects.some((effect) => effect.do === 'announce' && effect.notice.decision === 'roll back'));
});
