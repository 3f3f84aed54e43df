import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Duty } from '../../src/worker/while-active.ts';

/** A duty with tasks that write down what happens to them. */
function setUp(...names: string[]) {
  const told: string[] = [];
  const duty = new Duty();
  const take = (name: string) =>
    duty.add(() => {
      told.push(`start ${name}`);
      return () => void told.push(`stop ${name}`);
    });
  return { duty, told, take, forget: names.map(take) };
}

test('a task does not run before its generation is active', async () => {
  const { told } = setUp('a');
  await turn();

  assert.deepEqual(told, []);
});

test('tasks run while their generation is active, and again when it is active again', async () => {
  const { duty, told } = setUp('a', 'b');
  for (let time = 0; time < 2; time += 1) {
    duty.activate();
    await turn();
    await duty.deactivate();
  }

  assert.deepEqual(told, ['start a', 'start b', 'stop a', 'stop b', 'start a', 'start b', 'stop a', 'stop b']);
});

test('a task that is added while the generation is active starts at once', async () => {
  const { duty, told, take } = setUp();
  duty.activate();
  take('late');
  await turn();

  assert.deepEqual(told, ['start late']);
});

test('to be told twice is to be told once', async () => {
  const { duty, told } = setUp('a');
  duty.activate();
  duty.activate();
  await turn();
  await Promise.all([duty.deactivate(), duty.deactivate()]);

  assert.deepEqual(told, ['start a', 'stop a']);
});

test('the end waits for a task that is still beginning, and for one that takes long to end', async () => {
  const duty = new Duty();
  const told: string[] = [];
  let begin = () => {};
  let finish = () => {};
  duty.add(async () => {
    await new Promise<void>((resolve) => (begin = resolve));
    return async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      told.push('stopped');
    };
  });
  duty.activate();
  await turn();
  const ended = duty.deactivate().then(() => told.push('ended'));
  await turn();
  begin();
  await turn();
  assert.deepEqual(told, []);
  finish();
  await ended;

  assert.deepEqual(told, ['stopped', 'ended']);
});

test('a task without an end of its own is no hindrance', async () => {
  const duty = new Duty();
  duty.add(() => {});
  duty.activate();
  await duty.deactivate();
});

test('a task that is taken back ends, and does not run again', async () => {
  const { duty, told, forget } = setUp('a');
  duty.activate();
  await turn();
  await forget[0]?.();
  await duty.deactivate();
  duty.activate();
  await turn();

  assert.deepEqual(told, ['start a', 'stop a']);
});
