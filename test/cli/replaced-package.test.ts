import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { installInto } from '../support/installed.ts';
import { until } from '../support/wait.ts';
import { Home, type Running } from './run.ts';

// `npm ci` in the folder of a running service: its files, and those of handover itself, are gone for a while, or others.

/** An app that cannot start without its `node_modules`. */
const APP = `
const greeting = require('greeting');
require('node:http').createServer((request, response) => {
  response.end(JSON.stringify({ greeting, pid: process.pid }));
}).listen(process.env.PORT);
`;

/** A service whose handover is installed beside its app, as npm does it. */
class Installed {
  readonly home: Home;
  readonly modules: string;
  readonly copy: string;
  running: Running | null = null;

  constructor(t: TestContext) {
    this.home = new Home(t);
    this.home.write('server.js', APP);
    this.home.write('plain.js', APP.replace("require('greeting')", "'plain'"));
    this.home.write('node_modules/greeting/index.js', "module.exports = 'hello';");
    installInto(this.home.folder);
    this.modules = join(this.home.folder, 'node_modules');
    this.copy = `${this.home.socket('shop')}.handover-preload.cjs`;
  }

  async run(entry: string, ...flags: string[]): Promise<Running> {
    const cli = join(this.modules, 'handover/dist/cli.js');
    const running = this.home.start(['run', entry, '--listen', '127.0.0.1:0', ...flags], { cli });
    await running.says(/"event":"started"/);
    this.running = running;
    return running;
  }

  /** Takes `node_modules` away. */
  remove(): () => void {
    const aside = `${this.modules}.old`;
    renameSync(this.modules, aside);
    return () => renameSync(aside, this.modules);
  }

  async workers(): Promise<{ id: string; pid: number; state: string }[]> {
    const { active } = await this.home.status();
    return (active?.workers ?? []).map(({ id, pid, state }) => ({ id, pid: pid ?? 0, state }));
  }

  /** Kills a worker, and waits until its exit is known. */
  async kill(): Promise<string> {
    const [worker] = await this.workers();
    assert.ok(worker);
    process.kill(worker.pid, 'SIGKILL');
    await this.running?.says(new RegExp(`"worker-exited".*"worker":"${worker.id}"`));
    return worker.id;
  }

  async allServe(count: number): Promise<void> {
    await until(async () => {
      const workers = await this.workers();
      return workers.length === count && workers.every(({ state }) => state === 'accepting');
    }, `${count} workers to accept`);
  }
}

test('a worker that is lost while node_modules is gone is started from what the supervisor holds; a reload, checks and a stop work too', async (t) => {
  const shop = new Installed(t);
  const { home } = shop;
  const running = await shop.run('plain.js', '--check', '/', '--warm-up', '/');
  shop.remove();
  const lost = await shop.kill();
  await shop.allServe(1);
  const [replacement] = await shop.workers();
  assert.notEqual(replacement?.id, lost);
  assert.equal((await home.ask()).greeting, 'plain');
  assert.deepEqual(readFileSync(shop.copy), readFileSync(join(`${shop.modules}.old`, 'handover/dist/preload.cjs')));

  home.write('broken.js', "require('node:http').createServer().listen(-1)");
  const broken = await home.json('reload', 'broken.js');
  assert.match(`${broken.answer.why}`, /ERR_SOCKET_BAD_PORT.*\/broken\.js:1/);
  const { code, answer } = await home.json('reload');
  assert.equal(code, 0, JSON.stringify(answer));
  assert.equal((await home.json('rollback')).code, 0);
  assert.equal((await home.json('scale', '2')).code, 0);
  await shop.allServe(2);
  assert.equal((await home.handover('stop')).code, 0);
  assert.equal((await running.ended()).code, 0, running.stderr());
  assert.equal(existsSync(shop.copy), false, 'the copy is gone with the supervisor');
});

test('where the files of the app are missing, the others serve, a reload fails with the reason, and the lost worker comes back with them', async (t) => {
  const shop = new Installed(t);
  const { home } = shop;
  const running = await shop.run('server.js', '--workers', '2', '--bake', '0');
  const putBack = shop.remove();
  await shop.kill();
  await running.says(/"worker-exited".*Cannot find module 'greeting'/);
  const { code, answer } = await home.json('reload');
  assert.deepEqual([code, answer.ok, answer.active], [1, false, 1]);
  assert.match(`${answer.why}`, /Cannot find module 'greeting'/);
  assert.equal((await home.ask()).greeting, 'hello');

  putBack();
  await shop.allServe(2);
  assert.equal((await home.json('reload')).code, 0);
});

test('without node_modules, even a service of a single worker comes back by itself when the files do', async (t) => {
  const shop = new Installed(t);
  const running = await shop.run('server.js', '--restarts', '100/1m');
  const putBack = shop.remove();
  await shop.kill();
  const { listeners } = await shop.home.status();
  const answer = fetch(`http://${listeners[0]?.address}`);
  await running.says(/("worker-exited".*Cannot find module 'greeting'[\s\S]*){2}/);
  putBack();

  assert.match(await (await answer).text(), /hello/, 'who asked meanwhile has waited');
  assert.equal(existsSync(shop.copy), true);
});

test('while the whole folder of the app is replaced, a lost worker is tried again until it is there', async (t) => {
  const shop = new Installed(t);
  const running = await shop.run('plain.js');
  const [worker] = await shop.workers();
  const aside = `${shop.home.folder}.old`;
  renameSync(shop.home.folder, aside);
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await running.says(/could not be started: its working directory \S+\/app is gone/);
  renameSync(aside, shop.home.folder);

  await shop.allServe(1);
});

test('beside another version of the package, workers are started with the one that the supervisor is of', async (t) => {
  const shop = new Installed(t);
  const running = await shop.run('plain.js', '--env', 'NODE_OPTIONS=--no-deprecation');
  const preload = join(shop.modules, 'handover/dist/preload.cjs');
  writeFileSync(preload, "throw new Error('of another version');");
  await shop.kill();
  await shop.allServe(1);
  assert.equal((await shop.home.json('reload')).code, 0);
  assert.equal((await shop.home.json('reload', '--node', process.execPath)).code, 0);

  assert.doesNotMatch(running.stderr(), /of another version/);
});

test('a copy that a killed supervisor has left goes with the next one', async (t) => {
  const shop = new Installed(t);
  const running = await shop.run('plain.js', '--orphan-timeout', '0');
  const putBack = shop.remove();
  await shop.kill();
  await shop.allServe(1);
  running.process.kill('SIGKILL');
  await running.ended();
  assert.equal(existsSync(shop.copy), true);
  putBack();
  await shop.run('plain.js');
  assert.equal((await shop.home.handover('stop')).code, 0);

  assert.equal(existsSync(shop.copy), false);
});
