import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { README, renderReadme } from './readme.ts';

test('the tables of README.md are those of the code (`npm run docs` writes them)', () => {
  const text = readFileSync(README, 'utf8');
  assert.equal(text, renderReadme(text));
});
