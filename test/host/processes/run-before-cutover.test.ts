import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type BeforeCutoverResult, runBeforeCutover } from '../../../src/host/processes/run-before-cutover.ts';
import type { BeforeCutover, BeforeCutoverContext } from '../../../src/options/strategies.ts';
import { makeFolder } from '../../support/folder.ts';
import { inTime, isAlive, until } from '../../support/wait.ts';

function start(t: TestContext, run: BeforeCutover['run'], timeoutMs = 20_000) {
  const cwd = makeFolder(t);
  const stderr = new PassThrough();
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const calling = new AbortController();
  const env = { PATH: process.env.PATH, APP_TOKEN: 'hush-hush' };
  const context = { from: 6, to: 7, cwd, env, account: null, signal: calling.signal };
  const done = inTime(runBeforeCutover({ run, timeoutMs }, context, stderr), 'the end of what runs');
  return { cwd, done, said: () => said, callOff: () => calling.abort() };
}

function whyOf(outcome: BeforeCutoverResult): string {
  return outcome.ok ? assert.fail('it went well') : outcome.why;
}

test('a command runs in the folder and with the environment of the next generation, and knows the two', async (t) => {
  const { cwd, done, said } = start(
    t,
    'echo "$HANDOVER_FROM $HANDOVER_TO $APP_TOKEN" > seen && echo out; echo err >&2'
  );

  assert.deepEqual(await done, { ok: true });
  assert.equal(readFileSync(join(cwd, 'seen'), 'utf8'), '6 7 hush-hush\n');
  assert.deepEqual(said().split('\n').sort(), ['', 'err', 'out']);
});

test('a command that fails says how, with its last lines, and no secret in them', async (t) => {
  const why = whyOf(await start(t, 'echo "cannot lock, $APP_TOKEN" >&2; exit 3').done);

  assert.equal(why, '`echo "cannot lock, $APP_TOKEN" >&2; exit 3` exited with code 3: cannot lock, [APP_TOKEN]');
});

test('a command that cannot be started has failed', async (t) => {
  const { cwd } = start(t, 'true');
  const { signal } = new AbortController();
  const context = { from: 6, to: 7, cwd: join(cwd, 'gone'), env: {}, account: null, signal };

  assert.match(whyOf(await runBeforeCutover({ run: 'true', timeoutMs: 1_000 }, context, new PassThrough())), /ENOENT/);
});

test('a command that takes too long is ended, with all that it has started', async (t) => {
  const { cwd, done } = start(t, 'sleep 60 & echo $! > pid; wait', 300);
  const why = whyOf(await done);

  assert.match(why, /was not done within 300 ms; it wrote nothing to stderr$/);
  const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
  await until(() => !isAlive(pid), 'the end of what the command had started');
});

test('a command is given the time to end by itself, and the answer comes after it has', async (t) => {
  const { cwd, done, callOff } = start(t, 'trap "echo undone > undone; exit 0" TERM; touch begun; sleep 60 & wait');
  await until(() => existsIn(cwd, 'begun'), 'the begin of the command');
  callOff();

  assert.match(whyOf(await done), /was called off/);
  assert.equal(readFileSync(join(cwd, 'undone'), 'utf8'), 'undone\n');
});

test('what a command leaves in the background does not hold up the handover', async (t) => {
  const { cwd, done } = start(t, 'sleep 60 & echo $! > pid');

  assert.deepEqual(await done, { ok: true });
  process.kill(Number(readFileSync(join(cwd, 'pid'), 'utf8')), 'SIGKILL');
});

test('a function is called with the two generations and the folder', async (t) => {
  const calls: Omit<BeforeCutoverContext, 'signal'>[] = [];
  const { cwd, done } = start(t, async ({ signal, ...context }) => {
    assert.equal(signal.aborted, false);
    calls.push(context);
  });

  assert.deepEqual(await done, { ok: true });
  assert.deepEqual(calls, [{ from: 6, to: 7, cwd }]);
});

test('a function that throws, at once or later, has failed', async (t) => {
  const later = async function addColumn() {
    await Promise.resolve();
    throw new Error('no such table');
  };
  const atOnce = () => {
    throw new Error('not even that');
  };

  assert.equal(whyOf(await start(t, later).done), 'function addColumn threw: no such table');
  assert.equal(whyOf(await start(t, atOnce).done), 'function atOnce threw: not even that');
});

test('a function that takes too long is told so by its signal, and not waited for', async (t) => {
  const told: string[] = [];
  const forever = ({ signal }: BeforeCutoverContext) =>
    new Promise<void>(() => signal.addEventListener('abort', () => told.push(signal.reason.message)));

  assert.equal(whyOf(await start(t, forever, 50).done), 'function forever was not done within 50 ms');
  assert.deepEqual(told, ['was not done within 50 ms']);
});

function existsIn(folder: string, name: string): boolean {
  try {
    readFileSync(join(folder, name));
    return true;
  } catch {
    return false; // not yet
  }
}
