import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { finishHistory } from '../../src/core/state/history.ts';
import type { HistoryEntry } from '../../src/core/state/state.ts';
import { type FileState, loadState as loadRaw, StateFile, statePath } from '../../src/host/state-file.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/wait.ts';

const entry: HistoryEntry = {
  generation: 7,
  release: {
    ...{ entry: 'server.js', file: '/srv/43/server.js', cwd: '/srv/43', folder: '/srv/current', args: ['--x'] },
    ...{
      env: { API_TOKEN: 'hush' },
      envFile: '.env',
      node: '/opt/node',
      nodeOptions: ['--import=tsx'],
      label: '1.4.0'
    },
    asked: { env: { API_TOKEN: 'hush' }, node: '/opt/current/node', args: ['a'] }
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
  standby: 6,
  verdict: { decision: 'keep', reason: 'no limit was reached', before: null, after: null }
};
const state: FileState = { lastGeneration: 9, history: [entry] };

function place(t: TestContext) {
  const folder = makeFolder(t);
  const path = join(folder, 'state.json');
  const warnings: string[] = [];
  const file = new StateFile(path, (why) => warnings.push(why));
  return { folder, path, warnings, file, files: () => readdirSync(folder).sort() };
}

async function keep(t: TestContext, ...entries: HistoryEntry[]): Promise<string> {
  const { path, file } = place(t);
  file.save({ ...state, history: entries });
  await file.flush();
  return path;
}

/** What the next supervisor goes on from. */
function loadState(path: string): { state: FileState | null; warning: string | null } {
  const { state, warning } = loadRaw(path);
  if (!state) return { state, warning };
  const { lastGeneration, history, savedAt } = state;
  return { state: { lastGeneration, history: finishHistory(history, savedAt) }, warning };
}

test('what is kept is read again, and only this user can read it', async (t) => {
  const path = await keep(t, entry);

  assert.deepEqual(loadState(path), { state, warning: null });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('without a file there is nothing to go on from, and nothing to warn of', (t) => {
  assert.deepEqual(loadState(place(t).path), { state: null, warning: null });
});

test('a generation that ran to the last is put down as retired, when and why', async (t) => {
  for (const outcome of ['candidate', 'active', 'standby'] as const) {
    const open = { ...entry, outcome, reason: null, endedAt: null };
    const { state: read } = loadState(await keep(t, open));
    const [ended = assert.fail('no entry')] = read?.history ?? [];
    assert.deepEqual([ended.outcome, ended.reason], ['retired', 'its supervisor ended without stopping it']);
    assert.deepEqual([ended.requests, ended.failed], [12, 1], 'with what was counted');
    assert.ok(Number(ended.endedAt) > entry.startedAt);
  }
});

test('a generation that was rejected stays so', async (t) => {
  const rejected = { ...entry, outcome: 'rejected', reason: '5xx', endedAt: null } as const;
  const [read] = loadState(await keep(t, rejected)).state?.history ?? [];

  assert.deepEqual([read?.outcome, read?.reason, typeof read?.endedAt], ['rejected', '5xx', 'number']);
});

test('of many changes the last one is what stays, and nothing else is left', async (t) => {
  const { path, file, files } = place(t);
  const writes = Array.from({ length: 20 }, (_, index) => {
    file.save({ ...state, lastGeneration: index });
    return file.flush();
  });
  file.save({ ...state, lastGeneration: 77 });
  await Promise.all([...writes, file.flush()]);

  assert.equal(loadState(path).state?.lastGeneration, 77);
  assert.deepEqual(files(), ['state.json']);
});

const valid = () => JSON.parse(readFileSync(fixture, 'utf8'));
let fixture = '';

test('every field is checked: with one of them wrong the file is not used, and kept aside', async (t) => {
  fixture = await keep(t, entry);
  const wrong: [string, (state: ReturnType<typeof valid>) => void][] = [
    ...Object.keys(valid()).map((name): [string, (state: Record<string, unknown>) => void] => [
      name,
      (state) => {
        state[name] = { wrong: [] };
      }
    ]),
    ...Object.keys(entry).map((name): [string, (state: { history: Record<string, unknown>[] }) => void] => [
      `history.${name}`,
      ({ history }) => Object.assign(history[0] ?? {}, { [name]: ['wrong'] })
    ]),
    ...Object.keys(entry.release).map((name): [string, (state: { history: { release: object }[] }) => void] => [
      `release.${name}`,
      ({ history }) => Object.assign(history[0]?.release ?? {}, { [name]: 7 })
    ])
  ];
  for (const [what, spoil] of wrong) {
    const { path, files } = place(t);
    const state = valid();
    spoil(state);
    writeFileSync(path, JSON.stringify(state));
    const loaded = loadState(path);
    assert.equal(loaded.state, null, what);
    assert.match(
      loaded.warning ?? '',
      /cannot be used \(.+\); it was moved to \S+\.damaged-\S+, and a new one begins$/
    );
    assert.match(files().join(), /^state\.json\.damaged-[\dT.Z-]+$/, what);
  }
});

test('what is no JSON, not ours, of another version or cut short is moved aside too', async (t) => {
  fixture = await keep(t, entry);
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
    assert.equal(loadState(path).state, null);
    assert.equal(files().length, 1);
    assert.equal(readFileSync(join(path, '..', files()[0] ?? ''), 'utf8'), other, 'it is kept as it was');
  }
});

test('a folder in its place is only warned of', (t) => {
  const { path, files } = place(t);
  mkdirSync(path);

  assert.match(
    loadState(path).warning ?? '',
    /cannot be used \(EISDIR\); nothing will be kept; name a file with --state-file, and not a folder$/
  );
  assert.deepEqual(files(), ['state.json']);
});

test('a file that somebody else can have written is not believed', async (t) => {
  const path = await keep(t, entry);
  chmodSync(path, 0o666);

  const { state: read, warning } = loadState(path);
  assert.equal(read, null);
  assert.match(warning ?? '', /cannot be used \(others can write to it\); it was moved to /);
});

test('a place that cannot be written is warned of once, until it can be again', async (t) => {
  const { path, file, warnings } = place(t);
  const write = async () => {
    file.save(state);
    await file.flush();
  };
  mkdirSync(join(path, 'in the way'), { recursive: true });
  await write();
  await write();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^the history cannot be kept in \S+ \((EISDIR|ENOTEMPTY|EEXIST)\)/);

  rmSync(path, { recursive: true });
  await write();
  assert.deepEqual(loadState(path).state, state);
  rmSync(path);
  mkdirSync(join(path, 'again'), { recursive: true });
  await write();
  assert.equal(warnings.length, 2);
});

test('what is noted is written soon, without being asked for', async (t) => {
  const { path, file } = place(t);
  file.save(state);
  await until(() => loadState(path).state, 'the file');
});

test('the state is kept beside the control socket', () => {
  assert.equal(statePath('/run/handover/shop.sock'), '/run/handover/shop.state.json');
  assert.equal(statePath('/tmp/control'), '/tmp/control.state.json');
});
