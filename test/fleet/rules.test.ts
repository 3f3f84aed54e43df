import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { expand, type Goal, isLabel, readGoal, writeGoal } from '../../src/fleet/rules/goal.ts';
import {
  abort,
  noteBaked,
  noteEnd,
  noteFailure,
  pause,
  resume,
  rollBack,
  startDeploy
} from '../../src/fleet/rules/goal-changes.ts';
import { createMember, type MemberState } from '../../src/fleet/rules/member-state.ts';
import { step } from '../../src/fleet/rules/member-step.ts';
import { chooseCanaries, countPermits, paceMs, placeInQueue, readLimit } from '../../src/fleet/rules/permits.ts';
import { Unreadable } from '../../src/fleet/rules/read-record.ts';

const by = { user: 'op', host: 'desk', command: 'handover fleet deploy 43' };
const machines = ['web-1', 'web-2', 'web-3'].map((id) => ({ id, zone: null, label: '42' }));
const goal = startDeploy({ id: 'd1', label: '43', entry: 'releases/{label}/server.js', by }, null, machines);
const failure = { machine: 'web-1', code: 'HANDOVER_ERR_CANDIDATE_CHECK', why: 'it answers 500' };

test('the first deploy of a fleet knows what all machines ran, and goes one by one', () => {
  const { previous, maxUnavailable, state, canaries } = goal;

  assert.equal(previous?.label, '42');
  assert.deepEqual([maxUnavailable, state, canaries], [{ machines: 1 }, 'rolling', []]);
});

test('a deploy says only what is new: all else is as in the deploy before', () => {
  const done: Goal = { ...goal, state: 'done', maxUnavailable: { share: 0.25 }, onFailure: 'pause' };
  const next = startDeploy({ id: 'd2', label: '44', by }, done, machines);

  assert.deepEqual(expand(next.release).entry, 'releases/44/server.js');
  assert.deepEqual([next.maxUnavailable, next.onFailure, next.previous?.label], [{ share: 0.25 }, 'pause', '43']);
});

test('what the deploy before ran first, and how it handed over, can be taken back', () => {
  const done: Goal = {
    ...goal,
    release: { ...goal.release, fetch: './fetch.sh' },
    state: 'done',
    strategy: 'exclusive'
  };
  const kept = startDeploy({ id: 'd2', label: '44', by }, done, machines);
  const taken = startDeploy({ id: 'd2', label: '44', fetch: null, strategy: null, by }, done, machines);

  assert.deepEqual([kept.release.fetch, kept.strategy], ['./fetch.sh', 'exclusive']);
  assert.deepEqual([taken.release.fetch, taken.strategy], [null, null]);
});

test('who deploys the same label once more still goes back to what was before it', () => {
  const again = startDeploy({ id: 'd2', label: '43', by }, { ...goal, state: 'done' }, machines);

  assert.equal(again.previous?.label, '42');
});

const to = (label: string) => (before: Goal | null) =>
  ({ ...startDeploy({ id: `d${label}`, label, entry: '{label}.js', by }, before, machines), state: 'done' }) as Goal;
const back = (before: Goal | null) => ({ ...rollBack(before as Goal, by), state: 'rolled-back' }) as Goal;
const backByItself = (before: Goal | null) => ({ ...(before as Goal), state: 'rolled-back' }) as Goal;
const aborted = (before: Goal | null) => ({ ...(before as Goal), state: 'aborted' }) as Goal;
type Change = (before: Goal | null) => Goal;
const wentBack: readonly (readonly [string, readonly Change[], string | null])[] = [
  ['a deploy', [to('43'), to('44')], '43'],
  ['the same label once more', [to('43'), to('44'), to('44')], '43'],
  ['a deploy after a rollback', [to('43'), to('44'), back, to('45')], '43'],
  ['the label that a rollback came back to', [to('42'), to('43'), to('44'), back, to('43')], '42'],
  ['that label twice', [to('42'), to('43'), to('44'), back, to('43'), to('43')], '42'],
  ['the label that a failed deploy came back to', [to('41'), to('43'), to('44'), backByItself, to('43')], '41'],
  ['the label before an aborted deploy', [to('41'), to('43'), to('44'), aborted, to('43')], '41'],
  ['a step back by a deploy', [to('43'), to('44'), to('43')], '44'],
  ['one rollback further back each time', [to('41'), to('43'), to('44'), back, to('43'), back, to('41')], null],
  ['the label that all came back to after the very first deploy', [to('43'), back, to('42')], null]
];
for (const [what, changes, label] of wentBack) {
  test(`a rollback after ${what} ${label === null ? 'is refused, for nobody knows what ran before' : `goes to what ran before: ${label}`}`, () => {
    const goal = changes.reduce<Goal | null>((before, change) => change(before), null) as Goal;
    if (label !== null) return assert.equal(rollBack(readGoal(writeGoal(goal)), by).previous?.label, label);
    assert.throws(() => rollBack(goal, by), /nobody knows what it ran earlier\. Deploy the release that you want/);
  });
}

test('where a deploy of what ran before fails, those that ran it all along stay at it', () => {
  const again = { ...to('43')(aborted(to('44')(to('43')(to('41')(null))))), state: 'rolling' } as const;

  assert.equal(noteFailure(again, failure).previous?.label, '43');
});

const orders: readonly (readonly [string, (from: Goal) => Goal, Goal['state'], Goal['state'] | null])[] = [
  ['a pause of a deploy that rolls', (from) => pause(from, by), 'rolling', 'paused'],
  ['a pause of a deploy that is done', (from) => pause(from, by), 'done', null],
  ['a resume of one that was paused', (from) => resume(from, by), 'paused', 'rolling'],
  ['a resume of one that stopped', (from) => resume(from, by), 'stopped', 'rolling'],
  ['a resume of one that rolls', (from) => resume(from, by), 'rolling', null],
  ['an abort of one that rolls', (from) => abort(from, by), 'rolling', 'aborted'],
  ['an abort of one that is done', (from) => abort(from, by), 'done', null],
  ['a rollback of one that is done', (from) => rollBack(from, by), 'done', 'rolling-back'],
  ['a rollback of one that was rolled back', (from) => rollBack(from, by), 'rolled-back', null],
  [
    'a deploy over one that rolls',
    (from) => startDeploy({ id: 'd2', label: '44', by }, from, machines),
    'rolling',
    null
  ],
  [
    'a deploy over one that stopped',
    (from) => startDeploy({ id: 'd2', label: '44', by }, from, machines),
    'stopped',
    'rolling'
  ],
  ['the end of one that rolls', noteEnd, 'rolling', 'done'],
  ['the end of one that goes back', noteEnd, 'rolling-back', 'rolled-back'],
  ['a failure, with rollback', (from) => noteFailure(from, failure), 'rolling', 'rolling-back'],
  ['a failure after the end', (from) => noteFailure(from, failure), 'done', 'done']
];
for (const [what, order, from, to] of orders) {
  test(`${what} ${to === null ? 'is refused' : `leads to ${to}`}`, () => {
    const before = { ...goal, state: from };
    if (to !== null) return assert.equal(order(before).state, to);
    assert.throws(
      () => order(before),
      (error) => HandoverError.is(error) && error.code === 'HANDOVER_ERR_REFUSED_FLEET'
    );
  });
}

test('as many machines may fail as was said, and the canaries alone may not all', () => {
  const two = { ...goal, failures: 2, onFailure: 'pause' } as const;
  const once = noteFailure(two, failure);

  assert.equal(once.state, 'rolling');
  assert.equal(noteFailure(once, failure), once);
  assert.equal(noteFailure(once, { ...failure, machine: 'web-2' }).state, 'stopped');
  assert.equal(noteFailure({ ...two, state: 'canary', canaries: ['web-1'] }, failure).state, 'stopped');
});

test('the others begin when every canary was watched for long enough, also where that comes to its end in a pause', () => {
  const first = { ...goal, state: 'canary', canaries: ['web-1', 'web-2'] } as const;
  const paused = pause(noteBaked(first, 'web-1'), by);

  assert.equal(noteBaked(first, 'web-1').state, 'canary');
  assert.equal(noteBaked(noteBaked(first, 'web-1'), 'web-2').state, 'rolling');
  assert.equal(resume(noteBaked(paused, 'web-2'), by).state, 'rolling');
});

test('a goal is read as it was written, and what is none says why', () => {
  assert.deepEqual(readGoal(writeGoal(goal)), goal);
  const spoil = (change: object) => () => readGoal(JSON.stringify({ ...goal, ...change }));
  assert.throws(() => readGoal('hello'), /must be JSON, and it begins with "hello"/);
  assert.throws(() => readGoal('[]'), /must be an object/);
  assert.throws(spoil({ state: 'sideways' }), /"state" must be one of canary, rolling/);
  assert.throws(spoil({ failures: 0 }), /"failures" is 0, and must be an integer of 1 or more/);
  assert.throws(
    spoil({ release: { label: '43; rm -rf /' } }),
    /the label of "release" has characters that no label has/
  );
  assert.throws(spoil({ maxUnavailable: { share: 3 } }), Unreadable);
});

test('a label is a name, and no path and no command', () => {
  for (const good of ['43', 'v1.2.3', 'a_b-c+d', '9f3c2e1']) assert.ok(isLabel(good), good);
  for (const bad of ['', '../43', 'a/b', '-x', 'a b', '$(id)', 'a..b', "'", 'x'.repeat(101)])
    assert.ok(!isLabel(bad), bad);
});

test('a share of machines is rounded down, and one may always be missing', () => {
  const of = (text: string, count: number) => countPermits(readLimit(text) ?? assert.fail(text), count);
  assert.deepEqual(
    [of('25%', 3), of('25%', 8), of('10%', 100), of('100%', 7), of('29%', 100), of('2', 1)],
    [1, 2, 10, 7, 29, 2]
  );
  for (const bad of ['0', '0%', '101%', '-1', '1.5', 'all', '']) assert.equal(readLimit(bad), undefined, bad);
});

test('canaries stand before all others in the queue, and zones come one after the other', () => {
  const places = [
    { id: 'a', zone: 'west' },
    { id: 'b', zone: 'east' },
    { id: 'c', zone: 'east' }
  ];
  const canaries = chooseCanaries('zone', places, 1);
  const queue = places.map((one) => placeInQueue({ ...goal, order: 'zone', canaries }, one)).sort();

  assert.deepEqual(canaries, ['b']);
  assert.deepEqual(queue, ['0/east/b', '1/east/c', '1/west/a']);
});

test('a fleet of any size looks around some 40 times a second together', () => {
  assert.deepEqual([paceMs(3), paceMs(300), paceMs(3_000)], [3_000, 9_000, 90_000]);
});

const running = { label: '42', generation: 1, standby: null, ready: true, busy: false };
const joined: MemberState = step(
  { ...createMember({ id: 'web-1', zone: null }), running },
  { type: 'joined', goal: { doc: goal, revision: 7 }, outcome: null, slot: null, queued: null, machines: 3 }
).state;

test('a machine stands in the queue, looks ahead, takes a permit, and only then deploys', () => {
  assert.equal(joined.asking?.ask, 'enqueue');
  const looks = step(joined, { type: 'answered', answer: { to: 'enqueue' } });
  assert.deepEqual(looks.effects, [
    { do: 'ask', ask: { ask: 'look', place: 'd1/1/web-1', maxUnavailable: { machines: 1 }, watched: null } }
  ]);
  const inQueue = { ahead: 0, limit: 1, watched: null, refused: false };
  const asks = step(looks.state, { type: 'answered', answer: { to: 'look', machines: 3, inQueue } });
  assert.deepEqual([asks.state.asking?.ask, asks.state.deed], ['permit', null]);
  const begins = step(asks.state, { type: 'answered', answer: { to: 'permit', slot: 1 } });
  assert.deepEqual(
    begins.effects.map((effect) => effect.do),
    ['deed']
  );
});

test('a machine without a lease begins nothing, whatever it hears', () => {
  const away = step(joined, { type: 'lease-lost' }).state;
  for (const event of [
    { type: 'recheck' },
    { type: 'running', running },
    { type: 'answered', answer: { to: 'enqueue' } }
  ] as const)
    assert.deepEqual(step(away, event).effects, []);
});

test('a machine whose deploy is under way when the lease is lost ends it by its own verdict', () => {
  const deed = { do: 'deploy', deploy: 'd1', attempt: 1, way: 'forth', from: 1, to: null, givenUp: false } as const;
  const away = step({ ...joined, asking: null, deed, slot: 1 }, { type: 'lease-lost' });

  assert.deepEqual([away.state.deed, away.effects], [deed, []]);
  const done = step(away.state, { type: 'deed-done', result: { ok: true, verdict: null } });
  assert.deepEqual(done.effects, []);
  const back = {
    type: 'joined',
    goal: { doc: goal, revision: 9 },
    outcome: null,
    slot: null,
    queued: null,
    machines: 3
  } as const;
  assert.equal(step(done.state, back).state.asking?.ask, 'settle');
});

test('under a rollback of the fleet a candidate is given up, and what is warm goes back without a permit', () => {
  const deed = { do: 'deploy', deploy: 'd1', attempt: 1, way: 'forth', from: 1, to: null, givenUp: false } as const;
  const back = { doc: rollBack(goal, by), revision: 8 };
  const called = step({ ...joined, asking: null, deed, slot: 1 }, { type: 'goal', goal: back });
  assert.deepEqual(called.effects, [{ do: 'give-up' }]);

  const warm = {
    ...joined,
    asking: null,
    running: { ...running, label: '43', generation: 2, standby: { label: '42' } }
  };
  const goes = step(warm, { type: 'goal', goal: back });
  assert.equal(goes.state.deed?.do, 'roll-back');
  const other = { ...warm, running: { ...warm.running, standby: { label: '41' } } };
  assert.notEqual(step(other, { type: 'goal', goal: back }).state.deed?.do, 'roll-back');
});

test('who joined when few were there learns from the goal how many there are, and takes its time', () => {
  const joined = { type: 'joined', goal: null, outcome: null, slot: null, queued: null, machines: 1 } as const;
  const { state } = step(createMember({ id: 'web-1', zone: null }), joined);
  const heard = step(state, {
    type: 'goal',
    goal: { doc: readGoal(writeGoal({ ...goal, machines: 3_000 })), revision: 2 }
  });

  assert.deepEqual([state.machines, heard.state.machines], [1, 3_000]);
});
