import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Config, mergeLayers, pickPlace, readLayers } from '../../src/cli/config.ts';
import { createConfigSource } from '../../src/cli/config-source.ts';
import { mergeRun } from '../../src/cli/merge-run.ts';

function folderWith(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'handover-config-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const read = async (t: TestContext, files: Record<string, string>) =>
  mergeLayers(await readLayers(folderWith(t, files)));

const given = (
  flags: Record<string, unknown> = {},
  entry: string | null = null,
  app: readonly string[] | null = null
) => ({
  flags,
  entry,
  app
});

const merge = (one: ReturnType<typeof given>, config: Config) => mergeRun(one, config, '/here').options;

test('a folder without a config says nothing', async (t) => {
  assert.deepEqual(await read(t, {}), {});
  assert.deepEqual(await read(t, { 'package.json': '{"name":"shop"}' }), {});
});

test('the config file wins over package.json, option by option', async (t) => {
  const config = await read(t, {
    'package.json': '{"handover":{"workers":2,"name":"manifest","keepWarm":0}}',
    'handover.config.json': '{"workers":3,"entry":"a.js"}'
  });

  assert.deepEqual(config, { workers: 3, name: 'manifest', keepWarm: 0, entry: 'a.js' });
});

test('a flag wins over the config, and all values of a repeatable one are replaced', () => {
  const merged = merge(given({ listen: ['1'], log: 'json' }, 'flag.js'), {
    listen: [2, 3],
    log: 'pretty',
    workers: 4,
    entry: 'config.js'
  });

  assert.deepEqual(merged, { listen: ['1'], log: 'json', workers: 4, entry: 'flag.js', args: [] });
});

test('options that only fit together may come from two places', async (t) => {
  const config = await read(t, {
    'package.json': '{"handover":{"maxSurge":0}}',
    'handover.config.json': '{"maxUnavailable":1}'
  });

  assert.deepEqual(config, { maxSurge: 0, maxUnavailable: 1 });
});

test('the first file of mjs, js, json counts alone', async (t) => {
  const files = {
    'handover.config.mjs': 'export default { name: "mjs" }',
    'handover.config.js': 'module.exports = { name: "js" }',
    'handover.config.json': '{"name":"json"}'
  };
  assert.deepEqual(await read(t, files), { name: 'mjs' });
  const { 'handover.config.mjs': _, ...others } = files;
  assert.deepEqual(await read(t, others), { name: 'js' });
});

test('a module may export its options by name, and undefined counts as not said', async (t) => {
  const config = await read(t, {
    'package.json': '{"handover":{"workers":2}}',
    'handover.config.mjs': 'export const name = "x"; export const workers = undefined;'
  });

  assert.deepEqual(config, { name: 'x', workers: 2 });
});

const BROKEN: readonly [file: string, content: string, why: RegExp][] = [
  ['handover.config.json', '{"workers":', /^SyntaxError: /],
  ['handover.config.json', '{\n  // twice\n  "workers": 2\n}', /^JSON has no comments, and there is one in line 2$/],
  ['handover.config.json', '{\n  "entry": "a//b,}.js",\n}', /^JSON has no comma after .*, and there is one in line 2$/],
  ['handover.config.json', "{'workers': 2}", /^JSON has no single quotes, and there is one in line 1$/],
  ['handover.config.json', '{\n  "workers": 2 "name": "a"\n}', /^SyntaxError: .*\(line 2/],
  ['handover.config.json', ' ', /^it is empty$/],
  ['handover.config.mjs', 'export default {\n  workers: 2,\n  name "a"\n};', /^SyntaxError: .* \(line 3\)$/],
  ['handover.config.cjs', 'module.exports = {};', /^a config of this name is not read$/],
  ['handover.config.yaml', 'workers: 2', /^a config of this name is not read$/],
  ['handover.config.json', '[1]', /^it must be an object of options, and it is a list$/],
  ['handover.config.mjs', 'export default 7', /and it is a number$/],
  ['handover.config.mjs', 'export default null', /and it is null$/],
  ['handover.config.mjs', 'throw new Error("no database")', /^Error: no database/],
  ['handover.config.mjs', 'throw "text"', /^it threw text$/],
  ['handover.config.mjs', 'import "./missing.mjs"', /Cannot find module/],
  ['package.json', '{', /^SyntaxError: /],
  ['package.json', '{"handover":"server.js"}', /and it is a string$/]
];

for (const [file, content, why] of BROKEN) {
  test(`a config that cannot be used is refused, with file and reason: ${file} with ${content}`, async (t) => {
    await assert.rejects(read(t, { [file]: content }), (error: Record<string, string>) => {
      assert.equal(error.code, 'HANDOVER_ERR_OPTION_CONFIG');
      assert.ok(error.what?.includes(file), error.what);
      assert.match(error.why ?? '', why);
      return true;
    });
  });
}

test('an unknown name is refused with the nearest one and the file', async (t) => {
  await assert.rejects(read(t, { 'handover.config.json': '{"worker":2}' }), {
    code: 'HANDOVER_ERR_OPTION_UNKNOWN',
    what: 'handover.config.json: Option "worker" is not known',
    why: 'the nearest name is "workers"'
  });
  await assert.rejects(read(t, { 'package.json': '{"handover":{"entri":"a.js"}}' }), {
    what: '"handover" in package.json: Option "entri" is not known',
    why: 'the nearest name is "entry"'
  });
});

test('a value that cannot be used is refused with the file', async (t) => {
  for (const bad of [
    { workers: 0 },
    { entry: 7 },
    { args: 'a b' },
    { env: { A: 1 } },
    { cwd: '' },
    { nodeOptions: 'server.js' },
    { label: '' }
  ]) {
    await assert.rejects(read(t, { 'handover.config.json': JSON.stringify(bad) }), {
      code: 'HANDOVER_ERR_OPTION_INVALID',
      what: `handover.config.json: Option "${Object.keys(bad)[0]}" is not usable`
    });
  }
});

test('a message about env shows no value', async (t) => {
  const bad = { 'handover.config.json': '{"env":{"TOKEN":"s3cret","A":1}}' };
  await assert.rejects(
    read(t, bad),
    (error: Error) => !JSON.stringify(error).includes('s3cret') && !error.message.includes('s3cret')
  );
});

test('other commands read name and socket only, whatever else the config says', () => {
  const layers = [
    { source: 'a', values: { name: 'one', wrokers: 2 } },
    { source: 'b', values: { socket: '/s', workers: 'many' } }
  ];

  assert.deepEqual(pickPlace(layers), { name: 'one', socket: '/s' });
});

test('args of the command line replace those of the config, even by none', () => {
  const config = { entry: 'a.js', args: ['x'] };

  assert.deepEqual(merge(given(), config).args, ['x']);
  assert.deepEqual(merge(given({}, null, ['y']), config).args, ['y']);
  assert.deepEqual(merge(given({}, null, []), config).args, []);
});

test('an entry of the command line is meant from here, one of the config from its cwd', () => {
  assert.deepEqual(merge(given({}, 'a.js'), { cwd: 'current' }), {
    cwd: '/here/current',
    entry: '/here/a.js',
    args: []
  });
  assert.deepEqual(merge(given(), { cwd: 'current', entry: 'b.js' }), {
    cwd: '/here/current',
    entry: 'b.js',
    args: []
  });
});

test('flags of the release win over the config; paths of flags are meant from here, those of the config from its cwd', () => {
  const config = { cwd: 'current', envFile: '.env', node: 'bin/node', nodeOptions: '--import=tsx', label: 'one' };
  const { cwd, ...rest } = { ...config, cwd: '/here/current', entry: '/here/a.js', args: [] };
  assert.deepEqual(merge(given({}, 'a.js'), config), { cwd, ...rest });

  const flags = { cwd: 'next', envFile: 'b.env', node: './node', nodeOption: ['--no-warnings'], label: 'two' };
  assert.deepEqual(merge(given(flags, 'a.js'), config), {
    cwd: '/here/next',
    entry: 'a.js',
    args: [],
    envFile: '/here/b.env',
    node: '/here/node',
    nodeOptions: ['--no-warnings'],
    label: 'two'
  });
});

test('env of the config and what --env sets are kept apart: an env file stands between them', async (t) => {
  const folder = folderWith(t, { 'handover.config.json': '{"env":{"B":"2"}}' });
  const { options, env, set } = await createConfigSource(given({ env: { A: '1' } }, 'a.js'), folder).read();

  assert.deepEqual([options.env, env, set], [undefined, { B: '2' }, { A: '1' }]);
});

test('without any entry, the first argument after -- is it', () => {
  assert.deepEqual(merge(given({}, null, ['a.js', 'x']), {}), { entry: 'a.js', args: ['x'] });
  assert.throws(() => merge(given(), {}), { code: 'HANDOVER_ERR_OPTION_ENTRY', what: 'Nothing to run' });
});
