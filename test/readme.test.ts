import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SIGNAL_NAMES } from '../src/core/verdict/signals.ts';
import { README, renderReadme } from './readme.ts';

test('the tables of README.md are those of the code (`npm run docs` writes them)', () => {
  const text = readFileSync(README, 'utf8');
  assert.equal(text, renderReadme(text));
});

test('every signal of the verdict has its line in README.md', () => {
  const text = readFileSync(README, 'utf8');
  const { length } = SIGNAL_NAMES.filter((name) => text.includes(`\n| \`${name}\` | `));
  assert.equal(length, SIGNAL_NAMES.length);
});
