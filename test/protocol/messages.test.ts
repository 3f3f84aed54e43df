import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToSupervisor, ToWorker } from '../../src/protocol/messages.ts';
import { parse, seal } from '../../src/protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/versions.ts';

type Message = ToWorker | ToSupervisor;

const address = { address: '::', family: 'IPv6', port: 80 };
const move = {
  id: '6.1:4',
  key: '::|80',
  fresh: false,
  pipelines: false,
  resume: '',
  to: '',
  request: '',
  lot: -1,
  sides: 0,
  tries: ''
};

/** A message of each type: a new one without an example does not compile. */
const messages: { readonly [T in Message['type']]: Extract<Message, { type: T }> | Message } = {
  hello: {
    type: 'hello',
    ...{ secret: 'a', worker: '6.1', pid: 4121, isAlone: false, told: 'accept', yields: false },
    ...{ isActive: true, statements: [], adopted: ['5.1:3'], memory: '{}', tickets: '' }
  },
  welcome: { type: 'welcome', supervisor: 'b' },
  unwelcome: { type: 'unwelcome', why: 'it does not know the secret' },
  remember: { type: 'remember', memory: '{}' },
  relink: { type: 'relink', path: '/run/handover/shop.link.2' },
  output: { type: 'output', fd: 1 },
  drop: { type: 'drop', key: '::|80' },
  kept: { type: 'kept', key: '::|80' },
  'kept-output': { type: 'kept-output', fd: 2 },
  resumed: { type: 'resumed' },
  'app-message': { type: 'app-message', message: 'ready' },
  bound: { type: 'bound', ask: 1, key: '::|80', address },
  unbound: { type: 'unbound', ask: 1, code: 'EADDRINUSE', message: 'it is taken', ours: false },
  accept: { type: 'accept', key: '::|80' },
  pause: { type: 'pause', receivers: true, hurry: false, last: false },
  drain: { type: 'drain', receivers: false },
  expect: { type: 'expect', port: 40_001, over: false },
  tickets: { type: 'tickets', keys: 'AAAA' },
  carries: { type: 'carries' },
  'receivers-carry': { type: 'receivers-carry', all: true },
  route: { type: 'route', routing: '{}' },
  'close-after-answer': { type: 'close-after-answer', on: true },
  owner: { type: 'owner', ask: 1, worker: '7.1' },
  'owner-gone': { type: 'owner-gone', worker: '7.1' },
  claim: { type: 'claim', values: ['s1'] },
  whose: { type: 'whose', ask: 1, value: 's1', claims: true },
  activate: { type: 'activate' },
  deactivate: { type: 'deactivate' },
  explain: { type: 'explain', ask: 1 },
  explained: { type: 'explained', ask: 1, listens: ['3000'], waits: ['a timer'] },
  uncaught: { type: 'uncaught', error: 'Error: no', fatal: true },
  adopt: { type: 'adopt', ...move, last: false },
  moved: { type: 'moved', id: '6.1:4', busy: 0 },
  report: { type: 'report', ask: 2 },
  sample: { type: 'sample', ask: 2 },
  sampled: {
    type: 'sampled',
    ask: 2,
    requests: 9,
    redirected: 3,
    refused: 2,
    failed: 1,
    cut: 0,
    uncaught: 0,
    cpuMs: 40,
    rssBytes: 60_000_000,
    latency: [40, 8],
    loop: [0, 50],
    routes: [['GET /', 9, 1, [40, 8], 2]]
  },
  reported: {
    type: 'reported',
    ask: 2,
    connections: 1,
    inFlight: 0,
    requests: 9,
    holding: [],
    kinds: { http1: 1 },
    left: {},
    unrouted: {}
  },
  listen: { type: 'listen', ask: 3, wanted: { port: 80 }, preloaded: false },
  'listen-done': { type: 'listen-done', ask: 1, refused: false },
  unlisten: { type: 'unlisten', key: '::|80' },
  expecting: { type: 'expecting', port: 40_001 },
  expected: { type: 'expected', port: 40_001 },
  listening: { type: 'listening', secure: false, key: '::|80', preloaded: false },
  signal: { type: 'signal' },
  rehearsed: { type: 'rehearsed' },
  recall: { type: 'recall', ask: 1 },
  recalled: { type: 'recalled', ask: 1, requests: ['GET /'] },
  paused: { type: 'paused' },
  handed: { type: 'handed', left: { tls: { told: 1 } } },
  left: { type: 'left', left: { websocket: { closed: 2 } } },
  quiet: { type: 'quiet' },
  hold: { type: 'hold', yields: false },
  keep: { type: 'keep', key: '::|80' },
  inactive: { type: 'inactive' },
  drained: { type: 'drained' },
  accepting: { type: 'accepting', key: '::|80' },
  'accept-failed': { type: 'accept-failed', key: '::|80', code: '-98' },
  connection: { type: 'connection', ...move },
  adopted: { type: 'adopted', id: '6.1:4', busy: 0, refused: '' },
  declined: { type: 'declined', id: '6.1:4' }
};

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

/** As the wire does it. */
function send(message: object): unknown {
  return JSON.parse(JSON.stringify(message));
}

function garbageOf(raw: unknown): string | null {
  const parsed = parse(raw);
  return 'garbage' in parsed ? parsed.garbage : null;
}

/** Fields that a report has besides its number are taken as they are: they are shown, and nothing depends on them. */
const FIELDS = ['ask', 'key', 'id', 'fresh', 'pipelines', 'last', 'receivers', 'wanted', 'code', 'statements'];
const UNCHECKED = [
  'latency',
  'loop',
  'routes',
  'connections',
  'inFlight',
  'requests',
  'holding',
  'listens',
  'waits',
  'address',
  'message',
  'sides'
];

for (const [type, message] of Object.entries(messages)) {
  test(`${type}: what is sent is what arrives`, () => {
    const parsed = parse(send(seal(message)));
    assert.ok('message' in parsed);
    assert.deepEqual(parsed.message, { v: PROTOCOL_VERSION, ...message });
  });

  for (const field of Object.keys(message).filter((name) => name !== 'type' && !UNCHECKED.includes(name))) {
    test(`${type}: a wrong ${field} is garbage, and named`, () => {
      const right = kindOf((message as unknown as Record<string, unknown>)[field]);
      const wrong = [null, undefined, 7, 'text', true, {}, []].filter((one) => kindOf(one) !== right);
      for (const value of wrong) {
        assert.equal(garbageOf(send({ ...seal(message), [field]: value })), `${type}.${field} is not a ${right}`);
      }
    });
  }
}

test('what is no object is no message', () => {
  for (const raw of [undefined, null, 7, 'ready', '', true]) assert.equal(garbageOf(raw), 'it is no message');
});

test('another version of the protocol is garbage, and named', () => {
  const shown = { 0: 0, 2: 2, '(a string)': '1', '(a object)': null, '(a undefined)': undefined };
  for (const [name, v] of Object.entries(shown)) {
    assert.equal(garbageOf({ v, type: 'paused' }), `protocol version ${name} is not ${PROTOCOL_VERSION}`);
  }
});

test('a type that does not exist is garbage, and named in no more than its beginning', () => {
  const sealed = { v: PROTOCOL_VERSION };
  assert.equal(garbageOf({ ...sealed, type: 'explode' }), 'no message is called "explode"');
  assert.equal(garbageOf(sealed), 'no message is called undefined');
  for (const type of ['toString', '__proto__', 'constructor', { toString: 1 }, 'x'.repeat(1_000_000)]) {
    const garbage = garbageOf({ ...sealed, type: typeof type === 'object' ? JSON.stringify(type) : type });
    assert.match(garbage ?? '', /^no message is called /);
    assert.ok((garbage ?? '').length < 100);
  }
});

test('whatever arrives in the fields, the parser does not throw', () => {
  const values = [null, undefined, 7, 'text', true, {}, [], { toString: null }, Object.create(null)];
  for (const type of Object.keys(messages)) {
    for (const value of values) {
      const fields = Object.fromEntries(FIELDS.map((name) => [name, value]));
      assert.doesNotThrow(() => parse({ v: PROTOCOL_VERSION, type, ...fields }));
    }
  }
});

test('whatever arrives as type or version, the parser does not throw', () => {
  for (const value of [{ toString: null }, [{ toString: null }]]) {
    assert.match(garbageOf({ v: PROTOCOL_VERSION, type: value }) ?? '', /^no message/);
    assert.match(garbageOf({ v: value, type: 'paused' }) ?? '', /^protocol version/);
  }
});

test('a report without its numbers is garbage', () => {
  assert.match(garbageOf(seal({ type: 'reported', ask: 1 } as Message)) ?? '', /^reported\./);
});
