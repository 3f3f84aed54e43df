import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { atEnd } from '../support/end.ts';
import { ask, toTarget } from '../support/http.ts';
import { cannotSwitchUsers, makePlace, makeUser, NOBODY, readId, type Said } from '../support/rights.ts';
import { inTime, until } from '../support/wait.ts';
import { TestService } from './service.ts';

// Started by root, with workers of another user: real ones, on real processes.

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const skip = cannotSwitchUsers();
const nobody = NOBODY ?? { uid: -1, gid: -1 };

/** A service in a folder that others can look into. It ends with the test. */
async function start(t: TestContext, options: Partial<SuperviseOptions> = {}, place = makePlace(t)) {
  const { app, entry, socket } = place;
  const service = new TestService({ entry, cwd: app, socket, user: 'nobody', ...options });
  atEnd(t, () => service.end());
  await service.started();
  return { service, ...place, say: () => say(service) };
}

async function say({ port }: TestService): Promise<Said> {
  return JSON.parse((await ask({ host: '127.0.0.1', port })).body);
}

async function get({ port }: TestService, path: string): Promise<unknown> {
  return JSON.parse((await ask({ host: '127.0.0.1', port }, path)).body);
}

/** Whoever it is that runs: what the log said when it was refused. */
async function refusal(t: TestContext, options: Partial<SuperviseOptions>, place = makePlace(t)): Promise<string> {
  const { app, entry, socket } = place;
  const service = new TestService({ entry, cwd: app, socket, user: 'nobody', ...options });
  atEnd(t, () => service.end());
  await service.exited();
  return service.noise.join('\n');
}

test('workers are another user from their first line on, with a home of their own, and can gain no rights', {
  skip
}, async (t) => {
  const place = makePlace(t);
  const first = join(place.app, 'first.cjs');
  writeFileSync(first, 'globalThis.atFirst = process.getuid();');
  const { service, say } = await start(t, { nodeOptions: `--require=${first}` }, place);
  const { uid, gid, groups, status, env, atFirst } = await say();
  assert.deepEqual([uid, gid, groups, atFirst], [nobody.uid, nobody.gid, [nobody.gid], nobody.uid]);
  assert.match(status, new RegExp(`^Uid:(\\t${uid}){4}$`, 'm'));
  assert.match(status, /^CapPrm:\t0+$/m);
  assert.match(status, /^CapEff:\t0+$/m);
  const limited = service.lines.find(({ event }) => event === 'user-limited');
  if (!limited) assert.match(status, /^NoNewPrivs:\t1$/m);
  assert.deepEqual([env.USER, env.LOGNAME, env.HOME], ['nobody', 'nobody', '/nonexistent']);
  assert.equal(env.XDG_RUNTIME_DIR, undefined);
  const { active, supervisor } = await service.client.status();
  assert.equal(active?.user, 'nobody');
  assert.equal(statSync(`/proc/${supervisor.pid}`).uid, 0, 'the supervisor stays root');
});

test("no program that runs for the start of a worker as root sees the app's environment of its loader", {
  skip
}, async (t) => {
  const place = makePlace(t);
  const written = join(place.folder, 'written');
  mkdirSync(written);
  chmodSync(written, 0o777);
  const env = { ...process.env, LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: join(written, 'by') };
  const { say } = await start(t, { env }, place);
  assert.equal((await say()).env.LD_DEBUG, 'libs', 'the app has it');
  const owners = readdirSync(written).map((file) => statSync(join(written, file)).uid);
  assert.ok(owners.length > 0, 'the loader has written');
  assert.deepEqual([...new Set(owners)], [nobody.uid]);
});

test('a user brings its other groups along, and --group takes the place of its own', { skip }, async (t) => {
  const name = `handover-${process.pid}`;
  const user = makeUser(t, name, ['adm', 'users']);
  if (!user) return t.skip('useradd is not there, or may not make a user');
  const groupOf = (path: string) => statSync(path).gid;
  const { service, say } = await start(t, { user: name });
  if (service.lines.some(({ event }) => event === 'user-limited')) return t.skip('setpriv of util-linux is not here');
  assert.equal((await say()).gid, user.gid);
  assert.equal((await say()).groups.length, 3);
  await service.end();
  const { say: sayAgain } = await start(t, { user: String(user.uid), group: 'nogroup' });
  const said = await sayAgain();
  assert.equal(said.gid, readId('nobody')?.gid);
  assert.ok(!said.groups.includes(user.gid), 'not the group that another was given for');
  assert.equal(said.groups.length, 3);
  assert.equal(groupOf(`/proc/${said.pid}`), said.gid);
});

test('workers reach their supervisor, and neither the control socket nor what is beside it', { skip }, async (t) => {
  const { service, socket } = await start(t);
  const beside = socket.replace(/\.sock$/, '');
  await until(() => existsSync(`${beside}.state.json`), 'the state file');
  assert.equal(await get(service, `/reach${socket}`), 'EACCES');
  assert.equal(await get(service, `/read${beside}.link.json`), 'EACCES');
  assert.equal(await get(service, `/read${beside}.state.json`), 'EACCES');
  assert.equal(await get(service, `/reach${beside}.link`), 'connected');
  const link = lstatSync(`${beside}.link`);
  assert.deepEqual([link.uid, link.mode & 0o777], [nobody.uid, 0o600], 'and nobody else may knock');
});

test('they are reloaded, rolled back, and taken over by the next supervisor and by an upgrade', { skip }, async (t) => {
  const { service, socket, app, entry, say } = await start(t);
  const { pid } = await say();
  const { to } = await service.client.reload();
  assert.equal(to, 2);
  assert.deepEqual([(await say()).uid, (await say()).pid === pid], [nobody.uid, false]);
  await service.client.rollback();
  assert.equal((await say()).pid, pid);

  service.process.kill('SIGKILL');
  await service.exited();
  const again = new TestService({ entry, cwd: app, socket, user: 'nobody' });
  atEnd(t, () => again.end());
  await again.started();
  assert.ok(again.lines.some(({ event }) => event === 'adopted'));
  assert.equal((await say()).pid, pid);
  const upgraded = await again.client.upgrade({});
  const supervisor = async () => (await again.client.status()).supervisor.pid;
  await until(async () => (await supervisor().catch(() => 0)) === upgraded.to, 'the successor to answer');
  assert.equal((await say()).pid, pid);
  await again.client.reload();
  assert.equal((await say()).uid, nobody.uid);
  await again.client.stop();
  await until(() => !existsSync(`/proc/${upgraded.to}`), 'the end of the successor');
  assert.deepEqual(
    readdirSync(join(socket, '..')).filter((file) => !file.includes('.state.json')),
    [],
    'nothing is left behind'
  );
});

test('a supervisor with another user takes workers of the one before over, and starts its own at the next reload', {
  skip
}, async (t) => {
  const other = readId('www-data') ?? readId('daemon');
  const name = readId('www-data') ? 'www-data' : 'daemon';
  const { service, socket, app, entry, say } = await start(t);
  const { pid } = await say();
  service.process.kill('SIGKILL');
  await service.exited();
  const again = new TestService({ entry, cwd: app, socket, user: name });
  atEnd(t, () => again.end());
  await again.started();
  assert.equal((await say()).pid, pid);
  assert.deepEqual((await again.line('options-differ')).options, ['user']);
  again.port = service.port;
  await again.client.reload();
  assert.equal((await say()).uid, other?.uid);
  await again.client.rollback();
  assert.equal((await say()).pid, pid, 'both know the way');
});

test('with --supervisor-user nothing stays root once a port below 1024 is bound; reload, rollback and stop go on', {
  skip
}, async (t) => {
  const { app, entry, socket } = makePlace(t);
  chownSync(dirname(socket), nobody.uid, nobody.gid);
  const address = `127.0.0.1:${800 + (process.pid % 100)}`;
  const service = new TestService({ entry, cwd: app, socket, listen: address, supervisorUser: 'nobody' });
  atEnd(t, () => service.end());
  await service.started();
  const uidsOf = (pid: number) => /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t');
  const answered = async () => JSON.parse((await ask(toTarget(address))).body) as Said;
  const ids = Array(4).fill(String(nobody.uid));
  const { supervisor } = await service.client.status();
  assert.deepEqual(uidsOf(supervisor.pid), ids);
  const { pid } = await answered();
  assert.deepEqual(uidsOf(pid), ids);
  await service.client.reload();
  assert.deepEqual(uidsOf((await answered()).pid), ids);
  await service.client.rollback();
  assert.equal((await answered()).pid, pid);
});

test('a port below 1024 that nobody has named is refused to the app, and one that was named is not', {
  skip
}, async (t) => {
  const place = makePlace(t);
  const port = 900 + (process.pid % 100);
  writeFileSync(
    place.entry,
    `require('node:http').createServer((q, r) => r.end('here')).listen(${port}, '127.0.0.1');`
  );
  const said = await refusal(t, { listen: [] }, place);
  assert.match(said, /may not bind it \(EACCES\), and the operator has not named it/);
  assert.match(said, new RegExp(`--listen ${port}`));
  const { service } = await start(t, { listen: `127.0.0.1:${port}` }, place);
  assert.equal((await ask({ host: '127.0.0.1', port: service.port })).body, 'here');
});

test("a unix socket of the app's own is made as its user would, and nothing of root's by a link", {
  skip
}, async (t) => {
  const place = makePlace(t);
  const own = join(place.app, 'own');
  mkdirSync(own);
  chownSync(own, nobody.uid, nobody.gid);
  const code = (path: string) =>
    `const server = require('node:http').createServer((q, r) => r.end('here'));\nserver.listen({ path: ${JSON.stringify(path)}, readableAll: true, writableAll: true });`;
  const path = join(own, 'http.sock');
  writeFileSync(place.entry, code(path));
  const { service } = await start(t, { listen: [] }, place);
  const { uid, mode } = lstatSync(path);
  assert.deepEqual([uid, mode & 0o777], [nobody.uid, 0o666]);
  assert.equal((await ask({ socketPath: path })).body, 'here');
  writeFileSync(place.entry, code(join(place.app, 'http.sock')));
  await assert.rejects(service.client.reload(), /EACCES/, 'a folder of root');
  await service.end();
  assert.equal(existsSync(path), false);
});

for (const [what, spoil, said] of [
  ['an entry that it may not read', ({ entry }) => chmodSync(entry, 0o600), /may not read the entry, .*server\.js/],
  ['a folder that it may not enter', ({ app }) => chmodSync(app, 0o700), /may not enter .*\/app, .*`chmod o\+x/s],
  [
    'a control socket whose folder is closed',
    ({ folder }) => chmodSync(join(folder, 'run'), 0o700),
    /may not enter .*\/run/
  ],
  [
    'a control socket that it could replace',
    ({ folder }) => chmodSync(join(folder, 'run'), 0o777),
    /may write to .*\/run, the folder of the control socket/
  ]
] as const satisfies [string, (place: ReturnType<typeof makePlace>) => void, RegExp][]) {
  test(`${what} is named before anything is started, with the mend`, { skip }, async (t) => {
    const place = makePlace(t);
    spoil(place);
    assert.match(await refusal(t, {}, place), said);
    assert.equal(existsSync(place.socket), false);
  });
}

test('a reload whose entry the user may not read is refused, and the active version serves on', { skip }, async (t) => {
  const { service, app, say } = await start(t);
  const next = join(app, 'next.js');
  writeFileSync(next, '', { mode: 0o600 });
  await assert.rejects(service.client.reload({ entry: next }), {
    code: 'HANDOVER_ERR_OPTION_USER',
    message: /may not read the entry, .*next\.js.*generation 1 is still active/s
  });
  assert.equal((await say()).uid, nobody.uid);
});

test('what runs before the cutover does so as the user of the workers', { skip }, async (t) => {
  const place = makePlace(t);
  const own = join(place.app, 'own');
  mkdirSync(own);
  chmodSync(own, 0o777);
  const { service } = await start(t, { strategy: 'exclusive', beforeCutover: 'id -u > own/seen; true' }, place);
  await service.client.reload();
  assert.equal(statSync(join(own, 'seen')).uid, nobody.uid);
});

test('a user that is not there is named', { skip }, async (t) => {
  const place = makePlace(t);
  assert.match(await refusal(t, { user: 'no-such-user' }, place), /this machine has no user no-such-user/);
  assert.match(await refusal(t, { user: '54321' }, place), /has the number 54321.*--group/s);
});

test('who is not root is told that it takes root, unless it is that user already', { skip }, async (t) => {
  const { entry, app, folder } = makePlace(t);
  const run = (user: string) => {
    const own = join(folder, `socket-of-${user}`);
    mkdirSync(own);
    chownSync(own, nobody.uid, nobody.gid);
    const args = ['--', CLI, 'run', entry, '--user', user, '--socket', join(own, 'a.sock'), '--listen', '127.0.0.1:0'];
    const child = spawn(process.execPath, args, { cwd: app, ...nobody, env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
    atEnd(t, () => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return { child, said: () => said };
  };
  const other = run('root');
  const [code] = await inTime(once(other.child, 'exit'), 'the end of what is refused');
  if (/EACCES|MODULE_NOT_FOUND/.test(other.said())) return t.skip('nobody cannot reach the built package');
  assert.equal(code, 2);
  assert.match(other.said(), /Cannot run workers as root: only root may start processes of others/);
  const same = run('nobody');
  await until(
    () => same.said().includes('"started"'),
    () => `a start; it said ${same.said()}`
  );
  same.child.kill('SIGTERM');
  await inTime(once(same.child, 'exit'), 'its end');
});

test('an app that is a function is refused another user: its file runs in the supervisor too', { skip }, async (t) => {
  const place = makePlace(t);
  const file = join(place.app, 'own.mjs');
  const door = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
  writeFileSync(file, `import { supervise } from ${door};\nawait supervise(() => {}, { user: 'nobody' });\n`);
  const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.match(stderr, /HANDOVER_ERR_OPTION_USER|cannot be used with a function/);
});

test('a config that the user of the workers could write is refused, and one that it could add is never read', {
  skip
}, async (t) => {
  const place = makePlace(t);
  const start = (socket: string) => {
    const args = ['--', CLI, 'run', 'server.js', '--user', 'nobody', '--socket', socket, '--listen', '127.0.0.1:0'];
    const child = spawn(process.execPath, args, { cwd: place.app, stdio: ['ignore', 'ignore', 'pipe'] });
    atEnd(t, async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return { child, said: () => said };
  };
  const config = join(place.app, 'handover.config.mjs');
  writeFileSync(config, 'export default {};');
  chownSync(config, nobody.uid, nobody.gid);
  const refused = start(place.socket);
  const [code] = await inTime(once(refused.child, 'exit'), 'the end of what is refused');
  assert.equal(code, 2, refused.said());
  assert.match(refused.said(), /nobody could change it, and root would do what it says/);

  rmSync(config);
  chownSync(place.app, nobody.uid, nobody.gid);
  const { said } = start(place.socket);
  await until(
    () => said().includes('"started"'),
    () => `a start; it said ${said()}`
  );
  assert.match(said(), /no config is read there at a reload/);
  writeFileSync(
    config,
    `import { writeFileSync } from 'node:fs';\nwriteFileSync('${place.folder}/hit', '');\nexport default {};`
  );
  const client = new ControlClient(place.socket);
  await client.reload();
  await client.close();
  assert.equal(existsSync(join(place.folder, 'hit')), false);
});
