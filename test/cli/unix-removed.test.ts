import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask } from '../support/http.ts';
import { Home } from './run.ts';

/** An app on the path of SOCKET that answers with its version. What it does before it may await. */
const serve = (before: string, whenListening = '') => `
const fs = require('node:fs'), { dirname, join } = require('node:path'), { promisify } = require('node:util');
const { execFileSync } = require('node:child_process'), assert = require('node:assert');
const path = process.env.SOCKET, folder = dirname(path);
(async () => {
  ${before}
  const server = require('node:http').createServer((request, response) => response.end('app ' + process.env.V));
  server.listen(path, () => { ${whenListening} });
})();
`;

/** Starts an app on a path in a folder of its own. */
async function start(t: TestContext, app: string) {
  const home = new Home(t);
  const path = join(home.folder, 'sockets', 'app.sock');
  home.write('sockets/left.txt', 'x');
  home.write('server.js', app);
  const running = home.start(['run', 'server.js'], { env: { SOCKET: path, PORT: path, V: '1' } });
  await running.says(/"event":"started"/);
  return { home, path, running, answer: async () => (await ask({ socketPath: path })).body };
}

/** Who may connect to a path. */
const modeOf = (path: string) => statSync(path).mode & 0o777;

const REMOVE = 'execFileSync("rm", ["-f", path]);';

test('a program that the app starts removes its socket, and the app sets a mode: it is there to be set', async (t) => {
  const { home, path, answer } = await start(t, serve(REMOVE, 'fs.chmodSync(path, 0o620);'));
  for (const version of ['2', '3']) {
    const { code, answer: said } = await home.json('reload', '--env', `V=${version}`);
    assert.equal(code, 0, JSON.stringify(said));
    assert.deepEqual([await answer(), modeOf(path)], [`app ${version}`, 0o620]);
  }
});

test('the mode that the app once set is there again, though the next version sets none', async (t) => {
  const { home, path, running, answer } = await start(
    t,
    serve('', 'if (process.env.V === "1") fs.chmodSync(path, 0o620);')
  );
  for (const version of ['2', '3']) {
    rmSync(path);
    assert.equal((await home.json('reload', '--env', `V=${version}`)).code, 0);
    assert.deepEqual([await answer(), modeOf(path)], [`app ${version}`, 0o620]);
  }
  await running.says(/"event":"path-restored","address":"unix:/);
});

test('a reload puts a socket back at its beginning, before the next version listens, and so does one that fails', async (t) => {
  const held = 'if (process.env.V === "2") throw new Error("not today");';
  const { home, path, answer } = await start(t, serve(held, 'fs.chmodSync(path, 0o620);'));
  rmSync(path);
  assert.equal((await home.json('reload', '--env', 'V=2')).code, 1);
  assert.deepEqual([await answer(), modeOf(path)], ['app 1', 0o620]);
});

test('a socket of --listen that a program of the app removes is there before the app listens', async (t) => {
  const home = new Home(t);
  const path = join(home.folder, 'public.sock');
  home.write('server.js', serve(REMOVE, 'fs.chmodSync(path, 0o600);'));
  const running = home.start(['run', '--listen', `unix:${path}`, 'server.js'], { env: { SOCKET: path, V: '1' } });
  await running.says(/"event":"started"/);
  assert.equal((await home.json('reload', '--env', 'V=2')).code, 0);
  assert.equal((await ask({ socketPath: path })).body, 'app 2');
  assert.equal(modeOf(path), 0o600);
});

/** How apps see whether a path is gone. Each is true once it is. */
const LOOKS = [
  '!fs.existsSync(path)',
  '!(await promisify(fs.exists)(path))',
  'fs.statSync(path, { throwIfNoEntry: false }) === undefined',
  'fs.lstatSync(path, { throwIfNoEntry: false }) === undefined',
  'threw(() => fs.statSync(path))',
  'threw(() => fs.accessSync(path))',
  'await refused(promisify(fs.stat)(path))',
  'await refused(promisify(fs.access)(path))',
  'await refused(fs.promises.stat(path))',
  'await refused(fs.promises.lstat(path))',
  'await refused(require("node:fs/promises").access(path))',
  'await refused((await import("node:fs/promises")).access(path, fs.constants.W_OK))'
];

const SEEN = `
const threw = (call) => { try { call(); } catch (error) { return error.code === 'ENOENT'; } return false; };
const refused = (promise) => promise.then(() => false, (error) => error.code === 'ENOENT');
const isGone = async () => [${LOOKS.join(', ')}];
`;

test('a socket that the app has removed is gone to it, in every way of looking, until it listens there', async (t) => {
  const app = serve(
    `${SEEN}
    if (process.env.V !== '1') {
      assert.ok(!(await isGone()).includes(true), 'the socket of the version before');
      fs.unlinkSync(path);
      assert.deepEqual(await isGone(), Array(${LOOKS.length}).fill(true));
      assert.ok(fs.existsSync(folder) && fs.existsSync(join(folder, 'left.txt')), 'nothing else is');
    }`,
    "isGone().then((gone) => assert.ok(!gone.includes(true), 'it listens there'));"
  );
  const { home, answer } = await start(t, app);
  const { code, answer: said } = await home.json('reload', '--env', 'V=2');
  assert.equal(code, 0, JSON.stringify(said));
  assert.equal(await answer(), 'app 2');
});

const CLEAR = {
  'by rmSync': 'fs.rmSync(folder, { recursive: true });',
  'by rm': 'await promisify(fs.rm)(folder, { recursive: true, force: true });',
  'by its promise': 'await fs.promises.rm(folder, { recursive: true });'
};

for (const [how, clear] of Object.entries(CLEAR)) {
  test(`an app that removes and makes the folder of its socket loses all in it but the socket: ${how}`, async (t) => {
    const app = serve(`
      if (process.env.V !== '1') {
        ${clear}
        assert.ok(!fs.existsSync(folder) && !fs.existsSync(path), 'to the app it is gone');
        fs.mkdirSync(folder);
        assert.ok(fs.existsSync(folder) && !fs.existsSync(path), 'the folder is made');
      }`);
    const { home, path, running, answer } = await start(t, app);
    assert.equal(await answer(), 'app 1');
    home.write('sockets/deep/er.txt', 'x');
    const { code, answer: said } = await home.json('reload', '--env', 'V=2');
    assert.equal(code, 0, JSON.stringify(said));
    assert.equal(await answer(), 'app 2');
    assert.deepEqual(readdirSync(join(home.folder, 'sockets')), ['app.sock']);
    running.process.kill('SIGTERM');
    await running.ended();
    assert.equal(existsSync(path), false, 'it goes with the service');
  });
}

test('what is removed without success fails as in plain node, with a live socket beside it', async (t) => {
  const app = serve(`
    for (const call of [() => fs.unlinkSync(path + '.no'), () => fs.rmSync(path + '.no'), () => fs.unlinkSync()])
      assert.throws(call);
    assert.throws(() => fs.rmSync(folder), { code: 'ERR_FS_EISDIR' });
    await assert.rejects(promisify(fs.rm)(folder), { code: 'ERR_FS_EISDIR' });
    await assert.rejects(fs.promises.rm(folder), { code: 'ERR_FS_EISDIR' });
    await assert.rejects(fs.promises.unlink(path + '.no'), { code: 'ENOENT' });`);
  const { home, answer } = await start(t, app);
  const { code, answer: said } = await home.json('reload', '--env', 'V=2');
  assert.equal(code, 0, JSON.stringify(said));
  assert.equal(await answer(), 'app 2');
});
