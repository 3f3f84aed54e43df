import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, chooseGeneration, chooseUnread, type Shares } from '../../../src/core/routing/choose.ts';
import type { By } from '../../../src/core/routing/plan.ts';
import { createRandom } from '../../support/random.ts';

const USERS = 100_000;

function routing(by: By, share: number, more: Partial<Shares> = {}): Shares {
  return { active: 6, canary: 7, share, by, always: [], never: [], salt: '7', ...more };
}

function asked(headers: Asked['headers'], more: Partial<Asked> = {}): Asked {
  return { headers, url: '/', address: '10.0.0.1', lot: 0.5, chance: 0.5, ...more };
}

/** By how much the share of as many may differ from what is wanted: once in a million, by chance. */
function toleranceOf(share: number, count: number): number {
  return 5 * Math.sqrt((share * (1 - share)) / count);
}

const USER: readonly (readonly [By, (user: number) => Asked])[] = [
  [{ kind: 'cookie', name: 'session' }, (user) => asked({ cookie: `a=1; session=u${user}; b="2"` })],
  [{ kind: 'header', name: 'x-user' }, (user) => asked({ 'x-user': `u${user}` })],
  [{ kind: 'query', name: 'sid' }, (user) => asked({}, { url: `/?x=1&sid=u${user}` })],
  [
    { kind: 'ip', header: null },
    (user) => asked({}, { address: `10.${user >> 16}.${(user >> 8) & 255}.${user & 255}` })
  ],
  [{ kind: 'ip', header: 'x-forwarded-for' }, (user) => asked({ 'x-forwarded-for': `u${user}, 10.0.0.9` })]
];

for (const [by, of] of USER) {
  const name = `${by.kind}${'name' in by ? ` ${by.name}` : ''}`;

  test(`by ${name}: the share is exact, a user stays on one side, and nobody leaves the canary as it grows`, () => {
    let before = new Set<number>();
    for (const share of [0.01, 0.05, 0.25, 0.5, 0.99]) {
      const now = new Set<number>();
      for (let user = 0; user < USERS; user += 1) {
        const side = chooseGeneration(routing(by, share), of(user));
        assert.equal(side, chooseGeneration(routing(by, share), of(user)));
        if (side === 7) now.add(user);
      }
      assert.ok(Math.abs(now.size / USERS - share) < toleranceOf(share, USERS), `${now.size} of ${USERS} at ${share}`);
      for (const user of before) assert.ok(now.has(user), `user ${user} left at ${share}`);
      before = now;
    }
  });

  test(`by ${name}: another deploy draws other users`, () => {
    let both = 0;
    for (let user = 0; user < USERS; user += 1) {
      const first = chooseGeneration(routing(by, 0.1), of(user)) === 7;
      const second = chooseGeneration(routing(by, 0.1, { salt: '8' }), of(user)) === 7;
      if (first && second) both += 1;
    }
    assert.ok(Math.abs(both / USERS - 0.01) < toleranceOf(0.01, USERS), `${both} of ${USERS} in both`);
  });
}

test('who says nothing is decided by connection, and random ones by each request', () => {
  const random = createRandom(1);
  for (let at = 0; at < 1_000; at += 1) {
    const [lot, chance] = [random(), random()];
    const of = (by: By) => chooseGeneration(routing(by, 0.3), asked({ cookie: 'other=1' }, { lot, chance }));
    assert.equal(of({ kind: 'cookie', name: 'session' }), lot < 0.3 ? 7 : 6);
    assert.equal(of({ kind: 'connection' }), lot < 0.3 ? 7 : 6);
    assert.equal(of({ kind: 'random' }), chance < 0.3 ? 7 : 6);
    assert.equal(chooseUnread(routing({ kind: 'connection' }, 0.3), undefined, lot), lot < 0.3 ? 7 : 6);
  }
});

test('what is always answered by one side is, and never is stronger', () => {
  const rules = routing({ kind: 'random' }, 0, {
    always: [
      { kind: 'header', name: 'x-beta', value: '1' },
      { kind: 'cookie', name: 'team', value: 'ours' }
    ],
    never: [{ kind: 'query', name: 'stable', value: null }]
  });
  const side = (headers: Asked['headers'], url = '/') => chooseGeneration(rules, asked(headers, { url, chance: 0 }));
  assert.equal(side({ 'x-beta': '1' }), 7);
  assert.equal(side({ 'x-beta': '2' }), 6);
  assert.equal(side({ cookie: 'x=1;team=ours' }), 7);
  assert.equal(side({ cookie: 'steam=ours' }), 6);
  assert.equal(side({ 'x-beta': '1' }, '/?stable=yes'), 6);
  assert.equal(side({ 'x-beta': '1' }, '/stable'), 7);
});

test('at 0 nobody, and at 1 everybody', () => {
  for (const chance of [0, 0.5, 0.999]) {
    assert.equal(chooseGeneration(routing({ kind: 'random' }, 0), asked({}, { chance })), 6);
    assert.equal(chooseGeneration(routing({ kind: 'random' }, 1), asked({}, { chance })), 7);
  }
});
