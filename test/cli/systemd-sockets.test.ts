import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { isAlive, until } from '../support/wait.ts';
import { Home, type Running } from './run.ts';

// Sockets that the command is started with, as systemd passes them. What a real systemd does: scenarios/systemd.test.ts.

const ACTIVATE = fileURLToPath(new URL('../fixtures/activate.cjs', import.meta.url));

/** Its two servers say which they are, which version, and what they know of systemd. */
const APP = `
const { createServer } = require('node:http');
const known = Object.keys(process.env).filter((name) => /^(LISTEN_|NOTIFY_|WATCHDOG_)/.test(name));
const serve = (name, port) => createServer((request, response) => {
  response.setHeader('connection', 'close').end([name, process.env.V, ...known].join(' '));
}).listen(port);
serve('public', process.env.PORT || 3000);
if (process.env.ADMIN) serve('admin', Number(process.env.ADMIN));
`;

interface Given {
  readonly name: string;
  readonly [kind: string]: unknown;
}

function start(t: TestContext, sockets: readonly Given[], args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const home = new Home(t);
  home.write('server.js', APP);
  return { home, running: startIn(home, sockets, args, env) };
}

function startIn(home: Home, sockets: readonly Given[], args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  return home.start(['run', ...args], { cli: ACTIVATE, env: { V: '1', ACTIVATE: JSON.stringify(sockets), ...env } });
}

/** What is answered there, or the system's name for why nothing is. */
async function look(where: number | string): Promise<string> {
  try {
    const target = typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where };
    return (await ask(target)).body;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

test('sockets that systemd passes are served by their names, over reloads and a rollback, and stay as they are', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const [port, path] = [await freePort(), join(home.folder, 'admin.sock')];
  const sockets = [
    { name: 'admin', path },
    { name: 'web', port }
  ];
  const flags = ['--listen', 'systemd:web', '--listen', 'systemd:admin=3001', '--listen-mode', '666', 'server.js'];
  const env = { ADMIN: '3001', NOTIFY_SOCKET: '', WATCHDOG_USEC: '', LISTEN_PIDFDID: '7' };
  const running = startIn(home, sockets, flags, env);
  await running.says(/"event":"started"/);
  const before = statSync(path);
  assert.equal(before.mode & 0o777, 0o600, 'nobody but its owner said who may connect');
  assert.deepEqual([await look(port), await look(path)], ['public 1', 'admin 1'], 'and no worker knows of systemd');
  assert.deepEqual(
    (await home.status()).listeners.map(({ address }) => address),
    [`127.0.0.1:${port}`, `unix:${path}`]
  );
  for (const version of ['2', '3']) {
    const { code, answer } = await home.json('reload', '--env', `V=${version}`);
    assert.equal(code, 0, JSON.stringify(answer));
    assert.deepEqual([await look(port), await look(path)], [`public ${version}`, `admin ${version}`]);
  }
  assert.equal((await home.json('rollback')).code, 0);
  assert.deepEqual([await look(port), await look(path)], ['public 2', 'admin 2']);
  running.process.kill('SIGTERM');
  assert.equal((await running.ended()).code, 0);
  assert.equal(statSync(path).ino, before.ino, 'the file belongs to systemd');
});

test('a plain `systemd` is every socket that is passed; the first port is that of PORT', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const sockets = [
    { name: 'shop.socket', port: one },
    { name: 'shop.socket', port: two }
  ];
  const { home, running } = start(t, sockets, ['--listen', 'systemd', 'server.js']);
  await running.says(/"event":"started"/);
  assert.deepEqual([await look(one), await look(two)], ['public 1', 'public 1']);
  assert.equal((await home.json('reload', '--env', 'V=2')).code, 0);
  assert.deepEqual([await look(one), await look(two)], ['public 2', 'public 2']);
});

test('an abstract unix socket is served too', async (t) => {
  const path = `\0handover-${process.pid}-${Date.now()}`;
  const { home, running } = start(t, [{ name: 'web', path }], ['--listen', 'systemd', 'server.js']);
  await running.says(/"event":"started"/);
  assert.equal(await look(path), 'public 1');
  assert.equal((await home.json('reload', '--env', 'V=2')).code, 0);
  assert.equal(await look(path), 'public 2');
});

test('a socket that the config no longer names can be named again by a later one', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const [web, other] = [await freePort(), await freePort()];
  const say = (listen: readonly string[]) =>
    home.write('handover.config.json', JSON.stringify({ entry: 'server.js', bake: 0, keepWarm: 0, listen }));
  const sockets = [
    { name: 'web', port: web },
    { name: 'other', port: other }
  ];
  say(['systemd:web', 'systemd:other']);
  await startIn(home, sockets, []).says(/"event":"started"/);
  const named = async () => (await home.status()).listeners.map(({ address }) => Number(address.split(':')[1]));

  say(['systemd:web']);
  const { code, answer } = await home.json('reload', '--env', 'V=2');
  assert.deepEqual([code, answer.closed], [0, [`127.0.0.1:${other}`]]);
  assert.deepEqual(await named(), [web]);

  say(['systemd:web', 'systemd:other']);
  assert.equal((await home.json('reload', '--env', 'V=3')).code, 0);
  assert.deepEqual(await named(), [web, other]);
  assert.deepEqual([await look(web), await look(other)], ['public 3', 'public 3']);
});

test('the next supervisor of an upgrade is passed the same sockets, also one that nobody serves at the moment', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const [web, other] = [await freePort(), await freePort()];
  const say = (listen: readonly string[]) =>
    home.write('handover.config.json', JSON.stringify({ entry: 'server.js', listen }));
  const sockets = [
    { name: 'other', port: other },
    { name: 'web', port: web }
  ];
  say(['systemd:web']);
  await startIn(home, sockets, []).says(/"event":"started"/);
  try {
    for (let round = 0; round < 2; round += 1) {
      const { supervisor } = await home.status();
      const { code, answer } = await home.json('upgrade');
      assert.deepEqual([code, answer.from], [0, supervisor.pid], JSON.stringify(answer));
      assert.equal(await look(web), 'public 1');
      await until(() => !isAlive(supervisor.pid), 'the end of the supervisor before');
    }
    say(['systemd:web', 'systemd:other']);
    const { code, answer } = await home.json('reload', '--env', 'V=2');
    assert.equal(code, 0, JSON.stringify(answer));
    assert.deepEqual([await look(web), await look(other)], ['public 2', 'public 2']);
  } finally {
    await home.handover('stop');
  }
});

test('a reload whose config names a socket that was never passed is refused, and the active version serves on', async (t) => {
  const port = await freePort();
  const home = new Home(t);
  home.write('server.js', APP);
  home.write('handover.config.json', JSON.stringify({ entry: 'server.js', listen: 'systemd:web' }));
  await startIn(home, [{ name: 'web', port }], []).says(/"event":"started"/);
  home.write('handover.config.json', JSON.stringify({ entry: 'server.js', listen: 'systemd:wbe' }));
  const { code, answer } = await home.json('reload', '--env', 'V=2');
  assert.deepEqual([code, answer.code, answer.active], [1, 'HANDOVER_ERR_LISTEN_SYSTEMD', 1]);
  assert.match(String(answer.why), /^systemd passed "web", and none of that name$/);
  assert.equal(await look(port), 'public 1');
});

const REFUSED: readonly [what: string, socket: object, listen: string, env: NodeJS.ProcessEnv, why: RegExp][] = [
  ['of another name', { port: 0 }, 'systemd:api', {}, /systemd passed "web", and none of that name/],
  [
    'for another process',
    { port: 0 },
    'systemd',
    { GIVEN_PID: '1' },
    /passed to process 1 \(LISTEN_PID\).* not through npx/s
  ],
  ['of datagrams', { datagrams: true }, 'systemd', {}, /descriptor 3 is a socket of datagrams \(UDP\).*ListenStream=/s],
  ['that is a file', { file: ACTIVATE }, 'systemd:web', {}, /descriptor 3 is no socket \(.*activate\.cjs\)/]
];

for (const [what, socket, listen, env, why] of REFUSED) {
  test(`a socket ${what} is refused, with what to do`, async (t) => {
    const given = 'port' in socket ? { port: await freePort() } : socket;
    const { running } = start(t, [{ name: 'web', ...given }], ['--listen', listen, 'server.js'], env);
    const { code, stderr } = await running.ended();
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^HANDOVER_ERR_LISTEN_SYSTEMD: Cannot listen on systemd/m);
    assert.match(stderr, why);
  });
}

test('a connection in the place of a socket is refused: Accept= has to be no', async (t) => {
  const { running } = start(t, [{ name: 'web', connection: await freePort() }], ['--listen', 'systemd', 'server.js']);
  assert.match((await running.ended()).stderr, /descriptor 3 does not listen.*Accept=no/s);
});

test('without any socket it says that none was passed', async (t) => {
  const home = new Home(t);
  const { code, stderr } = await home.handover('run', '--listen', 'systemd', 'server.js');
  assert.equal(code, 1);
  assert.match(stderr, /Cannot listen on systemd: systemd passed no socket to this process \(LISTEN_FDS is not set\)/);
});
