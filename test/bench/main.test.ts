import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startApp } from './app.ts';

const entry = fileURLToPath(new URL('../../bench/client/main.ts', import.meta.url));

async function run(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

test('the command reports a healthy service and exits with 0', async (t) => {
  const app = await startApp();
  t.after(app.kill);
  const { code, stdout, stderr } = await run('--port', app.output, '--clients', 'idle=2,fresh=1', '--seconds', '0.1');

  assert.equal(stderr, '');
  assert.match(stdout, /^\d+ sent = \d+ answered \+ 0 failed in .*\nfailures {4}none\n/);
  assert.equal(code, 0);
});

test('the command exits with 1 when requests failed, and shows which', async (t) => {
  const app = await startApp();
  t.after(app.kill);
  await app.kill();
  const { code, stdout } = await run('--port', app.output, '--clients', 'idle=2', '--seconds', '0.1');

  assert.match(stdout, /^2 sent = 0 answered \+ 2 failed in .*\nfailures {4}refused 2\n/);
  assert.match(stdout, /refused idle1-1 GET \/answer: ECONNREFUSED/);
  assert.equal(code, 1);
});

test('the command without a target says how it is used and exits with 2', async () => {
  const { code, stdout, stderr } = await run();

  assert.equal(stdout, '');
  assert.match(stderr, /^usage: main\.ts/);
  assert.equal(code, 2);
});
