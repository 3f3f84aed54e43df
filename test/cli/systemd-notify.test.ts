import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeNotify } from '../support/fake-notify.ts';
import { Home } from './run.ts';

// What the command tells systemd. Whether a real one understands it: scenarios/systemd.test.ts.

const APP = `
const { createServer } = require('node:http');
if (process.env.FAILS) throw new Error('no such database');
createServer((request, response) => response.end(String(process.env.NOTIFY_SOCKET))).listen(process.env.PORT || 0);
`;

test('systemd is told when the service is ready, reloads, fails to, and stops', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const folder = join(home.runtime, 'fake');
  mkdirSync(folder);
  const systemd = new FakeNotify(folder);
  const flags = ['run', '--listen', '127.0.0.1:0', '--workers', '2', '--bake', '0', 'server.js'];
  const running = home.start(flags, { env: systemd.env });
  await systemd.hears(/^READY=1 STATUS=generation 1 is active, 2 workers$/);
  assert.match(running.stderr(), /"event":"started"/, 'ready is who accepts');

  assert.equal((await home.json('reload')).code, 0);
  await systemd.hears(
    /^RELOADING=1 MONOTONIC_USEC=now STATUS=generation 1 is active, 2 workers; generation 2 is starting$/
  );
  await systemd.hears(/^READY=1 STATUS=generation 2 is active, 2 workers$/);

  assert.equal((await home.json('reload', '--env', 'FAILS=1')).code, 1);
  await systemd.hears(/^RELOADING=1 .*; generation 3 is starting$/);
  const after = systemd.told().findLastIndex((line) => line.startsWith('RELOADING=1'));
  assert.ok(
    systemd
      .told()
      .slice(0, after)
      .some((line) => /^READY=1 STATUS=generation 2/.test(line))
  );

  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended();
  assert.equal(code, 0, stderr);
  const told = systemd.told();
  assert.match(told.slice(after).join('\n'), /^READY=1 STATUS=generation 2 is active, 2 workers$/m);
  assert.equal(told.at(-1), 'STOPPING=1 STATUS=stopping');
  assert.deepEqual([told.filter((line) => line.startsWith('STOPPING')).length, systemd.most()], [1, 1]);
  assert.doesNotMatch(stderr, /notify-failed/);
});

test('a machine without systemd-notify is warned of once, and serves', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const env = { PATH: home.runtime, NOTIFY_SOCKET: '/run/systemd/notify' };
  const running = home.start(['run', '--listen', '127.0.0.1:0', 'server.js'], { env });
  await running.says(/"event":"notify-failed","reason":"there is no program systemd-notify: .*Type=exec/);
  await running.says(/"event":"started"/);
  assert.equal((await home.json('reload')).code, 0);
  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended();
  assert.deepEqual([code, stderr.match(/notify-failed/g)?.length], [0, 1]);
});
