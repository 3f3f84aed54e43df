import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { Home } from './run.ts';

/** An app on the path of SOCKET, which it treats as the test says. */
const serve = (before: string, after = '') => `
const fs = require('node:fs'), { createServer } = require('node:http');
const path = process.env.SOCKET;
${before}
const server = createServer((request, response) => response.end('app ' + process.env.V));
server.listen(path, () => { ${after} });
`;

/** What the answer comes from, or the system's name for why none comes. */
async function look(path: string): Promise<string> {
  try {
    return (await ask({ socketPath: path })).body;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

const HABITS: Record<string, [before: string, after?: string]> = {
  'a synchronous unlink': ['try { fs.unlinkSync(path) } catch (error) { if (error.code !== "ENOENT") throw error }'],
  'rmSync with force, and a chmod': ['fs.rmSync(path, { force: true });', 'fs.chmodSync(path, 0o660);'],
  'an unlink with a callback, and one at its exit': [
    'fs.unlink(path, () => {}); process.on("exit", () => fs.unlinkSync(path)); process.on("SIGTERM", () => process.exit());'
  ],
  'a promise, imported by name': ['import("node:fs/promises").then(({ unlink }) => unlink(path).catch(() => {}));'],
  'a program of its own': ['require("node:child_process").execFileSync("rm", ["-f", path]);']
};

for (const [habit, [before, after]] of Object.entries(HABITS)) {
  test(`an app that removes a stale socket before it listens stays reachable: ${habit}`, async (t) => {
    const home = new Home(t);
    const path = join(home.folder, 'app.sock');
    home.write('server.js', serve(before, after));
    const running = home.start(['run', 'server.js'], { env: { SOCKET: path, V: '1' } });
    await running.says(/"event":"started"/);
    assert.equal(await look(path), 'app 1');
    for (const version of ['2', '3']) {
      const { code, answer } = await home.json('reload', '--env', `V=${version}`);
      assert.equal(code, 0, JSON.stringify(answer));
      assert.equal(await look(path), `app ${version}`);
    }
    assert.equal((await home.json('rollback')).code, 0);
    assert.equal(await look(path), 'app 2');
    running.process.kill('SIGTERM');
    await running.ended();
    assert.equal(existsSync(path), false, 'it goes with the service');
  });
}

test('a socket whose file was removed from outside is there again after the next handover, with its mode, and said', async (t) => {
  const home = new Home(t);
  const path = join(home.folder, 'public.sock');
  home.write('server.js', serve('').replace('process.env.SOCKET', 'process.env.PORT || 3000'));
  const flags = ['run', '--listen', `unix:${path}`, '--listen-mode', '600', 'server.js'];
  const running = home.start(flags, { env: { V: '1' } });
  await running.says(/"event":"started"/);
  rmSync(path);
  const { code, answer } = await home.json('reload', '--env', 'V=2');
  assert.equal(code, 0, JSON.stringify(answer));
  assert.equal(await look(path), 'app 2');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await running.says(/"event":"path-restored","address":"unix:/);
  assert.deepEqual(
    readdirSync(home.folder).filter((name) => /^public\.sock./.test(name)),
    []
  );
});

test('a path that another program has taken meanwhile is not served, and not taken from it', async (t) => {
  const home = new Home(t);
  const path = join(home.folder, 'public.sock');
  home.write('server.js', serve('').replace('process.env.SOCKET', 'process.env.PORT || 3000'));
  await home.start(['run', '--listen', `unix:${path}`, 'server.js'], { env: { V: '1' } }).says(/"event":"started"/);
  rmSync(path);
  home.write('other.js', serve(''));
  const other = home.start(['run', 'other.js', '--name', 'other'], { env: { V: 'other', SOCKET: path } });
  await other.says(/"event":"started"/);
  const { code, answer } = await home.json('reload', '--env', 'V=2', '--name', 'shop');
  assert.equal(code, 1);
  assert.match(String(answer.why), /another program answers on it \(unix:/);
  assert.equal(await look(path), 'app other');
});

test('a socket of --listen is open to whoever may enter its folder; a mode and a group narrow it', async (t) => {
  const home = new Home(t);
  home.write('server.js', serve('').replace('process.env.SOCKET', 'process.env.PORT || 3000'));
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  const modes = { open: [], narrow: ['--listen-mode', '660', '--listen-group', group] };
  for (const [name, flags] of Object.entries(modes)) {
    const path = join(home.folder, `${name}.sock`);
    const running = home.start(['run', '--listen', `unix:${path}`, ...flags, 'server.js'], { env: { V: name } });
    await running.says(/"event":"started"/);
    assert.equal(statSync(path).mode & 0o777, name === 'open' ? 0o666 : 0o660);
    assert.equal(await look(path), `app ${name}`);
    running.process.kill('SIGTERM');
    await running.ended();
  }
  const path = join(home.folder, 'nobody.sock');
  const refused = await home.handover('run', '--listen', `unix:${path}`, '--listen-group', 'no-such', 'server.js');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /this machine has no group no-such/);
  assert.equal(existsSync(path), false);
});

test('a path with the pid of its worker is its own: the next version is not waited for there', async (t) => {
  const home = new Home(t);
  home.write(
    'server.js',
    `require('node:http').createServer().listen(process.cwd() + '/tool-' + process.pid + '.sock');\n${serve('').replace('process.env.SOCKET', 'process.env.PORT')}`
  );
  const listen = `127.0.0.1:${await freePort()}`;
  await home.start(['run', '--listen', listen, 'server.js'], { env: { V: '1' } }).says(/"event":"started"/);
  const { code, answer } = await home.json('reload', '--env', 'V=2');
  assert.deepEqual([code, answer.closed], [0, undefined]);
  assert.deepEqual(
    (await home.status()).listeners.map(({ address }) => address),
    [listen]
  );
});
