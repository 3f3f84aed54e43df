import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckResponse, judgeCheck, readCheck } from '../../src/options/checks.ts';

const OK: CheckResponse = { status: 200, headers: { 'x-version': '2' }, body: '{"ready":true}' };

function judge(expect: object, came: Partial<CheckResponse> = {}) {
  const check = readCheck({ path: '/health', expect });
  assert.ok(check && typeof check !== 'function');
  return judgeCheck(check, { ...OK, ...came });
}

test('each kind of expectation holds, and says what came where it does not', () => {
  const body = `status 200, body ${JSON.stringify(OK.body)}`;
  for (const [expect, expected, came] of [
    [{ status: 204 }, 'status 204', body],
    [{ status: [201, 204] }, 'status 201 or 204', body],
    [{ headers: { 'X-Version': '3' } }, 'header X-Version: 3', 'header X-Version: 2'],
    [{ headers: { missing: /./ } }, 'header missing: /./', 'header missing: (none)'],
    [{ body: 'broken' }, 'a body with "broken" in it', body],
    [{ body: /^broken/ }, 'a body like /^broken/', body],
    [{ body: ({ ready }: { ready: boolean }) => !ready }, 'a body that the check accepts', body]
  ] as const)
    assert.deepEqual(judge(expect), { expected, came });
  const all = { status: 200, headers: { 'X-Version': /^\d$/ }, body: ({ ready }: { ready: boolean }) => ready };
  assert.equal(judge(all), null);
  assert.equal(judge({}, { status: 302 }), null);
  assert.equal(judge({}, { status: 404 })?.expected, 'status 200-399');
});

test('of a long body the first 200 characters are shown', () => {
  assert.equal(judge({ body: 'a' }, { body: 'b'.repeat(300) })?.came, `status 200, body "${'b'.repeat(200)}"`);
});

test('a pattern that remembers where it was gives the same answer each time', () => {
  const pattern = /ready/g;
  const expect = { headers: { 'x-version': /2/y }, body: pattern };
  for (let turn = 0; turn < 3; turn += 1) assert.equal(judge(expect), null);
});
