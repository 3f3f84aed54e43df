import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type LoadOptions, type Report, startLoad } from '../../bench/client/index.ts';
import { CLIENT_KINDS, FAILURE_KINDS, type FailureKind, RECONNECT_CAUSES, recordOf } from '../../bench/client/model.ts';
import { type Act, acts, createHold, startMisbehaving } from './misbehaving.ts';
import { until } from './waiting.ts';

const TIMES = 3;
/** So many clients send one request each, and no second one before they are stopped. */
const onceEach = { clients: { idle: TIMES }, idleEveryMs: 60_000 };

type Reconnects = { asked?: number; closed?: number; reset?: number };
type Expected = { sent?: number; failures?: Partial<Record<FailureKind, number>>; reconnects?: Reconnects };

/** Compares every counter there is: what is not named must be 0. */
function assertCounted(report: Report, { sent, failures = {}, reconnects = {} }: Expected): void {
  const seen = recordOf(RECONNECT_CAUSES, (cause) =>
    CLIENT_KINDS.reduce((total, kind) => total + report.reconnects[kind][cause], 0)
  );
  assert.deepEqual(report.failures, { ...recordOf(FAILURE_KINDS, () => 0), ...failures });
  assert.deepEqual(seen, { asked: 0, closed: 0, reset: 0, ...reconnects });
  if (sent !== undefined) assert.equal(report.sent, sent);
  assert.equal(report.sent, report.answered + report.failed);
}

async function startServer(t: TestContext, script: Act[] = []) {
  const server = await startMisbehaving(script);
  t.after(() => server.close());
  return server;
}

/** Runs until the script is done and as much was lost as expected, or the wait is overdue. */
async function run(t: TestContext, script: Act[], options: Omit<LoadOptions, 'target'>, expected: Expected) {
  const server = await startServer(t, script);
  const load = startLoad({ target: server.target, ...options });
  t.after(() => load.stop());
  const failed = Object.values(expected.failures ?? {}).reduce((sum, count) => sum + count, 0);
  const reconnected = Object.values(expected.reconnects ?? {}).reduce((sum, count) => sum + count, 0);
  await until(() => {
    const now = load.counts();
    const reconnects = CLIENT_KINDS.flatMap((kind) => Object.values(now.reconnects[kind]));
    const reconnectedNow = reconnects.reduce((sum, count) => sum + count, 0);
    return script.length === 0 && now.failed >= failed && reconnectedNow >= reconnected;
  }, `${failed} failures and ${reconnected} reconnects`);
  return load.stop();
}

const cases: [string, Act, FailureKind, Reconnects?][] = [
  ['a reset with the request outstanding', acts.reset, 'reset'],
  ['a FIN instead of an answer', acts.fin, 'closedWithoutAnswer'],
  ['half a head, then FIN', acts.halfHeadThenFin, 'cutShort'],
  ['a head without its body, then FIN', acts.headOnlyThenFin, 'cutShort'],
  ['half a body, then FIN', acts.halfBodyThenFin, 'cutShort'],
  ['half a body, then a reset', acts.halfBodyThenReset, 'cutShort'],
  ['a 503', acts.unavailable, 'serverError'],
  ['a 404', acts.notFound, 'badAnswer'],
  ['a 408 that closes', acts.requestTimeout, 'badAnswer', { asked: TIMES }],
  ['an answer that is not HTTP', acts.garbage, 'badAnswer'],
  ['an answer with another body', acts.wrongBody, 'badAnswer'],
  ['an answer with an unknown id', acts.wrongId, 'answeredTwice'],
  ['the same answer twice in one packet', acts.twice, 'answeredTwice'],
  ['the same answer again a moment later', acts.twiceInTwoPackets, 'answeredTwice'],
  ['one byte too many', acts.surplusByte, 'answeredTwice'],
  ['a 408 with no request outstanding', acts.timeoutWhileIdle, 'answeredTwice', { asked: TIMES }],
  ['another answer after Connection: close', acts.onceMoreAfterClosing, 'answeredTwice', { asked: TIMES }]
];
for (const [name, act, kind, reconnects = {}] of cases) {
  test(`${name}, ${TIMES} times, is ${TIMES} times ${kind} and nothing else`, async (t) => {
    const expected = { sent: TIMES, failures: { [kind]: TIMES }, reconnects };
    const report = await run(t, Array(TIMES).fill(act), onceEach, expected);

    assertCounted(report, expected);
    assert.equal(report.examples.length, TIMES);
    assert.ok(report.examples.every((example) => example.kind === kind && example.detail !== ''));
  });
}

test('no answer at all is a timeout once it has taken too long', async (t) => {
  const expected = { sent: TIMES, failures: { timeout: TIMES } };
  const script = Array(TIMES).fill(acts.silence);

  assertCounted(await run(t, script, { ...onceEach, requestTimeoutMs: 50 }, expected), expected);
});

test('a port where nobody listens refuses, and warm() names who got no answer', async (t) => {
  const server = await startMisbehaving();
  await server.close();
  const load = startLoad({ target: server.target, ...onceEach, warmTimeoutMs: 50 });
  t.after(() => load.stop());

  await assert.rejects(load.warm(), /no answer within 50 ms for: idle0, idle1, idle2$/);
  assertCounted(await load.stop(), { sent: TIMES, failures: { refused: TIMES } });
});

test('a unix socket that does not exist refuses', async () => {
  const load = startLoad({ target: { path: '/nonexistent/handover.sock' }, ...onceEach });
  await until(() => load.counts().failed === TIMES, 'three refusals');

  assertCounted(await load.stop(), { sent: TIMES, failures: { refused: TIMES } });
});

test('Connection: close on a full answer is a reconnect that was asked for, not a failure', async (t) => {
  const expected = { sent: TIMES, reconnects: { asked: TIMES } };

  assertCounted(await run(t, Array(TIMES).fill(acts.wellThenClose), onceEach, expected), expected);
});

test('a FIN on an idle connection is a reconnect, not a failure', async (t) => {
  const expected = { sent: TIMES, reconnects: { closed: TIMES } };

  assertCounted(await run(t, Array(TIMES).fill(acts.wellThenFin), onceEach, expected), expected);
});

test('a reset on an idle connection is a reconnect, not a failure', async (t) => {
  const server = await startServer(t);
  const load = startLoad({ target: server.target, ...onceEach });
  await load.warm();
  server.resetAll();
  await until(() => load.counts().reconnects.idle.reset === TIMES, 'three resets');

  assertCounted(await load.stop(), { sent: TIMES, reconnects: { reset: TIMES } });
});

test('a second answer that comes while the next request waits is held against the first request', async (t) => {
  const again: Act = (asked, socket) => {
    const earlier = { ...asked, id: asked.id.replace(/\d+$/, (number) => String(Number(number) - 1)) };
    acts.wellChunked(earlier, socket);
    acts.well(asked, socket);
  };
  const expected = { failures: { answeredTwice: 1 } };
  const report = await run(t, [acts.well, acts.well, again], { clients: { busy: 1 } }, expected);

  assertCounted(report, expected);
  assert.equal(report.examples[0]?.id, 'busy0-2');
});

test('of four pipelined requests, each one that is lost counts by itself', async (t) => {
  const { well, wellThenClose, fin, silence } = acts;
  const script = [well, wellThenClose, silence, silence, well, fin, silence, silence];
  const expected = { failures: { closedWithoutAnswer: 5 }, reconnects: { asked: 1 } };
  const options = { clients: { pipelining: 1 }, pipelineSplitShare: 0 };

  assertCounted(await run(t, script, options, expected), expected);
});

test('requests on a connection that ends are never sent again', async (t) => {
  const seen: string[] = [];
  const note =
    (act: Act): Act =>
    (asked, socket) => {
      seen.push(asked.id);
      act(asked, socket);
    };
  const script = [acts.well, acts.reset, acts.fin, acts.well].map(note);
  const report = await run(t, script, { clients: { busy: 1 } }, { failures: { reset: 1, closedWithoutAnswer: 1 } });

  assertCounted(report, { failures: { reset: 1, closedWithoutAnswer: 1 } });
  assert.deepEqual(seen, ['busy0-1', 'busy0-2', 'busy0-3', 'busy0-4']);
});

test('the old version is wrong for requests sent after it should be gone, and only for those', async (t) => {
  const hold = createHold();
  const server = await startServer(t, [acts.well, hold.act]);
  const load = startLoad({ target: server.target, clients: { busy: 1 } });
  await hold.held;
  load.expectVersion('2', { graceMs: 0 });
  const old: Act = (asked, socket) => acts.well({ ...asked, version: '1' }, socket);
  const oldAndClosing: Act = (asked, socket) => acts.wellThenClose({ ...asked, version: '1' }, socket);
  server.script.push(old, old, oldAndClosing, old);
  hold.release(); // sent before the expectation: right, although it says 1
  server.version = '2';
  await until(() => load.counts().reconnects.busy.asked === 1 && load.counts().failed === 3, 'three wrong versions');
  const report = await load.stop();

  // Two on the kept connection; the one that closed it was allowed to; one on the connection opened since.
  assertCounted(report, { failures: { wrongVersion: 3 }, reconnects: { asked: 1 } });
  assert.equal(report.perVersion['1'], 3);
});

test('all failures in one run are each counted as what they are', async (t) => {
  const list: Act[] = cases.map(([, act]) => act).filter((act) => act !== acts.twiceInTwoPackets);
  const script = [...list, ...list].flatMap((act) => [acts.well, act]);
  const failures: Partial<Record<FailureKind, number>> = {};
  for (const [, act, kind] of cases) if (list.includes(act)) failures[kind] = (failures[kind] ?? 0) + 2;
  const expected = { failures, reconnects: { asked: 6 } };

  assertCounted(await run(t, script, { clients: { busy: 1 }, afterFailureMs: 0 }, expected), expected);
});
