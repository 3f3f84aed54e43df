import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import manifest from '../../../package.json' with { type: 'json' };
import type { Release, ReleaseOrder } from '../../../src/core/state/state.ts';
import { HandoverError } from '../../../src/errors.ts';
import { OLDEST_NODE } from '../../../src/host/releases/environment.ts';
import { releaseFromHistory } from '../../../src/host/releases/release-from-history.ts';
import { nameApp, resolveRelease } from '../../../src/host/releases/resolve-release.ts';
import { play } from '../../core/player.ts';
import { makeFolder, writeFile } from '../../support/folder.ts';

/** Two releases and a link `current` to the first; an own Node, which says what a test wants it to say. */
function makeReleases(t: TestContext): string {
  const folder = makeFolder(t, {
    'releases/1/server.js': '',
    'releases/1/package.json': '{"version":"1.0.0"}',
    'releases/1/.env': 'FROM_FILE=1\nBOTH=file\n',
    'releases/2/server.js': '',
    'releases/2/package.json': '{"version":"2.0.0"}',
    'releases/2/.env': 'FROM_FILE=2\n'
  });
  symlinkSync('releases/1', join(folder, 'current'));
  return folder;
}

function point(folder: string, to: string): void {
  symlinkSync(to, join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'current'));
}

function fakeNode(path: string, says: string): string {
  return writeFile(path, `#!/bin/sh\necho '${says}'\n`, 0o755);
}

const baseOf = (folder: string) => ({ entry: 'server.js', folder: join(folder, 'current'), args: ['a'] });

const first = (folder: string) => resolveRelease({}, baseOf(folder), {}, null);

async function refusal(folder: string, order: ReleaseOrder, { asked }: Release): Promise<HandoverError> {
  try {
    await resolveRelease(order, baseOf(folder), asked, 6);
  } catch (error) {
    if (HandoverError.is(error)) return error;
    throw error;
  }
  return assert.fail(`${JSON.stringify(order)} was taken`);
}

test('a release has real paths, and remembers what was written', async (t) => {
  const folder = makeReleases(t);

  assert.deepEqual(await first(folder), {
    entry: 'server.js',
    file: join(folder, 'releases/1/server.js'),
    cwd: join(folder, 'releases/1'),
    folder: join(folder, 'current'),
    args: ['a'],
    env: {},
    envFile: null,
    node: null,
    nodeOptions: [],
    label: '1.0.0',
    asked: {}
  });
});

test('what is not said stays as it was written: links, env file and label are looked at anew', async (t) => {
  const folder = makeReleases(t);
  const node = fakeNode(join(folder, 'releases/1/node'), 'v22.1.0');
  fakeNode(join(folder, 'releases/2/node'), 'v24.0.0');
  const given = { env: { BOTH: 'hand', BY_HAND: 'yes' }, envFile: '.env', node: 'node', args: ['b'], label: 'first' };
  const one = await resolveRelease(given, baseOf(folder), {}, 6);
  assert.deepEqual(one.env, { FROM_FILE: '1', BOTH: 'hand', BY_HAND: 'yes' });
  assert.deepEqual([one.node, one.label, one.args], [node, 'first', ['b']]);

  point(folder, 'releases/2');
  const two = await resolveRelease({}, baseOf(folder), one.asked, 7);
  assert.equal(two.file, join(folder, 'releases/2/server.js'));
  assert.equal(two.cwd, join(folder, 'releases/2'));
  assert.deepEqual(two.env, { FROM_FILE: '2', BOTH: 'hand', BY_HAND: 'yes' });
  assert.deepEqual([two.node, two.label, two.args], [join(folder, 'releases/2/node'), '2.0.0', ['b']]);
});

test('what is said takes the place of what was, each variable by itself', async (t) => {
  const folder = makeReleases(t);
  const one = await resolveRelease({ env: { A: '1', B: '1' }, envFile: '.env' }, baseOf(folder), {}, 6);
  const two = await resolveRelease(
    { env: { B: '2' }, cwd: join(folder, 'releases/2'), args: [] },
    baseOf(folder),
    one.asked,
    7
  );

  assert.deepEqual(two.env, { FROM_FILE: '2', A: '1', B: '2' });
  assert.deepEqual([two.cwd, two.folder, two.args], [join(folder, 'releases/2'), join(folder, 'releases/2'), []]);
  assert.equal(two.file, join(folder, 'releases/2/server.js'), 'an entry is meant from the folder');
  const three = await resolveRelease({ env: {}, envFile: '/dev/null' }, baseOf(folder), two.asked, 8);
  assert.deepEqual(three.env, { A: '1', B: '2' });
});

test('the Node of the supervisor is no other Node', async (t) => {
  const folder = makeReleases(t);
  const link = join(folder, 'node');
  symlinkSync(process.execPath, link);
  const other = await resolveRelease({ node: fakeNode(join(folder, 'other'), 'v20.19.0') }, baseOf(folder), {}, 6);
  const back = await resolveRelease({ node: link }, baseOf(folder), other.asked, 7);

  assert.deepEqual([back.node, back.asked.node], [null, link]);
});

test('a folder or a name without its ending is what Node would start, found anew after each deploy', async (t) => {
  const folder = makeFolder(t, {
    'app/a.js': '',
    'app/b/index.js': '',
    'app/c.js': '',
    'app/c.json': '',
    'app/index.js': '',
    'app/other/notes.txt': ''
  });
  const app = join(folder, 'app');
  const find = async (entry: string) => {
    const { file } = await resolveRelease({ entry }, { entry, folder: app, args: [] }, {}, 6);
    return file.slice(app.length + 1);
  };
  for (const [manifest, file] of [
    ['{"main":"a.js"}', 'a.js'],
    ['{"main":"./b"}', 'b/index.js'],
    ['{"main":"c"}', 'c.js'],
    ['{"main":"gone.js"}', 'index.js'],
    ['{', 'index.js'],
    ['{}', 'index.js']
  ] as const) {
    writeFile(join(app, 'package.json'), manifest);
    assert.equal(await find('.'), file, manifest);
  }
  assert.equal(await find('c'), 'c.js');
  assert.equal(await find('b'), 'b/index.js');
  rmSync(join(app, 'c.js'));
  assert.equal(await find('c'), 'c.json');

  await assert.rejects(find('other'), /in the folder \S+\/other is no index\.js, nor a file that "main"/);
  await assert.rejects(find('/dev/null'), /\/dev\/null is not a file/);
  await assert.rejects(find('c.js/below'), /c\.js\/below does not exist/);
});

test('what cannot be used is refused with what to do, and with what is still active', async (t) => {
  const folder = makeReleases(t);
  const before = await first(folder);
  const plain = writeFile(join(folder, 'plain'), '');
  const cases: readonly (readonly [ReleaseOrder, RegExp])[] = [
    [{ entry: 'gone.js' }, /^Cannot start gone\.js: \S+\/current\/gone\.js does not exist\. Give the path/],
    [{ cwd: '/gone' }, /^Cannot start server\.js: the folder \/gone does not exist/],
    [{ entry: join(folder, 'releases/1/server.js'), cwd: '/gone' }, /^Cannot start in \/gone: \/gone is not a folder/],
    [{ envFile: 'gone.env' }, /^Cannot read the env file: \S+\/gone\.env does not exist\. Mend it/],
    [{ envFile: '.' }, /^Cannot read the env file: \S+ cannot be read \(EISDIR\)/],
    [{ node: 'gone' }, /^Cannot use this Node: \S+\/gone does not exist\. Give the path of a Node binary/],
    [{ node: fakeNode(join(folder, 'bun'), '1.2.3') }, /bun is not Node: asked for its version, it said "1\.2\.3\\n"/],
    [{ node: fakeNode(join(folder, 'old'), 'v20.18.3') }, /old is Node v20\.18\.3, and 20\.19 is the oldest/],
    [{ node: writeFile(join(folder, 'ill'), '#!/bin/sh\nexit 9\n', 0o755) }, /ill could not say its version \(9\)/]
  ];
  for (const [order, message] of cases) {
    const error = await refusal(folder, order, before);
    assert.deepEqual([error.code, error.active], ['HANDOVER_ERR_CANDIDATE_ENTRY', 6]);
    assert.match(error.message, message);
    assert.match(error.message, /; generation 6 is still active\.$/);
  }
  assert.match((await refusal(folder, { node: plain }, before)).message, /not executable|could not say/);
});

test('the oldest Node for a worker is that of the package', () => {
  assert.equal(manifest.engines.node, `>=${OLDEST_NODE.join('.')}`);
});

test('an earlier generation is started again exactly as it was, as long as its files are there', async (t) => {
  const folder = makeReleases(t);
  const release = await resolveRelease({ env: { A: '1' } }, baseOf(folder), {}, null);
  const boot = play('stopped', 'boot ./v1.js').state.history[0] ?? assert.fail('no entry');
  const entry = { ...boot, generation: 3, release };
  const refuse = (id: number) => {
    try {
      releaseFromHistory([entry], id, 6);
    } catch (error) {
      if (HandoverError.is(error)) return error;
    }
    return assert.fail(`generation ${id} was found`);
  };

  assert.equal(releaseFromHistory([entry], 3, 6), release);
  const unknown = refuse(4);
  assert.deepEqual([unknown.code, unknown.active], ['HANDOVER_ERR_REFUSED_NO_GENERATION', 6]);
  assert.match(unknown.message, /generation 4: the history does not have it \(it has 3\)/);
  rmSync(join(folder, 'releases/1/server.js'));
  assert.match(refuse(3).message, /its entry \S+\/releases\/1\/server\.js is gone/);
});

test('an app is named by the nearest package.json of its own, not by that of a package which is installed', (t) => {
  const folder = makeFolder(t, {
    'package.json': '{"name":"shop"}',
    'node_modules/framework/package.json': '{"name":"framework"}'
  });
  assert.equal(nameApp(join(folder, 'node_modules/framework/bin/start.js')), 'shop');
  assert.equal(nameApp(join(folder, 'server.js')), 'shop');
});
