import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestRun } from '../../../src/host/processes/suggest-run.ts';

const TSX = '/srv/shop/node_modules/tsx/dist';

// A command line of a child process, and the command that does the same under handover.
const COMMANDS: readonly (readonly [line: string, command: string | null])[] = [
  ['/usr/bin/node server.js', 'handover run server.js'],
  ['node /srv/shop/dist/main.js --port 80', 'handover run dist/main.js -- --port 80'],
  ['node -r dotenv/config server.js', 'handover run --node-option=--require=dotenv/config server.js'],
  ['node --max-old-space-size=512 server.js', 'handover run --node-option=--max-old-space-size=512 server.js'],
  [
    `node --require ${TSX}/preflight.cjs --import file://${TSX}/loader.mjs server.ts`,
    'handover run --node-option=--import=tsx server.ts'
  ],
  ["node it's.js", "handover run 'it'\\''s.js'"],
  ['node -e setInterval', null],
  ['sh -c node', null],
  ['npm start', null],
  ['', null]
];

for (const [line, command] of COMMANDS) {
  test(`the file that a child process runs is named with its options: ${line || '(nothing)'}`, () => {
    const argv = line.split(' ').filter((word) => word !== '');
    const seen = { pid: 1, argv, cwd: '/srv/shop', state: 'S', listens: [], connecting: [] };

    assert.equal(suggestRun(seen, '/srv/shop'), command);
  });
}
