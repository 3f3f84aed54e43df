import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findLabel } from '../../../src/host/releases/label.ts';
import { makeFolder } from '../../support/folder.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const OTHER = 'fedcba9876543210fedcba9876543210fedcba98';
const PACKAGE = '{"name":"shop","version":"1.4.0"}';

const label = (t: Parameters<typeof makeFolder>[0], files: Record<string, string>, file = 'server.js') =>
  findLabel(join(makeFolder(t, files), file));

test('the commit that is checked out names a release', (t) => {
  assert.equal(label(t, { '.git/HEAD': `${COMMIT}\n`, 'package.json': PACKAGE }), '0123456');
  const branch = { '.git/HEAD': 'ref: refs/heads/main\n', 'package.json': PACKAGE };
  assert.equal(label(t, { ...branch, '.git/refs/heads/main': `${COMMIT}\n` }), '0123456');
});

test('a branch that git has packed is found there', (t) => {
  const packed = `# pack-refs with: peeled fully-peeled sorted\n${OTHER} refs/heads/x/main\n${COMMIT} refs/heads/main\n^${OTHER}\n`;

  assert.equal(label(t, { '.git/HEAD': 'ref: refs/heads/main', '.git/packed-refs': packed }), '0123456');
});

test('a checkout whose .git is a file shares the branches of its repository', (t) => {
  const files = {
    'work/.git': 'gitdir: ../main/.git/worktrees/work\n',
    'main/.git/worktrees/work/HEAD': 'ref: refs/heads/topic\n',
    'main/.git/worktrees/work/commondir': '../..\n',
    'main/.git/refs/heads/topic': `${COMMIT}\n`
  };

  assert.equal(label(t, files, 'work/server.js'), '0123456');
});

test('a commit of SHA-256 is one too', (t) => {
  assert.equal(label(t, { '.git/HEAD': `${COMMIT}${COMMIT.slice(0, 24)}` }), '0123456');
});

test('without a commit it is the version of the nearest package.json', (t) => {
  assert.equal(label(t, { 'package.json': PACKAGE, 'dist/server.js': '' }, 'dist/server.js'), '1.4.0');
  assert.equal(label(t, { 'package.json': PACKAGE, '.git/HEAD': 'ref: refs/heads/unborn' }), '1.4.0');
});

test('a repository above the nearest package.json is not that of the release', (t) => {
  const files = { '.git/HEAD': COMMIT, 'releases/43/package.json': PACKAGE };

  assert.equal(label(t, files, 'releases/43/dist/server.js'), '1.4.0');
  assert.equal(label(t, { ...files, 'releases/43/package.json': '{}' }, 'releases/43/server.js'), null);
});

test('the repository is found from a folder below', (t) => {
  assert.equal(label(t, { '.git/HEAD': COMMIT, 'package.json': PACKAGE }, 'src/bin/server.js'), '0123456');
});

test('what is no commit, no version and no JSON is no label', (t) => {
  for (const files of [
    { '.git/HEAD': 'ref: refs/../../secret', secret: COMMIT },
    { '.git/HEAD': 'garbage' },
    { '.git': 'garbage' },
    { 'package.json': '{' },
    { 'package.json': 'null' },
    { 'package.json': '{"version":7}' },
    { 'package.json': '{"version":"a\\nb"}' }
  ]) {
    assert.equal(label(t, { 'package.json': '{}', ...files } as unknown as Record<string, string>), null);
  }
});
