import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { readOptions } from '../../src/options/read-options.ts';
import type { UserOptions } from '../../src/options/user-options.ts';

// What was probably meant, for values that cannot be used: each message ends in something to write instead.

function fixOf(options: UserOptions): string {
  try {
    readOptions(options);
  } catch (error) {
    if (HandoverError.is(error)) return error.fix;
    throw error;
  }
  return assert.fail(`${JSON.stringify(options)} was not refused`);
}

const MISTAKES: readonly (readonly [given: UserOptions, hint: string])[] = [
  [{ listen: 'http://localhost:3000' }, 'such as "localhost:3000"'],
  [{ listen: '99999' }, 'A port is at most 65535'],
  [{ listen: ':3000' }, 'write "3000"'],
  [{ listen: '/run/shop.sock' }, 'write "unix:/run/shop.sock"'],
  [{ listen: 'example.com' }, 'Add a port: "example.com:3000"'],
  [{ listen: 'server.js' }, 'It looks like a file'],
  [{ check: 'health' }, 'Begin it with a slash: "/health"'],
  [{ check: 'http://127.0.0.1:3000/health' }, 'Only the path counts: "/health"'],
  [{ maxMemory: '500' }, 'Add a unit: "500MB"'],
  [{ socket: `/${'x'.repeat(120)}` }, 'Choose a shorter path']
];

for (const [given, hint] of MISTAKES) {
  test(`${JSON.stringify(given)} is answered with what was probably meant`, () => {
    assert.ok(fixOf(given).includes(hint), fixOf(given));
  });
}

test('a hint for a size is itself a size that can be used', () => {
  assert.doesNotMatch(fixOf({ maxMemory: '5' }), /Add a unit/);
});

test('a value without a hint says what the default is', () => {
  assert.equal(fixOf({ workers: 0 }), 'Remove it to get the default of 1, or correct it');
});
