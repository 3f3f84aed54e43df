import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogFile } from '../../src/host/log-file.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/wait.ts';

function open(t: TestContext, given: { path?: string; limitBytes?: number; keep?: number } = {}) {
  const folder = makeFolder(t, {});
  const path = join(folder, given.path ?? 'app.log');
  const said: string[] = [];
  const onFailed = (reason: string) => void said.push(reason.replace(folder, ''));
  const onMended = (lost: number) => void said.push(`lost ${lost}`);
  const file = new LogFile({ limitBytes: 0, keep: 2, ...given, path, onFailed, onMended });
  atEnd(t, () => file.close());
  return { file, folder, path, said, write: (text: string) => file.write(Buffer.from(text)) };
}

const read = (path: string) => readFileSync(path, 'utf8');

test('lines are appended to what is there, in a file that others may not read', (t) => {
  const { path, write, file } = open(t);
  write('one\ntwo\n');
  assert.equal(read(path), 'one\ntwo\n');
  assert.equal(statSync(path).mode & 0o777, 0o640 & ~process.umask());
  file.reopen();
  write('three\n');
  assert.equal(read(path), 'one\ntwo\nthree\n');
});

test('its folder is made', (t) => {
  const { path, write } = open(t, { path: 'logs/today/app.log' });
  write('one\n');
  assert.equal(read(path), 'one\n');
});

test('a file that was moved away gets what comes until it is opened anew, and no line is lost', (t) => {
  const { path, file, write } = open(t);
  write('one\n');
  renameSync(path, `${path}.old`);
  write('two\n');
  file.reopen();
  write('three\n');
  assert.equal(read(`${path}.old`) + read(path), 'one\ntwo\nthree\n');
  assert.equal(read(path), 'three\n');
});

test('a file that was moved away is opened anew by itself', async (t) => {
  const { path, write } = open(t);
  renameSync(path, `${path}.old`);
  let written = '';
  for (let n = 0; ; n += 1) {
    write(`${n}\n`);
    written += `${n}\n`;
    if (existsSync(path)) break;
    await new Promise((done) => setTimeout(done, 20));
    assert.ok(n < 1500, 'it is opened anew');
  }
  assert.equal(read(`${path}.old`) + read(path), written);
});

test('a file that was truncated goes on at its beginning', (t) => {
  const { path, write } = open(t);
  write('one\n');
  truncateSync(path);
  write('two\n');
  assert.equal(read(path), 'two\n');
});

test('above its size it is rotated, so many earlier ones are kept, and no line is lost before that', (t) => {
  const { path, write } = open(t, { limitBytes: 100, keep: 2 });
  for (let n = 10; n < 60; n += 1) write(`line ${n}\n`);
  const all = read(`${path}.2`) + read(`${path}.1`) + read(path);
  assert.equal(existsSync(`${path}.3`), false);
  for (const one of ['', '.1', '.2']) assert.ok(statSync(path + one).size <= 100);
  assert.match(all, /line 59\n$/);
  const [first = ''] = all.match(/\d+/) ?? [];
  assert.equal(all.split('\n').length - 1, 60 - Number(first));
});

test('with none kept it begins anew', (t) => {
  const { path, write } = open(t, { limitBytes: 100, keep: 0 });
  for (let n = 0; n < 50; n += 1) write(`line ${n}\n`);
  assert.match(read(path), /line 49\n$/);
  assert.equal(existsSync(`${path}.1`), false);
});

test('a folder that is gone is made again', async (t) => {
  const { folder, path, write } = open(t, { path: 'logs/app.log' });
  rmSync(join(folder, 'logs'), { recursive: true });
  await until(() => {
    write('line\n');
    return existsSync(path);
  }, 'the file in its new folder');
});

test('where it cannot be written that is said once, and how many lines are missing when it can again', async (t) => {
  const { folder, path, said, write } = open(t, { path: 'logs/app.log' });
  rmSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'logs'), '');
  await until(() => {
    write('line\n');
    return said.length > 0;
  }, 'a word of it');
  write('lost\nlost\n');
  assert.deepEqual(said, ['/logs/app.log: a part of its path is no folder (EEXIST)']);
  rmSync(join(folder, 'logs'));
  mkdirSync(join(folder, 'logs'));
  await until(() => {
    write('line\n');
    return said.length > 1;
  }, 'a word that it can be written again');
  assert.match(said[1] ?? '', /^lost [3-9]\d*$/);
  assert.match(read(path), /^line\n/);
});

test('a full disk is said once, and nothing throws', {
  skip: !existsSync('/dev/full') && 'there is no /dev/full'
}, (t) => {
  const said: string[] = [];
  const file = new LogFile({
    ...{ path: '/dev/full', limitBytes: 10, keep: 1 },
    onFailed: (reason) => void said.push(reason),
    onMended: () => assert.fail('it is full')
  });
  atEnd(t, () => file.close());
  for (let n = 0; n < 5; n += 1) file.write(Buffer.from('0123456789\n'));
  assert.deepEqual(said, ['/dev/full: the disk is full (ENOSPC)']);
});

test('what cannot be a log file is refused', (t) => {
  const folder = makeFolder(t, { file: '' });
  const refuse = (path: string, why: RegExp) =>
    assert.throws(
      () => new LogFile({ path, limitBytes: 0, keep: 0, onFailed: () => {}, onMended: () => {} }),
      (error: { code?: string; message?: string }) =>
        error.code === 'HANDOVER_ERR_OPTION_INVALID' && why.test(error.message ?? '')
    );
  refuse(folder, /it is no file/);
  refuse(join(folder, 'file/app.log'), /a part of its path is no folder/);
});
