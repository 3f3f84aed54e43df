import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Chapter } from '../../src/core/state/state.ts';
import { Chronicle, loadSnapshot, type Snapshot, statePath } from '../../src/host/state-file.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/wait.ts';

const chapter: Chapter = {
  generation: 7,
  release: {
    ...{ entry: 'server.js', file: '/srv/43/server.js', cwd: '/srv/43', folder: '/srv/current', args: ['--x'] },
    ...{ env: { API_TOKEN: 'hush' }, envFile: '.env', node: '/opt/node', label: '1.4.0' },
    asked: { env: { API_TOKEN: 'hush' }, node: '/opt/current/node' }
  },
  kind: 'reload',
  strategy: 'rolling',
  startedAt: 1_000,
  activeAt: 2_000,
  activeMs: 0,
  endedAt: 3_000,
  requests: 12,
  failed: 1,
  outcome: 'retired',
  reason: 'it was kept warm long enough',
  standby: 6
};
const snapshot: Snapshot = { lastGeneration: 9, history: [chapter] };

function place(t: TestContext) {
  const folder = makeFolder(t);
  const path = join(folder, 'state.json');
  const warnings: string[] = [];
  const chronicle = new Chronicle(path, (why) => warnings.push(why));
  return { folder, path, warnings, chronicle, files: () => readdirSync(folder).sort() };
}

async function keep(t: TestContext, ...chapters: Chapter[]): Promise<string> {
  const { path, chronicle } = place(t);
  chronicle.save({ ...snapshot, history: chapters });
  await chronicle.flush();
  return path;
}

test('what is kept is read again, and only this user can read it', async (t) => {
  const path = await keep(t, chapter);

  assert.deepEqual(loadSnapshot(path), { snapshot, warning: null });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('without a file there is nothing to go on from, and nothing to warn of', (t) => {
  assert.deepEqual(loadSnapshot(place(t).path), { snapshot: null, warning: null });
});

test('a generation that ran to the last is put down as retired, when and why', async (t) => {
  for (const outcome of ['candidate', 'active', 'standby'] as const) {
    const open = { ...chapter, outcome, reason: null, endedAt: null };
    const { snapshot: read } = loadSnapshot(await keep(t, open));
    const [ended = assert.fail('no chapter')] = read?.history ?? [];
    assert.deepEqual([ended.outcome, ended.reason], ['retired', 'its supervisor ended without stopping it']);
    assert.deepEqual([ended.requests, ended.failed], [12, 1], 'with what was counted');
    assert.ok(Number(ended.endedAt) > chapter.startedAt);
  }
});

test('a generation that was rejected stays so', async (t) => {
  const rejected = { ...chapter, outcome: 'rejected', reason: '5xx', endedAt: null } as const;
  const [read] = loadSnapshot(await keep(t, rejected)).snapshot?.history ?? [];

  assert.deepEqual([read?.outcome, read?.reason, typeof read?.endedAt], ['rejected', '5xx', 'number']);
});

test('of many changes the last one is what stays, and nothing else is left', async (t) => {
  const { path, chronicle, files } = place(t);
  const writes = Array.from({ length: 20 }, (_, index) => {
    chronicle.save({ ...snapshot, lastGeneration: index });
    return chronicle.flush();
  });
  chronicle.save({ ...snapshot, lastGeneration: 77 });
  await Promise.all([...writes, chronicle.flush()]);

  assert.equal(loadSnapshot(path).snapshot?.lastGeneration, 77);
  assert.deepEqual(files(), ['state.json']);
});

const valid = () => JSON.parse(readFileSync(fixture, 'utf8'));
let fixture = '';

test('every field is checked: with one of them wrong the file is not used, and kept aside', async (t) => {
  fixture = await keep(t, chapter);
  const wrong: [string, (state: ReturnType<typeof valid>) => void][] = [
    ...Object.keys(valid()).map((name): [string, (state: Record<string, unknown>) => void] => [
      name,
      (state) => {
        state[name] = { wrong: [] };
      }
    ]),
    ...Object.keys(chapter).map((name): [string, (state: { history: Record<string, unknown>[] }) => void] => [
      `history.${name}`,
      ({ history }) => Object.assign(history[0] ?? {}, { [name]: ['wrong'] })
    ]),
    ...Object.keys(chapter.release).map((name): [string, (state: { history: { release: object }[] }) => void] => [
      `release.${name}`,
      ({ history }) => Object.assign(history[0]?.release ?? {}, { [name]: 7 })
    ])
  ];
  for (const [what, spoil] of wrong) {
    const { path, files } = place(t);
    const state = valid();
    spoil(state);
    writeFileSync(path, JSON.stringify(state));
    const loaded = loadSnapshot(path);
    assert.equal(loaded.snapshot, null, what);
    assert.match(
      loaded.warning ?? '',
      /cannot be used \(.+\); it was moved to \S+\.damaged-\S+, and a new one begins$/
    );
    assert.match(files().join(), /^state\.json\.damaged-[\dT.Z-]+$/, what);
  }
});

test('what is no JSON, not ours, of another version or cut short is moved aside too', async (t) => {
  fixture = await keep(t, chapter);
  const text = readFileSync(fixture, 'utf8');
  for (const other of [
    '',
    '{',
    'null',
    '[]',
    '{"name":"shop"}',
    text.slice(0, 200),
    text.replace('"version":1', '"version":2')
  ]) {
    const { path, files } = place(t);
    writeFileSync(path, other);
    assert.equal(loadSnapshot(path).snapshot, null);
    assert.equal(files().length, 1);
    assert.equal(readFileSync(join(path, '..', files()[0] ?? ''), 'utf8'), other, 'it is kept as it was');
  }
});

test('a folder in its place is only warned of', (t) => {
  const { path, files } = place(t);
  mkdirSync(path);

  assert.match(loadSnapshot(path).warning ?? '', /cannot be used \(EISDIR\); nothing will be kept$/);
  assert.deepEqual(files(), ['state.json']);
});

test('a file that somebody else can have written is not believed', async (t) => {
  const path = await keep(t, chapter);
  chmodSync(path, 0o666);

  const { snapshot: read, warning } = loadSnapshot(path);
  assert.equal(read, null);
  assert.match(warning ?? '', /cannot be used \(others can write to it\); it was moved to /);
});

test('a place that cannot be written is warned of once, until it can be again', async (t) => {
  const { path, chronicle, warnings } = place(t);
  const write = async () => {
    chronicle.save(snapshot);
    await chronicle.flush();
  };
  mkdirSync(join(path, 'in the way'), { recursive: true });
  await write();
  await write();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^the history cannot be kept in \S+ \((EISDIR|ENOTEMPTY|EEXIST)\)$/);

  rmSync(path, { recursive: true });
  await write();
  assert.deepEqual(loadSnapshot(path).snapshot, snapshot);
  rmSync(path);
  mkdirSync(join(path, 'again'), { recursive: true });
  await write();
  assert.equal(warnings.length, 2);
});

test('what is noted is written soon, without being asked for', async (t) => {
  const { path, chronicle } = place(t);
  chronicle.save(snapshot);
  await until(() => loadSnapshot(path).snapshot, 'the file');
});

test('the state is kept beside the control socket', () => {
  assert.equal(statePath('/run/handover/shop.sock'), '/run/handover/shop.state.json');
  assert.equal(statePath('/tmp/control'), '/tmp/control.state.json');
});
