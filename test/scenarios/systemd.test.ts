import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, type Target } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { cannotRunSystemd, SystemdMachine } from '../support/systemd.ts';
import { Visitors } from '../support/visitors.ts';
import { until } from '../support/wait.ts';

// examples/systemd as it stands, under a real systemd that is process 1 of a namespace; only its port is another one.

const skip = cannotRunSystemd();

const SERVICE = 'handover-app.service';
const SOCKET = 'handover-app.socket';

interface Setup {
  readonly machine: SystemdMachine;
  readonly target: Target;
}

async function boot(t: TestContext, service = ''): Promise<Setup> {
  const port = await freePort();
  const socket = `[Socket]\nListenStream=\nListenStream=127.0.0.1:${port}\n`;
  const machine = await SystemdMachine.boot(t, { [SOCKET]: socket, [SERVICE]: service });
  return { machine, target: { host: '127.0.0.1', port } };
}

async function order({ machine }: Setup, ...args: string[]): Promise<void> {
  const { code, said } = await machine.systemctl(...args);
  assert.equal(code, 0, `systemctl ${args.join(' ')}: ${said}\n${machine.log()}`);
}

/** Makes the next version one that says another word. */
function greet({ machine }: Setup, word: string): void {
  edit(machine, (code) => code.replace(/(?<=greeting = ')[^']*/, word));
}

function edit({ app }: SystemdMachine, change: (code: string) => string): void {
  const path = join(app, 'server.js');
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

test('systemctl starts it when it serves, hands over under clients that lose nothing, and stops it', {
  skip
}, async (t) => {
  const setup = await boot(t);
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  assert.match(machine.log(), /"event":"started"/, 'it counts as started once it serves');
  assert.deepEqual(
    [await machine.show('ActiveState'), await machine.show('StatusText')],
    ['active', 'generation 1 is active, 1 worker']
  );
  const main = Number(await machine.show('MainPID'));
  const visitors = new Visitors(t, target, true);
  await visitors.go();

  greet(setup, 'good day');
  await order(setup, 'reload', SERVICE);
  assert.match((await ask(target)).body, /^good day from/);
  await visitors.go();

  edit(machine, (code) => `${code}throw new Error('no such database');\n`);
  const failed = await machine.systemctl('reload', SERVICE);
  assert.equal(failed.code, 1, failed.said);
  await until(async () => (await machine.show('ActiveState')) === 'active', 'systemd to know that the service runs');
  assert.match((await ask(target)).body, /^good day from/);
  assert.deepEqual([Number(await machine.show('MainPID')), await machine.show('NRestarts')], [main, '0']);
  await visitors.leave();

  await order(setup, 'stop', SERVICE, SOCKET);
  assert.equal(await machine.show('ActiveState'), 'inactive');
  assert.equal(await machine.show('Result'), 'success');
  assert.equal(await machine.show('TasksCurrent'), '[not set]', 'nothing is left of it');
  await assert.rejects(ask(target), { code: 'ECONNREFUSED' });
  assert.doesNotMatch(machine.log(), /notify-failed/);
});

test('who connects while it is stopped, started or restarted waits, and is answered', { skip }, async (t) => {
  const setup = await boot(t);
  const { machine, target } = setup;
  await order(setup, 'start', SOCKET);
  assert.equal(await machine.show('ActiveState'), 'inactive');
  assert.match((await ask(target)).body, /^hello from/, 'the first visitor starts it, and is answered');

  const visitors = new Visitors(t, target, false);
  for (const word of ['good day', 'good night']) {
    await visitors.go();
    greet(setup, word);
    await order(setup, 'restart', SERVICE);
    assert.match((await ask(target)).body, new RegExp(`^${word} from`));
  }
  await visitors.leave();
  await order(setup, 'stop', SERVICE, SOCKET);
});

test('the watchdog leaves alone what lives', { skip }, async (t) => {
  const setup = await boot(t, '[Service]\nWatchdogSec=4\n');
  const { machine } = setup;
  await order(setup, 'start', SERVICE);
  await livesOn(setup);
  assert.equal(await machine.show('NRestarts'), '0');
});

/** Waits until systemd has heard some more times that it lives. */
async function livesOn({ machine }: Setup): Promise<void> {
  const heard = async () => Number(await machine.show('WatchdogTimestampMonotonic'));
  let [last, signs] = [await heard(), 0];
  await until(
    async () => {
      const now = await heard();
      if (now > last) signs += 1;
      last = now;
      return signs === 3;
    },
    () => `three signs of life, not ${signs}`
  );
}

// A main process that hangs, is gone, or is replaced.

test('the workers outlive a main process that is killed, the next one takes them over, and nobody notices', {
  skip
}, async (t) => {
  const setup = await boot(t);
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  const visitors = new Visitors(t, target, true);
  for (const restarts of ['1', '2']) {
    await visitors.go();
    const main = await machine.show('MainPID');
    await machine.signalMain('SIGKILL');
    await until(
      async () => (await machine.show('NRestarts')) === restarts && (await machine.show('ActiveState')) === 'active',
      () => `systemd to start it again; it said:\n${machine.log()}`
    );
    assert.notEqual(await machine.show('MainPID'), main);
    assert.equal(await machine.show('StatusText'), 'generation 1 is active, 1 worker');
  }
  assert.equal(machine.log().match(/"event":"adopted"/g)?.length, 2);
  assert.doesNotMatch(machine.log(), /socket-blocks/, 'no worker was made to wait in accept()');
  greet(setup, 'good day');
  await order(setup, 'reload', SERVICE);
  assert.match((await ask(target)).body, /^good day from/);
  await visitors.leave();
  await order(setup, 'stop', SERVICE, SOCKET);
  assert.equal(await machine.show('TasksCurrent'), '[not set]', 'nothing is left of it');
});

// Whether accept() waits is a property of the socket, for all who have it, and systemd sets it anew with each start.
test('where a start of the main process would make workers wait in accept(), it says so', { skip }, async (t) => {
  const setup = await boot(t, '[Service]\nNonBlocking=no\n');
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  assert.match((await ask(target)).body, /^hello from/);
  assert.match(machine.log(), /"level":"warn","event":"socket-blocks","reason":"[^"]*NonBlocking=yes/);
  const upgrade = await machine.handover('upgrade');
  assert.equal(upgrade.code, 0, upgrade.said);
  assert.equal(machine.log().match(/socket-blocks/g)?.length, 1, 'a successor is passed what does not block any more');
});

test('an upgrade makes another process the main one: the unit stays active, and nobody notices', {
  skip
}, async (t) => {
  const setup = await boot(t, '[Service]\nWatchdogSec=4\n');
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  const visitors = new Visitors(t, target, true);
  for (const word of ['good day', 'good night']) {
    await visitors.go();
    const main = await machine.show('MainPID');
    const upgrade = await machine.handover('upgrade', '--json');
    assert.equal(upgrade.code, 0, `${upgrade.said}\n${machine.log()}`);
    const { from, to } = JSON.parse(upgrade.said);
    assert.equal(String(from), main);
    assert.deepEqual([await machine.show('MainPID'), await machine.show('ActiveState')], [String(to), 'active']);
    await livesOn(setup);
    greet(setup, word);
    await order(setup, 'reload', SERVICE);
    assert.match((await ask(target)).body, new RegExp(`^${word} from`), 'it has the socket under its name');
  }
  assert.deepEqual([await machine.show('NRestarts'), await machine.show('Result')], ['0', 'success']);
  await visitors.leave();
  await order(setup, 'stop', SERVICE, SOCKET);
  assert.deepEqual([await machine.show('ActiveState'), await machine.show('TasksCurrent')], ['inactive', '[not set]']);
  assert.doesNotMatch(machine.log(), /notify-failed/);
});

test('a main process that hangs is replaced by the watchdog, and nobody is refused meanwhile', { skip }, async (t) => {
  const setup = await boot(t, '[Service]\nWatchdogSec=5\n');
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  const main = await machine.show('MainPID');
  const visitors = new Visitors(t, target, false);
  await visitors.go();
  await machine.signalMain('SIGSTOP');
  await until(
    async () => (await machine.show('NRestarts')) === '1' && (await machine.show('ActiveState')) === 'active',
    () => `the watchdog to restart the service, which said:\n${machine.log()}`
  );
  assert.notEqual(await machine.show('MainPID'), main);
  assert.match(await machine.show('StatusText'), /^generation \d+ is active, 1 worker$/);
  await visitors.leave();
});

test('an upgrade of which systemd would not hear is refused, and the service goes on', { skip }, async (t) => {
  const setup = await boot(t, '[Service]\nType=exec\nNotifyAccess=none\nWatchdogSec=0\n');
  const { machine, target } = setup;
  await order(setup, 'start', SERVICE);
  assert.match((await ask(target)).body, /^hello from/);
  const main = await machine.show('MainPID');
  const { code, said } = await machine.handover('upgrade');
  assert.equal(code, 1, said);
  assert.match(said, /HANDOVER_ERR_WORKER_UPGRADE.*NotifyAccess=all/s);
  assert.deepEqual([await machine.show('MainPID'), await machine.show('ActiveState')], [main, 'active']);
  assert.match((await ask(target)).body, /^hello from/);
});
