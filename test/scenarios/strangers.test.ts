import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { FoundWorkers } from '../../src/host/found-workers.ts';
import type { Knock } from '../../src/host/links.ts';
import { adoptProcess, startTimeOf } from '../../src/host/processes/running-process.ts';
import { connectPipe } from '../../src/internals/pipes.ts';
import type { Hello, ToSupervisor } from '../../src/protocol/messages.ts';
import { seal } from '../../src/protocol/parse.ts';
import { atEnd } from '../support/end.ts';
import { until } from '../support/wait.ts';
import { TestService, waitFor, withService } from './service.ts';

// Who is taken for a worker, and is none: a process that has the pid of one, a worker that lies, and whoever else knocks.

/** A process that has nothing to do with the service. */
function bystander(t: TestContext): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)'], { stdio: 'ignore' });
  atEnd(t, async () => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

const runs = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

const linkOf = (socket: string) => socket.replace(/\.sock$/, '.link');

interface LinkFile {
  readonly secret: string;
  readonly workers: readonly { readonly id: string; readonly pid: number; readonly startedAt: string | null }[];
}

const readLinks = (socket: string) => JSON.parse(readFileSync(`${linkOf(socket)}.json`, 'utf8')) as LinkFile;

function helloOf(secret: string, worker: string, pid: number): Hello {
  const said = { told: '', yields: false, isActive: false, statements: [], adopted: [], memory: '', tickets: '' };
  return { secret, worker, pid, isAlone: true, ...said };
}

/** Knocks as a worker does. Gives what was answered, and lets something be said. */
async function knock(t: TestContext, socket: string, hello: Hello) {
  const answers: { readonly type: string; readonly why?: string }[] = [];
  let isOver = false;
  const connected = await new Promise<{ pipe: ReturnType<typeof connectPipe>; status: number }>((done) => {
    const events = {
      onMessage: (message: unknown) => void answers.push(message as (typeof answers)[number]),
      onEnd: () => {
        isOver = true;
      }
    };
    const pipe = connectPipe(linkOf(socket), events, (status) => done({ pipe, status }));
  });
  assert.equal(connected.status, 0);
  const { pipe } = connected;
  atEnd(t, async () => pipe.close());
  const say = (message: ToSupervisor) => pipe.send(seal(message));
  say({ type: 'hello', ...hello });
  await until(() => answers.length > 0, 'an answer');
  return { answers, say, isOver: () => isOver };
}

test('who knocks without the secret is refused by name, and the service goes on', async (t) => {
  await withService({}, async (service) => {
    const { socket } = service;
    for (const path of [linkOf(socket), `${linkOf(socket)}.json`]) assert.equal(lstatSync(path).mode & 0o777, 0o600);
    const [worker] = await service.workers();
    const { answers, isOver } = await knock(t, socket, helloOf('0'.repeat(64), '1.1', worker?.pid ?? 0));
    assert.deepEqual(
      answers.map(({ type, why }) => [type, why]),
      [['unwelcome', 'it does not know the secret']]
    );
    await until(isOver, 'the end of its connection');
    await service.line('garbage', ({ reason }) => String(reason).includes('secret'));
    service.version = '2';
    assert.equal((await service.client.reload()).to, 2);
  });
});

test('a worker that lies about who it is gets no work, and the process that it names is left alone', async (t) => {
  const other = bystander(t);
  await withService({}, async (service) => {
    const { secret } = readLinks(service.socket);
    for (const worker of ['1.1', '7.1', 'none']) {
      const { answers, say, isOver } = await knock(t, service.socket, helloOf(secret, worker, other.pid));
      await until(() => answers.length === 2, 'what it is to do');
      assert.deepEqual(
        answers.map(({ type }) => type),
        ['welcome', 'drain']
      );
      say({ type: 'accepting' } as ToSupervisor);
      say({ type: 'drained' } as ToSupervisor);
      await until(isOver, 'the end of its connection');
    }
    assert.equal((await service.workers()).length, 1);
    assert.equal((await service.client.reload()).to, 2);
  });
  assert.ok(runs(other));
});

test('a worker that knocks under the name of another one is not taken over', (t) => {
  const { pid } = bystander(t);
  const found = new FoundWorkers([{ id: '1.1', pid: process.pid, startedAt: startTimeOf(process.pid) }]);
  const refusals: string[] = [];
  for (const [worker, claimed] of [
    ['1.1', pid],
    ['2.1', process.pid]
  ] as const) {
    const refuse = (why: string) => refusals.push(why);
    found.onKnock({ hello: helloOf('', worker, claimed), refuse } as unknown as Knock);
  }
  assert.deepEqual(refusals, [
    `worker 1.1 is another process than pid ${pid}, or none`,
    `worker 2.1 is another process than pid ${process.pid}, or none`
  ]);
});

test('a process that has the pid of a worker by now is neither waited for, nor signalled', async (t) => {
  const other = bystander(t);
  const service = new TestService({});
  const { socket } = service;
  let again: TestService | null = null;
  try {
    await service.started();
    const [worker] = await service.workers();
    const links = readLinks(socket);
    service.process.kill('SIGKILL');
    await service.exited();
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    const workers = links.workers.map((one) => ({ ...one, pid: other.pid }));
    writeFileSync(`${linkOf(socket)}.json`, JSON.stringify({ ...links, workers }));
    again = await new TestService({ socket }).started();
    assert.ok(!again.lines.some(({ event }) => event === 'adopted'));
    assert.ok((await again.workers()).every(({ pid }) => pid !== other.pid));
    again.version = '2';
    await again.client.reload();
    await again.client.stop();
    await again.exited();
  } finally {
    await again?.end();
    await service.end();
  }
  assert.ok(runs(other));
});

test('a worker that was taken over and has ended is not signalled under its pid, which is another process', async (t) => {
  const other = bystander(t);
  const adopted = adoptProcess(other.pid, '1', new Map());
  let hasExited = false;
  adopted.onExit(() => {
    hasExited = true;
  });
  adopted.kill('SIGKILL');
  await waitFor(async () => hasExited, 'it is known to have ended');
  adopted.kill('SIGKILL');
  assert.ok(runs(other));
});
