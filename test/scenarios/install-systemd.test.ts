import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { cannotRunSystemd, SystemdMachine } from '../support/systemd.ts';
import { Visitors } from '../support/visitors.ts';
import { until } from '../support/wait.ts';

// What `handover install` writes, under a real systemd: hardened as it is, for a user that systemd makes.

const skip = cannotRunSystemd();
const UNIT = 'shop.service';

test('install starts a hardened service that is found, reloaded, killed and taken over; uninstall leaves nothing', {
  skip
}, async (t) => {
  const port = await freePort();
  const target = { host: '127.0.0.1', port };
  const machine = await SystemdMachine.boot(t, { [UNIT]: '[Service]\nStandardError=append:/srv/log\n' });
  const units = join(machine.app, '../units');
  const greet = (word: string) => {
    const path = join(machine.app, 'server.js');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/(?<=greeting = ')[^']*/, word));
  };
  const run = ['server.js', '--name', 'shop', '--listen', `127.0.0.1:${port}`, '--workers', '2'];

  const installed = await machine.inFolder('install', '--socket-activation', '--now', ...run);
  assert.equal(installed.code, 0, `${installed.said}\n${machine.log()}`);
  assert.match(installed.said, /Started: shop\.socket, shop\.service\./);
  assert.match((await ask(target)).body, /^hello from/);
  assert.equal(await machine.show('DynamicUser', UNIT), 'yes');
  assert.ok(lstatSync(join(units, 'multi-user.target.wants', UNIT)), 'it is started with the machine');

  // Root stands outside: neither the folder of its own sockets nor an option says where this one is.
  for (const where of [[], ['--name', 'shop']]) {
    const { code, said } = await machine.inFolder('status', '--json', ...where);
    assert.equal(code, 0, said);
    assert.equal(JSON.parse(said).app, 'shop');
  }
  const list = JSON.parse((await machine.inFolder('list', '--json')).said);
  assert.ok(list.supervisors.some(({ socket }: { socket: string }) => socket === '/run/shop/control.sock'));

  const visitors = new Visitors(t, target, true);
  await visitors.go();
  greet('good day');
  const reloaded = await machine.systemctl('reload', UNIT);
  assert.equal(reloaded.code, 0, `${reloaded.said}\n${machine.log()}`);
  assert.match((await ask(target)).body, /^good day from/);
  await machine.signalMain('SIGKILL', UNIT);
  await until(
    async () =>
      (await machine.show('NRestarts', UNIT)) === '1' && (await machine.show('ActiveState', UNIT)) === 'active',
    () => `systemd to start it again; it said:\n${machine.log()}`
  );
  assert.match(machine.log(), /"event":"adopted"/, 'its workers outlive it, and are taken over');
  await visitors.leave();

  const uninstalled = await machine.inFolder('uninstall');
  assert.equal(uninstalled.code, 0, uninstalled.said);
  assert.match(uninstalled.said, /Stopped and removed: .*shop\.service, .*shop\.socket/);
  assert.equal(existsSync(join(units, UNIT)), false);
  assert.equal(await machine.show('LoadState', 'shop.socket'), 'not-found');
  await assert.rejects(ask(target), { code: 'ECONNREFUSED' });
});

test('a unit that handover did not write is not written over, and one that was changed neither', {
  skip
}, async (t) => {
  const machine = await SystemdMachine.boot(t, {});
  const path = join(machine.app, '../units/handover-app.service');
  const before = readFileSync(path, 'utf8');
  const install = () => machine.inFolder('install', 'server.js', '--listen', '127.0.0.1:0');
  const foreign = await install();
  assert.equal(foreign.code, 3);
  assert.match(foreign.said, /HANDOVER_ERR_REFUSED_INSTALL: .*handover has not written it/);
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.equal((await machine.inFolder('uninstall', '--name', 'handover-app')).code, 3, 'nor removed');

  const forced = await machine.inFolder('install', '--force', 'server.js', '--listen', '127.0.0.1:0');
  assert.equal(forced.code, 0, forced.said);
  assert.match((await install()).said, /All of it is there already/);
  writeFileSync(path, readFileSync(path, 'utf8').replace('RestartSec=1', 'RestartSec=9'));
  assert.match((await machine.inFolder('install', 'server.js', '--listen', '127.0.0.1:1')).said, /was changed since/);
});

test('a user installs it for himself, and root for an app that runs as another user', { skip }, async (t) => {
  const [own, other] = [await freePort(), await freePort()];
  const machine = await SystemdMachine.boot(t, { [UNIT]: '[Service]\nStandardError=append:/srv/log\n' });
  const asUser = await machine.ofUser('www-data');
  const handover = (...args: string[]) => asUser('/srv/handover-app/node_modules/.bin/handover', ...args);
  const target = { host: '127.0.0.1', port: own };
  const listen = `127.0.0.1:${own}`;

  const installed = await handover('install', '--user', '--now', 'server.js', '--name', 'mine', '--listen', listen);
  assert.equal(installed.code, 0, installed.said);
  assert.match((await ask(target)).body, /^hello from/);
  const systemctl = (...args: string[]) => asUser('systemctl', '--user', ...args);
  const reloaded = await systemctl('reload', 'mine');
  assert.equal(reloaded.code, 0, reloaded.said);
  await systemctl('kill', '--kill-whom=main', '--signal=SIGKILL', 'mine');
  const shown = async (name: string) => (await systemctl('show', '--property', name, '--value', 'mine')).said;
  const isBack = async () => (await shown('NRestarts')) === '1' && (await shown('ActiveState')) === 'active';
  await until(isBack, 'the manager to start it again');
  const { app, active } = JSON.parse((await handover('status', '--json')).said);
  assert.deepEqual([app, active.generation], ['mine', 2], 'its workers were taken over');
  const removed = await handover('uninstall', '--user');
  assert.equal(removed.code, 0, removed.said);
  await assert.rejects(ask(target), { code: 'ECONNREFUSED' });

  const run = ['server.js', '--user', 'www-data', '--name', 'shop', '--listen', `127.0.0.1:${other}`];
  const asRoot = await machine.inFolder('install', '--now', '--', ...run);
  assert.equal(asRoot.code, 0, `${asRoot.said}\n${machine.log()}`);
  assert.match((await ask({ ...target, port: other })).body, /^hello from/);
  const status = JSON.parse((await machine.inFolder('status', '--json', '--name', 'shop')).said);
  assert.deepEqual(await machine.usersOf(status.active.workers.map(({ pid }: { pid: number }) => pid)), ['www-data']);
  assert.equal((await machine.systemctl('reload', UNIT)).code, 0, machine.log());
});
