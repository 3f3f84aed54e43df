import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Departed } from '../../src/host/departed.ts';
import { Relay, type RelayPorts } from '../../src/host/relay.ts';
import type { Handle } from '../../src/internals/net.ts';
import { FORWARDING } from '../../src/protocol/not-of-clients.ts';

/** A relay between workers that exist on paper only; what it does is written down. */
class Desk {
  readonly told: string[] = [];
  readonly receivers = new Map<string, number>();
  readonly dead = new Set<string>();
  /** Workers that are believed to be there, and to which nothing can be sent. */
  readonly deaf = new Set<string>();
  readonly failures = new Map<string, () => void>();
  expects = true;
  /** Whom each is meant for. */
  readonly #meant = new Map<string, string>();
  readonly #keys = new Map<string, string>();
  readonly #departed = new Departed();
  readonly relay: Relay;
  readonly #ports: RelayPorts = {
    receivers: () => [...this.receivers].map(([worker, connections]) => ({ worker, connections })),
    receiversOf: (to) =>
      [...this.receivers]
        .filter(([worker]) => worker.startsWith(to))
        .map(([worker, connections]) => ({ worker, connections })),
    expectsReceivers: () => this.expects,
    deliver: (worker, { id, last, ...moving }, _handle, onFailed) => {
      assert.deepEqual(moving, {
        key: this.#keys.get(id),
        fresh: false,
        pipelines: true,
        resume: '',
        to: this.#meant.get(id),
        request: '',
        lot: -1,
        sides: 0,
        tries: ''
      });
      this.told.push(`deliver ${id} to ${worker}${last ? ' for good' : ''}`);
      this.failures.set(id, onFailed);
      if (this.deaf.has(worker)) onFailed();
    },
    confirm: (worker, id) => this.told.push(`confirm ${id} to ${worker}`),
    isAlive: (worker) => !this.dead.has(worker),
    onMoved: (from, moving, refused) => this.#departed.onMoved(from, moving, refused),
    onLost: (worker) => this.told.push(`lost, from ${worker}`)
  };

  constructor(receivers: Record<string, number> = {}, room?: number) {
    this.relay = new Relay(this.#ports, room);
    for (const [worker, connections] of Object.entries(receivers)) this.receivers.set(worker, connections);
  }

  countOf(generation: number): number {
    return this.#departed.take(generation).handedOver;
  }

  take(id: string, from = '6.1', to = '', key = '::|80'): this {
    this.#meant.set(id, to);
    this.#keys.set(id, key);
    const handle = { close: () => this.told.push(`close ${id}`) } as unknown as Handle;
    this.relay.take(
      from,
      { id, key, fresh: false, pipelines: true, resume: '', to, request: '', lot: -1, sides: 0, tries: '' },
      handle
    );
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

  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });
  assert.deepEqual(desk.look(), ['close a', 'confirm a to 6.1']);
});

test('a receiver that dies before it acked costs nothing: the copy is dealt to another', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 5 }).take('a');
  desk.receivers.delete('7.1');
  desk.relay.onGone('7.1');

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('an ack of somebody who is no longer asked is no ack', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 5 }).take('a');
  desk.receivers.delete('7.1');
  desk.relay.onGone('7.1');
  desk.look();

  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });
  desk.relay.onDeclined('7.1', 'a');
  desk.relay.onAdopted('7.2', { id: 'unknown', busy: 0, refused: '' });
  assert.deepEqual(desk.look(), []);
});

test('a second ack is nothing', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });
  desk.look();
  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });

  assert.deepEqual(desk.look(), []);
});

test('the receiver with the least connections gets it, and those on their way count', () => {
  const desk = new Desk({ '7.1': 2, '7.2': 0, '7.3': 1 });
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) desk.take(id);
  const to = desk.look().map((line) => line.split(' ').at(-1));

  assert.deepEqual(to, ['7.2', '7.2', '7.3', '7.1', '7.2', '7.3']);
  assert.deepEqual(
    ['7.1', '7.2', '7.3'].map((worker) => desk.relay.countTo(worker)),
    [1, 3, 2]
  );
});

test('an receiver that declines is not asked again', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  desk.relay.onDeclined('7.1', 'a');

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('an receiver that it could not be sent to is not asked again', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  desk.failures.get('a')?.();

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 7.2']);
});

test('a failure that is told late changes nothing', () => {
  const desk = new Desk({ '7.1': 0, '7.2': 9 }).take('a');
  const failed = desk.failures.get('a');
  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });
  desk.look();
  failed?.();

  assert.deepEqual(desk.look(), []);
});

test('what every receiver declines goes back to where it came from, for good', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onDeclined('7.1', 'a');
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver a to 6.1 for good']);

  desk.relay.onAdopted('6.1', { id: 'a', busy: 0, refused: '' });
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

test('where nobody accepts it is kept for an receiver, and its sender may forget it', () => {
  const desk = new Desk().take('a').take('b');
  assert.deepEqual(desk.look(), ['confirm a to 6.1', 'confirm b to 6.1']);

  desk.receivers.set('7.1', 0);
  desk.relay.onReceiver();
  desk.relay.onReceiver();
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver b to 7.1']);

  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });
  assert.deepEqual(desk.look(), ['close a']);
  assert.equal(desk.countOf(6), 1);
});

test('what is kept goes back to its sender when no receiver will come, and is closed where that is gone as well', () => {
  const desk = new Desk().take('a', '6.1').take('b', '6.2');
  desk.look();
  desk.expects = false;
  desk.dead.add('6.2');
  desk.relay.onReceiver();

  assert.deepEqual(desk.look(), ['deliver a to 6.1 for good', 'close b', 'lost, from 6.2']);
});

test('a sender may end once all it had is kept, and its connections live', () => {
  const desk = new Desk().take('a').take('b');
  desk.look();
  desk.dead.add('6.1');
  desk.relay.onGone('6.1');
  assert.deepEqual(desk.look(), []);

  desk.receivers.set('7.1', 0);
  desk.relay.onReceiver();
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'deliver b to 7.1']);
});

test('no receiver is given more of them at once than it can take soon, and each that it has taken makes room', () => {
  const desk = new Desk();
  const ids = Array.from({ length: 40 }, (_, index) => `p${index}`);
  for (const id of ids) desk.take(id);
  desk.look();
  desk.receivers.set('7.1', 0);
  desk.relay.onReceiver();
  const first = desk.look();
  assert.ok(first.length > 1 && first.length < 40, `${first.length} at once`);

  const taken: string[] = [];
  for (let line = first.shift(); line; line = first.shift()) {
    const [what, id = ''] = line.split(' ');
    if (what !== 'deliver') continue;
    taken.push(id);
    desk.relay.onAdopted('7.1', { id: id, busy: 0, refused: '' });
    first.push(...desk.look());
    assert.ok(desk.relay.countTo('7.1') <= 16);
  }
  assert.deepEqual(taken, ids);
  assert.equal(desk.countOf(6), 40);
});

test('an receiver that dies while they are dealt to it costs none of them', () => {
  const desk = new Desk();
  for (let index = 0; index < 40; index += 1) desk.take(`p${index}`);
  desk.receivers.set('7.1', 0);
  desk.relay.onReceiver();
  desk.look();
  desk.receivers.clear();
  desk.relay.onGone('7.1');
  assert.deepEqual([desk.look(), desk.relay.countTo('7.1')], [[], 0]);

  desk.receivers.set('7.2', 0);
  desk.relay.onReceiver();
  const adopted = new Set<string>();
  for (let lines = desk.look(); lines.length > 0; lines = desk.look()) {
    for (const line of lines) {
      const [what, id = '', , worker = ''] = line.split(' ');
      if (what !== 'deliver') continue;
      assert.equal(worker, '7.2');
      adopted.add(id);
      desk.relay.onAdopted('7.2', { id: id, busy: 0, refused: '' });
    }
  }
  assert.equal(adopted.size, 40);
});

test('an receiver that nothing can be sent to any more costs none of them either', () => {
  const desk = new Desk();
  for (let index = 0; index < 10_000; index += 1) desk.take(`p${index}`);
  desk.look();
  desk.deaf.add('7.1');
  desk.receivers.set('7.1', 0);
  desk.receivers.set('7.2', 9);
  desk.relay.onReceiver();
  for (let lines = desk.look(); lines.length > 0; lines = desk.look()) {
    for (const line of lines)
      if (line.endsWith('to 7.2')) desk.relay.onAdopted('7.2', { id: line.split(' ')[1] ?? '', busy: 0, refused: '' });
  }
  assert.equal(desk.countOf(6), 10_000);
});

test('with no more room to keep them the senders wait, as they do for an receiver that takes its time', () => {
  const desk = new Desk({}, 2).take('a').take('b').take('c');
  assert.deepEqual(desk.look(), ['confirm a to 6.1', 'confirm b to 6.1']);

  desk.receivers.set('7.1', 0);
  desk.relay.onReceiver();
  desk.look();
  for (const id of ['a', 'b', 'c']) desk.relay.onAdopted('7.1', { id: id, busy: 0, refused: '' });
  assert.deepEqual(desk.look(), ['close a', 'close b', 'close c', 'confirm c to 6.1']);
});

test('ten thousand are kept and dealt in no time worth speaking of', { timeout: 10_000 }, () => {
  const desk = new Desk();
  for (let index = 0; index < 10_000; index += 1) desk.take(`p${index}`);
  for (const worker of ['7.1', '7.2', '7.3', '7.4']) desk.receivers.set(worker, 0);
  desk.relay.onReceiver();
  for (let lines = desk.look(); lines.length > 0; lines = desk.look()) {
    for (const line of lines) {
      const [what, id = '', , worker = ''] = line.split(' ');
      if (what === 'deliver') desk.relay.onAdopted(worker, { id: id, busy: 0, refused: '' });
    }
  }
  assert.equal(desk.countOf(6), 10_000);
});

test('a sender that is gone does not keep its connection from moving', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.dead.add('6.1');
  desk.relay.onGone('6.1');
  desk.relay.onAdopted('7.1', { id: 'a', busy: 0, refused: '' });

  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'close a', 'confirm a to 6.1']);
});

test('the last receiver dies: what it had not acked is kept for its replacement', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.receivers.clear();
  desk.relay.onGone('7.1');
  assert.deepEqual(desk.look(), ['deliver a to 7.1', 'confirm a to 6.1']);

  desk.receivers.set('7.2', 0);
  desk.relay.onReceiver();
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
    desk.relay.onAdopted('7.1', { id: id, busy: 0, refused: '' });
  }

  assert.deepEqual([desk.countOf(6), desk.countOf(6), desk.countOf(5)], [2, 0, 1]);
});

test('what went back to its sender has not moved', () => {
  const desk = new Desk({ '7.1': 0 }).take('a');
  desk.relay.onDeclined('7.1', 'a');
  desk.relay.onAdopted('6.1', { id: 'a', busy: 0, refused: '' });

  assert.equal(desk.countOf(6), 0);
});

test('at the end every copy is closed', () => {
  const desk = new Desk({ '7.1': 0 }).take('a').take('b');
  desk.look();
  desk.relay.close();

  assert.deepEqual(desk.look(), ['close a', 'close b']);
  assert.equal(desk.relay.countTo('7.1'), 0);
});

test('what is meant for others does not wait for whoever has no room, and what nobody of those can take goes back', () => {
  const desk = new Desk({ '7.1': 0, '8.1': 0 });
  for (let count = 0; count < 17; count += 1) desk.take(`a${count}`, '6.1', '7.1');
  desk.look();
  desk.take('b', '6.1', '8.1');
  assert.deepEqual(desk.look(), ['deliver b to 8.1'], 'although one waits for 7.1');
  desk.relay.onAdopted('7.1', { id: 'a0', busy: 0, refused: '' });
  assert.deepEqual(desk.look(), ['close a0', 'confirm a0 to 6.1', 'deliver a16 to 7.1']);
  desk.take('c', '6.1', '9.1');
  assert.deepEqual(desk.look(), ['deliver c to 6.1']);
});

test('a request waits with its sender, not here: where nobody accepts, only what is meant for anybody is kept', () => {
  const desk = new Desk();
  desk.take('idle');
  assert.deepEqual(desk.look(), ['confirm idle to 6.1']);
  desk.take('asked', '6.1', '7.1');
  assert.deepEqual(desk.look(), ['deliver asked to 6.1']);
});

test('a link goes to the worker with the number of the one it comes from, not all to one', () => {
  const desk = new Desk({ '7.1': 9, '7.2': 0 });
  for (const from of ['6.1', '6.2', '6.3']) desk.take(from, from, '7', FORWARDING);
  assert.deepEqual(desk.look(), ['deliver 6.1 to 7.1', 'deliver 6.2 to 7.2', 'deliver 6.3 to 7.1']);
});
