import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type TestContext, test } from 'node:test';
import { Priority } from '../../src/host/processes/priority.ts';
import { atEnd } from '../support/end.ts';
import { startService } from '../support/service.ts';
import { until } from '../support/wait.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const skip = isRoot && getPriority() === 0 ? false : 'only root of a Linux machine may raise a priority again';

/** The nice values of its main thread, and of all its others. */
function prioritiesOf(pid: number) {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  const others = new Set(threads.filter((thread) => thread !== pid).map((thread) => getPriority(thread)));
  return { main: getPriority(pid), others: [...others] };
}

/** How many threads compile aside, the main one not among them. */
function asideOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return threads.filter((thread) => thread !== pid && getPriority(thread) === 15).length;
}

function sessionOf(pid: number): number | null {
  try {
    return Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]);
  } catch {
    return null; // a kernel without sessions of their own
  }
}

async function startProcess(t: TestContext): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)'], { detached: true });
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

test('a process steps back with all its threads, and gets its own priority back', { skip }, async (t) => {
  const pid = await startProcess(t);
  const priority = new Priority(pid);
  priority.boot(60_000);
  assert.deepEqual(prioritiesOf(pid), { main: 5, others: [10] });
  const hasSessions = sessionOf(pid) !== null;
  if (hasSessions) assert.equal(sessionOf(pid), 10);
  priority.restore();
  assert.deepEqual(prioritiesOf(pid), { main: 0, others: [0] });
  if (hasSessions) assert.equal(sessionOf(pid), 0);
});

test('while it is given connections, and until it has compiled what it runs, the threads that compile step back', {
  skip
}, async (t) => {
  const pid = await startProcess(t);
  const priority = new Priority(pid);
  const hasSessions = sessionOf(pid) !== null;
  priority.start(400);
  assert.deepEqual(
    prioritiesOf(pid),
    { main: 0, others: [0] },
    'nobody waits for those that did not boot beside others'
  );
  priority.boot(60_000);
  priority.start(400);
  assert.deepEqual([getPriority(pid), asideOf(pid)], [0, 5]);
  if (hasSessions) {
    assert.equal(sessionOf(pid), 3);
    await until(() => sessionOf(pid) === 0, 'the end of the ramp');
    assert.deepEqual([getPriority(pid), asideOf(pid)], [0, 5]);
  }
  await until(() => asideOf(pid) === 0, 'the end of its compiling');
  assert.deepEqual(prioritiesOf(pid), { main: 0, others: [0] });
  priority.start(0);
  assert.deepEqual(prioritiesOf(pid), { main: 0, others: [0] });
});

test('what a supervisor has lowered the next one raises again', { skip }, async (t) => {
  const pid = await startProcess(t);
  new Priority(pid).boot(60_000);
  const next = new Priority(pid, true);
  assert.deepEqual(prioritiesOf(pid), { main: 5, others: [10] });
  next.restore();
  assert.deepEqual(prioritiesOf(pid), { main: 0, others: [0] });
  if (sessionOf(pid) !== null) assert.equal(sessionOf(pid), 0);
});

test('a warm-up is done aside where the boot was', { skip }, async (t) => {
  const pid = await startProcess(t);
  const [first, candidate] = [new Priority(pid), new Priority(pid)];
  first.warmUp();
  assert.equal(prioritiesOf(pid).main, 0);
  candidate.boot(60_000);
  candidate.restore();
  candidate.warmUp();
  assert.equal(prioritiesOf(pid).main, 5);
  candidate.restore();
  assert.equal(prioritiesOf(pid).main, 0);
});

test('after its end nothing raises a process again', { skip }, async (t) => {
  const pid = await startProcess(t);
  const priority = new Priority(pid);
  priority.boot(60_000);
  priority.end();
  priority.restore();
  assert.equal(prioritiesOf(pid).main, 5);
});

test('of a process that is gone, nothing is said', () => {
  new Priority(2 ** 22 + 1).boot(60_000);
});

test('a candidate boots aside, and has its own priority when it is checked; the first generation never steps back', {
  skip
}, async (t) => {
  const checked: number[] = [];
  const { service, client } = await startService(t, 'seen.mjs', {
    check: async ({ fetch }) => {
      const { now } = (await (await fetch('/')).json()) as { now: number };
      checked.push(now);
    }
  });
  const read = async () => JSON.parse((await client().get()).body) as { booted: number; now: number };
  assert.deepEqual(await read().then(({ booted, now }) => [booted, now]), [0, 0]);
  await service.reload();
  assert.deepEqual(await read().then(({ booted, now }) => [booted, now]), [5, 0]);
  assert.deepEqual(checked, [0, 0]);
});
