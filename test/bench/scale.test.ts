import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fileLimit } from '../../bench/rig/usage.ts';
import { openFiles, roomFor } from '../../bench/scale/files.ts';
import { show, showAnswer } from '../../bench/scale/table.ts';
import { unevenness } from '../../bench/scale/workers.ts';

const entry = fileURLToPath(new URL('../../bench/scale.ts', import.meta.url));

test('an even share is 1, and all work on one of four workers is 4', () => {
  assert.equal(unevenness([16, 16, 16, 16]), 1);
  assert.equal(unevenness([64, 0, 0, 0]), 4);
  assert.equal(unevenness([30, 10]), 1.5);
});

test('where a worker was not measured, or nothing was done, there is no share', () => {
  assert.equal(unevenness([16, null]), null);
  assert.equal(unevenness([0, 0]), null);
});

test('a figure has as many digits as mean something', () => {
  assert.deepEqual([10_000, 0, 0.734, 12.34, 123.4, null].map(show), [
    '10,000',
    '0',
    '0.73',
    '12.3',
    '123',
    'not measured'
  ]);
});

test('an answer is a table with the names of its figures as the head, and its notes below', () => {
  const part = { name: 'things', about: 'how many', run: () => Promise.reject(new Error('not asked')) };
  const rows = [
    { size: 1, 'cost ms': 0.5 },
    { size: 1_000, 'cost ms': null }
  ];

  assert.equal(
    showAnswer(part, { rows, notes: ['A note.'] }),
    ['things: how many', '   size       cost ms', '      1          0.50', '  1,000  not measured', '  A note.'].join(
      '\n'
    )
  );
});

test('connections that a process has room for are as many as wanted, or what the limit leaves', {
  skip: fileLimit() === null
}, () => {
  assert.equal(roomFor(1), 1);
  assert.ok(roomFor(2 ** 40) < (fileLimit() ?? 0));
});

test('of a process that is not there nothing is told', () => {
  assert.equal(openFiles(2 ** 30), null);
});

test('a part that does not exist is refused by name, with the names of those that do', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', entry, '--only', 'nothing'], {
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);

  assert.equal(stdout, '');
  assert.match(stderr, /^No part is called "nothing"\.\nusage: npm run bench:scale .*connections, workers, reloads/s);
  assert.equal(code, 2);
});
