import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGNAL_NAMES } from '../src/core/verdict/signals.ts';
import { readDescribed, readWritten } from './docs/events.ts';
import { findAnchors, findBrokenLinks, findLinks, OTHER_PAGES, PAGES, readPage } from './docs/pages.ts';
import { renderPages } from './readme.ts';

/** README.md is one screen; what does not fit has its page in docs/. */
const LONGEST = 150;

for (const { page, text, rendered } of renderPages()) {
  test(`the tables of docs/${page} are those of the code (\`npm run docs\` writes them)`, () => {
    assert.equal(text, rendered);
  });
}

test('every event that is written anywhere in the source is in the table, and no other is', () => {
  const described = readDescribed().map(({ name }) => name);
  const written = [...readWritten().keys()];
  assert.ok(written.length > 50, `${written.length} events`);
  assert.deepEqual(
    written.filter((name) => !described.includes(name)),
    []
  );
  assert.deepEqual(
    described.filter((name) => name !== 'message' && name !== 'event' && !written.includes(name)),
    []
  );
});

test('every signal of the verdict has its line in docs/checks-and-verdict.md', () => {
  const { text } = readPage('docs/checks-and-verdict.md');
  const { length } = SIGNAL_NAMES.filter((name) => text.includes(`\n| \`${name}\` | `));
  assert.equal(length, SIGNAL_NAMES.length);
});

test(`README.md has at most ${LONGEST} lines`, () => {
  const lines = readPage('README.md').text.trimEnd().split('\n').length;
  assert.ok(lines <= LONGEST, `${lines} lines`);
});

test('the index of docs/ names every page, and each page is reached from README.md', () => {
  const pages = PAGES.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
  const index = findLinks(readPage('docs/README.md').text).map((target) => `docs/${target}`);
  assert.deepEqual([...index].sort(), [...pages].sort());
  assert.ok(findLinks(readPage('README.md').text).includes('docs/README.md'));
});

for (const page of [...PAGES, ...OTHER_PAGES]) {
  test(`every link of ${page.path} leads to a file and a heading that exist`, () => {
    assert.deepEqual(findBrokenLinks(page), []);
  });
}

test('a link that leads nowhere is found', () => {
  const text =
    '# One `--two` & three\n\n[a](#one---two--three) [b](docs/README.md#no-such) [c](no-such.md) [`d`](docs)\n';
  assert.deepEqual(findAnchors(text), ['one---two--three']);
  assert.deepEqual(findBrokenLinks({ path: 'page.md', text }), [
    'docs/README.md#no-such: docs/README.md has no such heading',
    'no-such.md: there is no no-such.md'
  ]);
});
