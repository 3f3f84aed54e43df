import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODES, describeFailure, type ErrorCode, HandoverError, systemCode } from '../src/errors.ts';

const codes = Object.keys(CODES) as ErrorCode[];
const account = { what: 'Generation 7 was given up', why: 'it never listened', fix: 'Let it listen' };
const exits: Record<string, number> = {
  OPTION: 2,
  REFUSED: 3,
  CONTROL: 4,
  CANDIDATE: 1,
  WORKER: 1,
  LISTEN: 1,
  PROTOCOL: 1,
  FLEET: 5,
  BUG: 70
};

for (const code of codes) {
  test(`${code}: its family gives the exit code, and it says what it means`, () => {
    const [, family = ''] = /^HANDOVER_ERR_([A-Z]+)(_[A-Z_]+)?$/.exec(code) ?? [];
    assert.equal(CODES[code].exit, exits[family]);
    assert.equal(new HandoverError(code, account).exitCode, exits[family]);
    assert.ok(CODES[code].status >= 400 && CODES[code].status < 600);
    assert.match(CODES[code].means, /^[A-Z].*\.$/);
  });
}

test('a message says what happened, why, and what to do', () => {
  const error = new HandoverError('HANDOVER_ERR_CANDIDATE_NOT_READY', account);

  assert.equal(error.message, 'Generation 7 was given up: it never listened. Let it listen.');
  assert.equal(error.name, 'HandoverError');
  assert.ok(error instanceof Error);
  assert.match(error.stack ?? '', /^HandoverError: Generation 7/);
});

test('an error keeps its cause, and the generation that is active nevertheless', () => {
  const cause = new Error('before');
  const error = new HandoverError('HANDOVER_ERR_BUG', account, { cause, active: 6 });

  assert.equal(error.cause, cause);
  assert.equal(error.active, 6);
  assert.equal(new HandoverError('HANDOVER_ERR_BUG', account).active, null);
});

test('an error of another copy of the package is one too', async () => {
  const copy = (await import(`../src/errors.ts?${'copy'}`)) as typeof import('../src/errors.ts');
  assert.notEqual(copy.HandoverError, HandoverError);
  const theirs = new copy.HandoverError('HANDOVER_ERR_BUG', account);

  assert.ok(!(theirs instanceof HandoverError));
  assert.ok(HandoverError.is(theirs));
  assert.equal(HandoverError.from(theirs), theirs);
});

test('nothing else is one', () => {
  for (const other of [null, undefined, 'x', 7, {}, new Error('x'), { code: 'HANDOVER_ERR_BUG' }]) {
    assert.equal(HandoverError.is(other), false);
  }
});

test('the mark of an error is not shown', () => {
  assert.deepEqual(Object.getOwnPropertySymbols(new HandoverError('HANDOVER_ERR_BUG', account)).length, 1);
  assert.equal(JSON.stringify(new HandoverError('HANDOVER_ERR_BUG', account)).includes('brand'), false);
});

test('whatever was thrown becomes an error with a code, and a failure nobody foresaw is our bug', () => {
  const cause = new TypeError('x is not a function');
  const error = HandoverError.from(cause);

  assert.equal(error.code, 'HANDOVER_ERR_BUG');
  assert.equal(error.exitCode, 70);
  assert.equal(error.cause, cause);
  assert.match(error.message, /x is not a function/);
  for (const thrown of ['text', undefined, null, 7, Symbol('x')]) {
    assert.equal(HandoverError.from(thrown).code, 'HANDOVER_ERR_BUG');
  }
});

test('a failure as JSON has the fields that every door shows, and no more', () => {
  const error = new HandoverError('HANDOVER_ERR_REFUSED_BUSY', account, { active: 6, cause: new Error('secret') });

  assert.deepEqual(JSON.parse(JSON.stringify(describeFailure(error))), {
    ok: false,
    code: 'HANDOVER_ERR_REFUSED_BUSY',
    ...account,
    active: 6
  });
});

test("the system's error code is read where there is one", () => {
  assert.equal(systemCode(Object.assign(new Error('x'), { code: 'EADDRINUSE' })), 'EADDRINUSE');
  for (const other of [
    new Error('x'),
    Object.assign(new Error('x'), { code: 7 }),
    { code: 'EACCES' },
    null,
    'EACCES'
  ]) {
    assert.equal(systemCode(other), null);
  }
});
