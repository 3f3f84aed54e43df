import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WhileActiveTasks } from '../../src/worker/while-active.ts';

/** Tasks that write down what happens to them. */
function setUp(...names: string[]) {
  const told: string[] = [];
  const tasks = new WhileActiveTasks();
  const take = (name: string) =>
    tasks.add(() => {
      told.push(`start ${name}`);
      return () => void told.push(`stop ${name}`);
    });
  return { tasks, told, take, forget: names.map(take) };
}

test('a task does not run before its generation is active', async () => {
  const { told } = setUp('a');
  await turn();

  assert.deepEqual(told, []);
});

test('tasks run while their generation is active, and again when it is active again', async () => {
  const { tasks, told } = setUp('a', 'b');
  for (let time = 0; time < 2; time += 1) {
    tasks.activate();
    await turn();
    await tasks.deactivate();
  }

  assert.deepEqual(told, ['start a', 'start b', 'stop a', 'stop b', 'start a', 'start b', 'stop a', 'stop b']);
});

test('a task that is added while the generation is active starts at once', async () => {
  const { tasks, told, take } = setUp();
  tasks.activate();
  take('late');
  await turn();

  assert.deepEqual(told, ['start late']);
});

test('to be told twice is to be told once', async () => {
  const { tasks, told } = setUp('a');
  tasks.activate();
  tasks.activate();
  await turn();
  await Promise.all([tasks.deactivate(), tasks.deactivate()]);

  assert.deepEqual(told, ['start a', 'stop a']);
});

test('the end waits for a task that is still beginning, and for one that takes long to end', async () => {
  const tasks = new WhileActiveTasks();
  const told: string[] = [];
  let begin = () => {};
  let finish = () => {};
  tasks.add(async () => {
    await new Promise<void>((resolve) => (begin = resolve));
    return async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      told.push('stopped');
    };
  });
  tasks.activate();
  await turn();
  const ended = tasks.deactivate().then(() => told.push('ended'));
  await turn();
  begin();
  await turn();
  assert.deepEqual(told, []);
  finish();
  await ended;

  assert.deepEqual(told, ['stopped', 'ended']);
});

test('a task without an end of its own is no hindrance', async () => {
  const tasks = new WhileActiveTasks();
  tasks.add(() => {});
  tasks.activate();
  await tasks.deactivate();
});

test('a task that is taken back ends, and does not run again', async () => {
  const { tasks, told, forget } = setUp('a');
  tasks.activate();
  await turn();
  await forget[0]?.();
  await tasks.deactivate();
  tasks.activate();
  await turn();

  assert.deepEqual(told, ['start a', 'stop a']);
});
