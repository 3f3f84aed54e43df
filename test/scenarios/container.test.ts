import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../support/end.ts';
import { ask } from '../support/http.ts';
import { cannotSwitchUsers, makePlace, NOBODY } from '../support/rights.ts';
import { freePort } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';

// What examples/docker starts, as a container would: process 1 of a namespace, not root, without capabilities, on a root file
// system that is read-only. There is no container engine here.

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../examples/docker', import.meta.url));
const nobody = NOBODY ?? { uid: -1, gid: -1 };
const skip = cannotSwitchUsers() || cannotUnshare();
const AS_NOBODY = [`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups', '--no-new-privs', '--'];

function cannotUnshare(): string | false {
  const { status } = spawnSync('unshare', ['--fork', '--pid', '--mount', '--mount-proc', 'setpriv', '--version']);
  if (status !== 0) return 'namespaces, or setpriv, are not to be had here';
  const reached = spawnSync(process.execPath, ['--check', CLI.replace('cli.js', 'index.js')], { ...nobody });
  return reached.status !== 0 && 'nobody cannot reach the built package';
}

/** The words of a line of the Dockerfile that is written as a list. */
function readWords(line: string): string[] {
  const text = readFileSync(join(EXAMPLE, 'Dockerfile'), 'utf8');
  const [, list = '[]'] =
    new RegExp(`${line} (\\[.*\\])$`, 'm').exec(text) ?? assert.fail(`the Dockerfile has no ${line}`);
  return JSON.parse(list) as string[];
}

async function start(t: TestContext) {
  const port = await freePort();
  const { app } = makePlace(t);
  for (const file of ['server.js', 'package.json']) cpSync(join(EXAMPLE, file), join(app, file));
  const [, ...words] = readWords('^CMD');
  const args = words.with(words.indexOf('--listen') + 1, `127.0.0.1:${port}`);
  const tmpfs = `mount -t tmpfs -o mode=0700,uid=${nobody.uid},gid=${nobody.gid} tmpfs /run`;
  const script = `mount -o remount,ro,bind / && ${tmpfs} && exec setpriv "$@"`;
  const command = [...AS_NOBODY, process.execPath, '--', CLI, ...args];
  const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: '/run' };
  const flags = ['--fork', '--kill-child', '--pid', '--mount', '--mount-proc'];
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn('unshare', [...flags, 'sh', '-c', script, 'sh', ...command], {
    cwd: app,
    env,
    stdio: [...stdio]
  });
  const closed = once(child, 'close');
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(
    () => said.includes('"started"'),
    () => `a start; it said ${said}`
  );
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const first = Number(children.trim().split(' ')[0]);
  // Its death is that of all in its namespace. That of `unshare` is not: who becomes another user is not told of its parent's.
  atEnd(t, async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(first, 'SIGKILL');
    await inTime(closed, () => 'the end of the container');
  });
  /** Runs a command of the container inside of it. */
  const exec = (...inside: string[]) => {
    const enter = ['--target', String(first), '--mount', '--pid', 'setpriv', ...AS_NOBODY];
    return spawnSync('nsenter', [...enter, process.execPath, '--', CLI, ...inside], {
      cwd: app,
      env,
      encoding: 'utf8'
    });
  };
  return { child, port, first, exec, said: () => said };
}

test('the command of the Dockerfile serves as process 1, not root, on a read-only root, and ends by SIGTERM', {
  skip
}, async (t) => {
  const { child, port, first, exec, said } = await start(t);
  assert.match((await ask({ host: '127.0.0.1', port })).body, /^hello from/);
  const status = readFileSync(`/proc/${first}/status`, 'utf8');
  assert.match(status, new RegExp(`^Uid:(\\t${nobody.uid}){4}$`, 'm'));
  assert.match(status, /^NSpid:\t\d+(\t\d+)*\t1$/m, 'it is process 1 of its namespace');

  const [, ...health] = readWords('HEALTHCHECK .* CMD');
  const healthy = exec(...health);
  assert.equal(healthy.status, 0, healthy.stderr);
  const reload = exec('reload', '--json');
  assert.equal(reload.status, 0, reload.stdout + reload.stderr);
  assert.equal(exec(...health).status, 0);

  const exit = inTime(once(child, 'exit'), () => `the end; it said ${said()}`);
  process.kill(first, 'SIGTERM');
  assert.deepEqual(await exit, [0, null]);
  assert.match(said(), /"event":"stopped"/);
});

test('a health check fails where nobody answers, and while no worker of the active version accepts', {
  skip
}, async (t) => {
  const { exec, first } = await start(t);
  assert.equal(exec('status', '--exit-code', '--name', 'another').status, 4);
  const children = () => readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim().split(' ').map(Number);
  // It is replaced again and again, and never for long.
  await until(() => {
    for (const pid of children()) if (pid > 0) process.kill(pid, 'SIGKILL');
    return exec('status', '--exit-code').status === 1;
  }, 'a status without a worker that accepts');
  await until(() => exec('status', '--exit-code').status === 0, 'a worker in the place of the one that was killed');
});
