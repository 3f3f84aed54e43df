import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Relay } from '../../src/host/relay.ts';
import type { Handle } from '../../src/internals.ts';

/** A relay between workers that exist on paper only; what it does is written down. */
class Desk {
  readonly told: string[] = [];
  readonly heirs = new Map<string, number>();
  readonly dead = new Set<string>();
  readonly failures = new Map<string, () => void>();
  expects = true;
  readonly relay = new Relay({
    heirs: () => [...this.heirs].map(([worker, connections]) => ({ worker, connections })),
    expectsHeirs: () => this.expects,
    deliver: (worker, { id, last, fresh, key }, _handle, onFailed) => {
      assert.deepEqual([fresh, key], [false, '::|80']);
      this.told.push(`deliver ${id} to ${worker}${last ? ' for good' : ''}`);
      this.failures.set(id, onFailed);
    },
    confirm: (worker, id) => this.told.push(`confirm ${id} to ${worker}`),
    isAlive: (worker) => !this.dead.has(worker),
    onLost: (worker) => this.told.push(`lost, from ${worker}`)
  });

  constructor(heirs: Record<string, number> = {}) {
    for (const [worker, connections] of Object.entries(heirs)) this.heirs.set(worker, connections);
  }

  take(id: string, from = '6.1'): this {
    const handle = { close: () => this.told.push(`close ${id}`) } as unknown as Handle;
    this.relay.take(from, { id, key: '::|80', fresh: false }, handle);
    return this;
  }

  /** What was done since the last look. */
  look(): string[] {
    return this.told.splice(0);
  }
}

test('the copy is kept until the receiver has acked, and only then the sender may forget', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  assert.deepEqual(desk.look(), ['deliver a to 7.1']);

  desk.relay.onAdopted('7.1', 'a');
  assert.deepEqual(desk.look(), ['close a', 'confirm a to 6.1']);
});

test('a receiver that dies before it acked costs nothing: the copy is dealt to another', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 5 }).take('a');
  desk.heirs.delete('7.1');
  desk.relay.onGone('7.1');

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('an ack of somebody who is no longer asked is no ack', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 5 }).take('a');
  desk.heirs.delete('7.1');
  desk.relay.onGone('7.1');
  desk.look();

  desk.relay.onAdopted('7.1', 'a');
  desk.relay.onDeclined('7.1', 'a');
  desk.relay.onAdopted('7.2', 'unknown');
  assert.deepEqual(desk.look(), []);
});

test('a second ack is nothing', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onAdopted('7.1', 'a');
  desk.look();
  desk.relay.onAdopted('7.1', 'a');

  assert.deepEqual(desk.look(), []);
});

test('the heir with the least connections gets it, and those on their way count', () => {
  const desk = new Desk({ '7.1': 2, '7.2': 0, '7.3': 1 });
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) desk.take(id);
  const to = desk.look().map((line) => line.split(' ').at(-1));

  assert.deepEqual(to, ['7.2', '7.2', '7.3', '7.1', '7.2', '7.3']);
  assert.deepEqual(
    ['7.1', '7.2', '7.3'].map((worker) => desk.relay.countTo(worker)),
    [1, 3, 2]
  );
});

test('an heir that declines is not asked again', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  desk.relay.onDeclined('7.1', 'a');

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('an heir that it could not be sent to is not asked again', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  desk.failures.get('a')?.();

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('a failure that is told late changes nothing', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  const failed = desk.failures.get('a');
  desk.relay.onAdopted('7.1', 'a');
  desk.look();
  failed?.();

  assert.deepEqual(desk.look(), []);
});

test('what every heir declines goes back to where it came from, for good', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onDeclined('7.1', 'a');
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 6.1 for good']);

  desk.relay.onAdopted('6.1', 'a');
  assert.deepEqual(desk.look(), ['close a', 'confirm a to 6.1']);
});

test('what nobody takes, not even its sender, is lost, and said so', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onDeclined('7.1', 'a');
  desk.relay.onDeclined('6.1', 'a');
  assert.deepEqual(desk.look().slice(2), ['close a', 'lost, from 6.1']);

  const other = new Desk({ '7.1': 0 }).take('a');
  other.dead.add('6.1');
  other.relay.onDeclined('7.1', 'a');
  assert.deepEqual(other.look().slice(1), ['close a', 'lost, from 6.1']);
});

test('where nobody accepts it waits for an heir', () => {
  const desk = new Desk().take('a').take('b');
  assert.deepEqual(desk.look(), []);

  desk.heirs.set('7.1', 0);
  desk.relay.onHeir();
  desk.relay.onHeir();
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver b to 7.1']);
});

test('what waits goes back to its sender when no heir will come', () => {
  const desk = new Desk().take('a');
  desk.expects = false;
  desk.relay.onHeir();

  assert.deepEqual(desk.look(), ['deliver a to 6.1 for good']);
});

test('a sender that is gone does not keep its connection from moving', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.dead.add('6.1');
  desk.relay.onGone('6.1');
  desk.relay.onAdopted('7.1', 'a');

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'close a', 'confirm a to 6.1']);
});

test('the last heir dies: what it had not acked waits for its replacement', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.heirs.clear();
  desk.relay.onGone('7.1');
  assert.deepEqual(desk.look(), ['deliver a to 7.1']);

  desk.heirs.set('7.2', 0);
  desk.relay.onHeir();
  assert.deepEqual(desk.look(), ['deliver a to 7.2']);
});

test('what has moved is counted for each generation it came from, until the count is taken', () => {
  const desk = new Desk({ '7.1': 0 });
  for (const [id, from] of [
    ['a', '6.1'],
    ['b', '6.2'],
    ['c', '5.1']
  ] as const) {
    desk.take(id, from);
    desk.relay.onAdopted('7.1', id);
  }

  assert.deepEqual([desk.relay.takeCount(6), desk.relay.takeCount(6), desk.relay.takeCount(5)], [2, 0, 1]);
});

test('what went back to its sender has not moved', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onDeclined('7.1', 'a');
  desk.relay.onAdopted('6.1', 'a');

  assert.equal(desk.relay.takeCount(6), 0);
});

test('at the end every copy is closed', () => {
  const desk = new Desk({ '7.1': 0 }).take('a').take('b');
  desk.look();
  desk.relay.close();

  assert.deepEqual(desk.look(), ['close a', 'close b']);
  assert.equal(desk.relay.countTo('7.1'), 0);
});
