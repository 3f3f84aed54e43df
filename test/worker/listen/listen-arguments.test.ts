import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { readListen } from '../../../src/worker/listen/listen-arguments.ts';

const done = () => {};
const { signal } = new AbortController();

// Every form of net.Server.listen() that Node documents, and what it comes to. Null: the worker's own.
const forms: readonly [args: readonly unknown[], wanted: object | null][] = [
  [[3000], { port: 3000 }],
  [['3000'], { port: 3000 }],
  [[3000, '127.0.0.1'], { port: 3000, host: '127.0.0.1' }],
  [[3000, '127.0.0.1', 511], { port: 3000, host: '127.0.0.1' }],
  [[3000, 511], { port: 3000 }],
  [[3000, undefined], { port: 3000 }],
  [[65_535], { port: 65_535 }],
  [[{ port: 3000 }], { port: 3000 }],
  [[{ port: '3000', host: '::1', backlog: 511 }], { port: 3000, host: '::1' }],
  [[{ port: 3000, host: '' }], { port: 3000 }],
  [[{ port: 3000, ipv6Only: true }], { port: 3000, ipv6Only: true }],
  [[{ port: 3000, ipv6Only: false, exclusive: false }], { port: 3000 }],
  [[{ port: 3000, path: '/run/a.sock' }], { port: 3000 }],
  [['/run/a.sock'], { path: '/run/a.sock' }],
  [['/run/a.sock', 511], { path: '/run/a.sock' }],
  [[{ path: '/run/a.sock' }], { path: '/run/a.sock' }],
  [
    [{ path: '/run/a.sock', readableAll: true, writableAll: true }],
    { path: '/run/a.sock', readableAll: true, writableAll: true }
  ],
  [[{ path: '/run/a.sock', readableAll: false }], { path: '/run/a.sock' }],
  // the worker's own
  [[], null],
  [[0], null],
  [['0'], null],
  [[undefined], null],
  [[null], null],
  [[undefined, 'localhost'], null],
  [[{ port: 0 }], null],
  [[{ port: 3000, exclusive: true }], null],
  [[{ port: 3000, reusePort: true }], null],
  [[{ fd: 3 }], null],
  [[{ fd: 0 }], null],
  [[{ _handle: {} }], null],
  [[new net.Server()], null],
  // what Node refuses is left to Node, so that the app gets Node's own error
  [[65_536], null],
  [[-1], null],
  [[1.5], null],
  [[Number.NaN], null],
  [[true], null],
  [[{}], null],
  [[{ port: 65_536 }], null],
  [[{ port: 'x' }], null],
  [[{ port: null, path: '/run/a.sock' }], null],
  [[{ path: 7 }], null],
  [[{ host: '::1' }], null]
];

for (const [args, wanted] of forms) {
  const shown = args
    .map((arg) => (arg instanceof net.Server ? 'server' : (JSON.stringify(arg) ?? 'undefined')))
    .join(', ');

  test(`listen(${shown}) ${wanted ? `asks for ${JSON.stringify(wanted)}` : "stays the worker's own"}`, () => {
    assert.deepEqual(readListen(args), { asked: wanted, signal: null, callback: null });
    assert.deepEqual(readListen([...args, done]).asked, wanted);
    assert.equal(readListen([...args, done]).callback, done);
  });
}

test('a signal that ends the listening is kept, also for what is not shared', () => {
  for (const options of [
    { port: 3000, signal },
    { path: '/run/a.sock', signal },
    { port: 0, signal },
    { fd: 3, signal }
  ]) {
    assert.equal(readListen([options]).signal, signal);
  }
  assert.equal(readListen([{ port: 3000, signal: {} }]).signal, null);
});

test('a callback is the last argument and nothing else', () => {
  assert.equal(readListen([3000, done, 511]).callback, null);
  assert.equal(readListen([done]).callback, done);
});
