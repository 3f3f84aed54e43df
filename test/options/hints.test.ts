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
  [{ listen: 'http' }, 'Write the number of its port: "80"'],
  [{ listen: '80:3000' }, 'For port 80, to the server that asks for 3000, write "80=3000"'],
  [{ listen: 3, workers: 80 }, 'Write `--listen 80 --workers 3`'],
  [{ workers: '8080' as unknown as number }, 'If it is a port: `--listen 8080`'],
  [{ drainTimeout: '30' }, 'Add a unit: "30s", or "30ms" if that is meant. Remove it to get the default of 30s'],
  [{ bake: '45' }, 'Add a unit: "45s"'],
  [{ keepWarm: '10' }, 'Add a unit: "10s"'],
  [{ restarts: '5' }, 'Write "5/1m"'],
  [{ restarts: '5/30' }, 'Write "5/30s"'],
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

test('a number in code is milliseconds, and so is a text of a whole second and more', () => {
  const { drainTimeout, readyTimeout, hangTimeout } = readOptions({
    drainTimeout: 30,
    readyTimeout: '1500',
    hangTimeout: '0'
  });
  assert.deepEqual([drainTimeout, readyTimeout, hangTimeout], [30, 1_500, 0]);
});

test('a value without a hint says what the default is', () => {
  assert.equal(fixOf({ workers: 0 }), 'Remove it to get the default of 1, or correct it');
});
