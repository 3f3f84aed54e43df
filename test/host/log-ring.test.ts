import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../src/core/log-line.ts';
import { LogRing } from '../../src/host/log-ring.ts';

const texts = (lines: readonly LogLine[]) => lines.map((line) => ('line' in line ? String(line.line) : line.event));

function fill(limitBytes = 1024): LogRing {
  const ring = new LogRing(limitBytes);
  ring.output('1.1', 1, Buffer.from('first\nsecond\n'));
  ring.event(Date.now(), { level: 'info', event: 'starting', generation: 2 });
  ring.output('2.1', 2, Buffer.from('third\n'));
  ring.event(Date.now(), { level: 'info', event: 'worker-ready', worker: '2.1' });
  return ring;
}

test('what was written last is told in its order, one line each', () => {
  const [first, ...others] = fill().last();
  assert.ok(first && 'line' in first);
  assert.match(first.time, /^\d{4}-.*Z$/);
  assert.deepEqual({ ...first, time: '' }, { time: '', generation: 1, worker: '1.1', stream: 'stdout', line: 'first' });
  assert.deepEqual(texts(others), ['second', 'starting', 'third', 'worker-ready']);
});

test('only what is wanted is told: of a worker, of a generation, of one kind, the last ones', () => {
  const ring = fill();
  assert.deepEqual(texts(ring.last({ of: '1.1' })), ['first', 'second']);
  assert.deepEqual(texts(ring.last({ of: '2' })), ['starting', 'third', 'worker-ready']);
  assert.deepEqual(texts(ring.last({ of: '2.1', kind: 'output' })), ['third']);
  assert.deepEqual(texts(ring.last({ kind: 'events' })), ['starting', 'worker-ready']);
  assert.deepEqual(texts(ring.last({ lines: 4 })), ['second', 'starting', 'third', 'worker-ready']);
  assert.deepEqual(texts(ring.last({ lines: 0 })), []);
  assert.deepEqual(ring.last({ since: Date.now() + 60_000 }), []);
});

test('more than there is room for is not kept, and the newest is', () => {
  const ring = new LogRing(1000);
  for (let n = 0; n < 10_000; n += 1) ring.output('1.1', 1, Buffer.from(`line ${n}\n`));
  const kept = texts(ring.last());
  assert.equal(kept.at(-1), 'line 9999');
  assert.ok(kept.length >= 90 && kept.length <= 100, `${kept.length} lines`);
});

test('of more than the whole room, written at once, the last whole lines are kept', () => {
  const ring = new LogRing(100);
  ring.output('1.1', 1, Buffer.from(Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join('')));
  const kept = texts(ring.last());
  assert.equal(kept.at(-1), 'line 99');
  assert.match(kept[0] ?? '', /^line \d+$/);
});

test('however short the lines are, there is an end to them', () => {
  const ring = new LogRing(64 * 1024 ** 2);
  for (let n = 0; n < 50_000; n += 1) ring.output('1.1', 1, Buffer.from('\n'));
  assert.equal(ring.last().length, 16_384);
});

test('a part of a larger buffer does not keep all of it', () => {
  const large = Buffer.alloc(1024 ** 2, 'x\n');
  const ring = new LogRing(1024);
  ring.output('1.1', 1, large.subarray(0, 4));
  large.fill('y');
  assert.deepEqual(texts(ring.last()), ['x', 'x']);
});

test('without room nothing is kept, and whoever watches is told all the same', () => {
  const ring = new LogRing(0);
  const seen: string[] = [];
  const end = ring.watch((piece) => void seen.push(...texts(piece.lines)));
  ring.output('1.1', 1, Buffer.from('a\nb\n'));
  ring.event(0, { level: 'warn', event: 'garbage' });
  end();
  ring.output('1.1', 1, Buffer.from('c\n'));
  assert.deepEqual(seen, ['a', 'b', 'garbage']);
  assert.deepEqual(ring.last(), []);
});
