import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextRestart, withinWindow } from '../../src/core/rules/restarts.ts';
import { rolesOf } from '../../src/core/state/generations.ts';
import { lastEffects, play } from './player.ts';

const steady = ['with workers=2', 'steady active=6 standby=5'];
const starting = [...steady, 'reload ./v7.js'];
const opening = [...starting, 'ready 7.1', 'ready 7.2'];
const rolling = [...steady, 'rollback'];
const pausing = [...opening, 'accepting 7.1', 'accepting 7.2'];
const completing = [...pausing, 'paused 6.1', 'paused 6.2'];

function roleOf(worker: string, script: readonly string[]): string {
  const found = rolesOf(play(...script).state).find(({ generation }) =>
    generation.workers.some(({ id }) => id === worker)
  );
  return found?.role ?? 'gone';
}

// Where, who, and the phase that the loss leads to: what is not a candidate is replaced, and the handover goes on.
const losses: readonly [
  name: string,
  script: readonly string[],
  worker: string,
  role: string,
  then: string,
  replaced: boolean
][] = [
  ['the active generation', steady, '6.1', 'active', 'steady', true],
  ['the standby', steady, '5.1', 'standby', 'steady', true],
  ['the active generation while a candidate starts', starting, '6.1', 'active', 'starting', true],
  ['the standby while a candidate starts', starting, '5.1', 'standby', 'starting', true],
  ['a candidate', starting, '7.1', 'candidate', 'steady', false],
  ['the active generation while the next one opens', opening, '6.1', 'active', 'opening', true],
  ['the standby while the next one opens', opening, '5.1', 'standby', 'opening', true],
  ['the next generation', opening, '7.1', 'next', 'steady', false],
  ['the standby that is rolled back to', rolling, '5.1', 'next', 'steady', true],
  ['the generation that a rollback leaves', rolling, '6.1', 'active', 'opening', true],
  ['the new active generation while the old one pauses', pausing, '7.1', 'active', 'pausing', true],
  ['the generation that is left, before it paused', pausing, '6.1', 'leaving', 'pausing', true],
  ['the new standby while connections move', completing, '6.1', 'standby', 'steady', true],
  ['a generation that is retiring', completing, '5.1', 'retiring', 'steady', false],
  ['a service that stops', [...steady, 'stop'], '6.1', 'retiring', 'stopping', false]
];

for (const [name, script, worker, role, then, replaced] of losses) {
  test(`a worker of ${name} crashes`, () => {
    const id = worker.split('.')[0];
    assert.equal(roleOf(worker, script), role);
    const player = play(...script, `exited ${worker}`);
    assert.equal(player.state.phase, then);
    assert.equal(player.deadlines.has(`restart-due ${id}`), replaced);
    if (!replaced) return;
    player.play(`restart-due ${id}`);
    assert.equal(player.effects.at(-2)?.do, 'fork');
    assert.ok(player.deadlines.has(`worker-overdue ${id}.3`));
  });
}

// A replacement accepts at once where its generation does, and otherwise waits, ready.
const arrivals: readonly [name: string, script: readonly string[], generation: number, accepts: boolean][] = [
  ['the active generation', steady, 6, true],
  ['the standby', steady, 5, false],
  ['the active generation while a candidate starts', starting, 6, true],
  ['the active generation while the next one opens', opening, 6, true],
  ['the generation that a rollback leaves', rolling, 6, true],
  ['the new active generation while the old one pauses', pausing, 7, true],
  ['the generation that is left', pausing, 6, false],
  ['the new standby', completing, 6, false]
];

for (const [name, script, id, accepts] of arrivals) {
  test(`a replacement in ${name} becomes ready, and ${accepts ? 'accepts' : 'waits'}`, () => {
    const effects = lastEffects(...script, `exited ${id}.1`, `restart-due ${id}`, `ready ${id}.3`);
    assert.equal(effects.includes(`accept ${id}.3`), accepts);
  });
}

test('a replacement that becomes ready in the middle of a rollback to it accepts, and the cutover waits for it', () => {
  const script = [...steady, 'exited 5.1', 'restart-due 5', 'rollback', 'ready 5.3', 'accepting 5.2'];

  assert.equal(play(...script).state.phase, 'opening');
  assert.equal(play(...script, 'accepting 5.3').state.phase, 'pausing');
});

test('a replacement that is told to accept just before the cutover is told to pause by it', () => {
  const effects = lastEffects(...opening, 'exited 6.1', 'restart-due 6', 'ready 6.3', 'accepting 7.1', 'accepting 7.2');

  assert.ok(effects.includes('pause 6.3'));
});

test('a worker that is lost twice is replaced by one with a number of its own', () => {
  const { state } = play(...steady, 'exited 6.1', 'restart-due 6', 'exited 6.3', 'restart-due 6');

  const active = rolesOf(state).find(({ role }) => role === 'active');
  assert.deepEqual(
    active?.generation.workers.map(({ id }) => id),
    ['6.2', '6.4']
  );
});

test('two workers that are lost at once are both replaced', () => {
  const effects = lastEffects(...steady, 'exited 6.1', 'exited 6.2', 'restart-due 6');

  assert.deepEqual(
    effects.filter((effect) => effect.startsWith('fork')),
    ['fork 6.3 ./v6.js', 'fork 6.4 ./v6.js']
  );
});

test('a retired generation gets no replacement', () => {
  assert.deepEqual(lastEffects(...completing, 'exited 5.1', 'restart-due 5'), []);
});

const limit = { max: 5, windowMs: 60_000 };

test('replacements come at once, then later and later, then slowly for ever', () => {
  const delays = Array.from({ length: 8 }, (_, count) => nextRestart(Array(count).fill(1_000), 1_001, limit).afterMs);

  assert.deepEqual(delays, [0, 200, 400, 800, 1600, 15_000, 15_000, 15_000]);
});

test('a restart limit of its own holds: more tries, the last delay again and again, or none at all', () => {
  const delays = Array.from({ length: 8 }, (_, count) => {
    return nextRestart(Array(count).fill(0), 1, { max: 7, windowMs: 10 }).afterMs;
  });

  assert.deepEqual(delays, [0, 200, 400, 800, 1600, 1600, 1600, 15_000]);
  assert.deepEqual(nextRestart([], 1, { max: 0, windowMs: 10 }), { afterMs: 15_000, limited: true });
});

test('the restart limit is told when it is reached, and only then', () => {
  assert.equal(nextRestart(Array(limit.max - 1).fill(0), 1, limit).limited, false);
  assert.equal(nextRestart(Array(limit.max).fill(0), 1, limit).limited, true);
});

test('a replacement counts for a minute', () => {
  assert.deepEqual(withinWindow([0, 1, 59_999], limit.windowMs, limit), [1, 59_999]);
  assert.equal(nextRestart([0, 0, 0, 0, 0], limit.windowMs, limit).afterMs, 0);
});
