import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAnswer } from '../../src/admin/agent-check.ts';
import { describeReadiness } from '../../src/core/admission.ts';
import { play } from '../core/player.ts';

/** What a script comes to: whether `/ready` says so, why not, and what HAProxy is told. */
function look(script: readonly string[], silent: readonly string[] = []) {
  const readiness = describeReadiness(play(...script).state, (worker) => silent.includes(worker));
  return [readiness.ready, readiness.reason, writeAnswer(readiness).trimEnd()];
}

const STEADY = ['with workers=4', 'steady active=6'];
const BEFORE = (strategy: string) => [
  `with drainBeforeMs=15000 strategy=${strategy}`,
  'steady active=6',
  'reload ./v7.js'
];

/** What happens, and what load balancers are told of it. */
const TABLE: readonly (readonly [
  what: string,
  seen: unknown[],
  ready: boolean,
  reason: string | null,
  answer: string
])[] = [
  ['all workers accept', look(STEADY), true, null, 'up ready 100%'],
  ['one of four is lost', look([...STEADY, 'exited 6.1']), true, null, 'up ready 75%'],
  ['one of four hangs', look(STEADY, ['6.2']), true, null, 'up ready 75%'],
  [
    'all hang',
    look(STEADY, ['6.1', '6.2', '6.3', '6.4']),
    false,
    'no worker answers: 6.1, 6.2, 6.3, 6.4',
    'down#no worker answers: 6.1, 6.2, 6.3, 6.4'
  ],
  [
    'the first version starts',
    look(['stopped', 'boot ./v1.js']),
    false,
    'the first generation is starting',
    'down#the first generation is starting'
  ],
  [
    'both versions accept at a cutover',
    look(['steady active=6', 'reload ./v7.js', 'ready 7.1']),
    true,
    null,
    'up ready 100%'
  ],
  ['it is drained', look([...STEADY, 'drain']), false, 'it was drained by an operator', 'up drain'],
  [
    'it is drained for a minute',
    look([...STEADY, 'drain 60000']),
    false,
    'it was drained by an operator until 1970-01-01T00:17:40.010Z',
    'up drain'
  ],
  [
    'it is drained, and nobody answers',
    look([...STEADY, 'drain'], ['6.1', '6.2', '6.3', '6.4']),
    false,
    'no worker answers: 6.1, 6.2, 6.3, 6.4',
    'down#no worker answers: 6.1, 6.2, 6.3, 6.4'
  ],
  ['it is undrained', look([...STEADY, 'drain', 'undrain']), true, null, 'up ready 100%'],
  [
    'an in-place handover is about to begin',
    look(BEFORE('in-place')),
    false,
    'an in-place handover is withdrawing',
    'up drain'
  ],
  [
    'an exclusive handover is about to begin',
    look([...BEFORE('exclusive'), 'ready 7.1']),
    false,
    'an exclusive handover is withdrawing',
    'up drain'
  ],
  ['the candidate of an exclusive one still starts', look(BEFORE('exclusive')), true, null, 'up ready 100%'],
  [
    'in place, of two one is left, and they were told',
    look(['with workers=2 strategy=in-place drainBeforeMs=9', 'steady active=6', 'reload ./v7.js', 'withdraw-over 7']),
    false,
    'an in-place handover is rolling',
    'up drain'
  ],
  [
    'in place, of two one is left, and they were not told',
    look(['with workers=2 strategy=in-place', 'steady active=6', 'reload ./v7.js']),
    true,
    null,
    'up ready 50%'
  ],
  [
    'a stop waits',
    look(['with drainBeforeMs=15000', 'steady active=6', 'stop']),
    false,
    'the service is stopping',
    'up drain'
  ],
  ['it stops', look(['steady active=6', 'stop']), false, 'the service is stopping', 'down#the service is stopping']
];

for (const [what, seen, ready, reason, answer] of TABLE)
  test(`${what}: ${answer}`, () => assert.deepEqual(seen, [ready, reason, answer]));

test('a reason of several lines stays one line, and short', () => {
  const answer = writeAnswer({ ready: false, reason: `a\nb\r\n${'c'.repeat(500)}`, servingShare: 0 });
  assert.match(answer, /^down#a b c+\n$/);
  assert.ok(answer.length < 210);
});
