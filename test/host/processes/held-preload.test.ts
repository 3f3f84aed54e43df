import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HeldPreload } from '../../../src/host/processes/held-preload.ts';
import { atEnd } from '../../support/end.ts';
import { makeFolder } from '../../support/folder.ts';

/** A preload in a folder, and the supervisor's hold on it. */
function hold(t: TestContext, mode = 0o700) {
  const folder = makeFolder(t, { 'dist/preload.cjs': 'first' });
  const file = join(folder, 'dist/preload.cjs');
  const run = join(folder, 'run');
  mkdirSync(run);
  chmodSync(run, mode);
  const socket = join(run, 'shop.sock');
  const held = new HeldPreload(socket, file);
  atEnd(t, () => held.remove());
  return { folder, file, held, run, beside: `${socket}.handover-preload.cjs` };
}

test('as long as the file is what it was, it is loaded itself, and nothing is written', (t) => {
  const { file, held, beside } = hold(t);
  assert.equal(held.path, file);
  writeFileSync(file, 'second');
  assert.equal(held.path, beside);
  writeFileSync(file, 'first');
  assert.equal(held.path, file, 'the same version is back');
});

for (const [what, change] of [
  ['gone', (file: string) => rmSync(dirname(file), { recursive: true })],
  ['another one', (file: string) => writeFileSync(file, 'second')],
  ['half written', (file: string) => writeFileSync(file, 'fir')],
  [
    'a folder',
    (file: string) => {
      rmSync(file);
      mkdirSync(file);
    }
  ]
] as const) {
  test(`where the file is ${what}, a copy of what it was is loaded, from beside the control socket, for this user only`, (t) => {
    const { file, held, beside } = hold(t);
    change(file);

    assert.equal(held.path, beside);
    assert.equal(readFileSync(beside, 'utf8'), 'first');
    assert.equal(statSync(beside).mode & 0o777, 0o600);
  });
}

test('a copy that was taken away, or is of an earlier supervisor, is written anew; at the end none is left', (t) => {
  const { file, held, beside } = hold(t);
  rmSync(file);
  writeFileSync(beside, 'of an earlier one');
  assert.equal(readFileSync(held.path, 'utf8'), 'first');
  rmSync(beside);
  assert.equal(readFileSync(held.path, 'utf8'), 'first');
  held.remove();

  assert.equal(existsSync(beside), false);
});

test('a link in the place of the copy is not followed', (t) => {
  const { file, folder, held, beside } = hold(t);
  writeFileSync(join(folder, 'theirs'), 'first');
  symlinkSync('../theirs', beside);
  rmSync(file);

  assert.equal(held.path, beside);
  assert.equal(statSync(beside).ino === statSync(join(folder, 'theirs')).ino, false);
});

test('beside a control socket whose folder others can write to, or that is gone, the copy is in the temp folder', (t) => {
  for (const lose of [(run: string) => chmodSync(run, 0o770), (run: string) => rmSync(run, { recursive: true })]) {
    const { file, held, run, beside } = hold(t);
    lose(run);
    rmSync(file);
    const { path } = held;
    assert.equal(dirname(path), realpathSync(tmpdir()));
    assert.equal(readFileSync(path, 'utf8'), 'first');
    held.remove();
    assert.deepEqual([existsSync(path), existsSync(beside)], [false, false]);
  }
});

test('in a folder like /tmp, where nobody can replace what is ours, the copy is beside the socket', (t) => {
  const { file, held, beside } = hold(t, 0o1777);
  rmSync(file);
  assert.equal(held.path, beside);
});
