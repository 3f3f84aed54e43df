import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import { HandoverError } from '../../src/errors.ts';
import { atEnd } from '../support/end.ts';
import { entry, FakeOperator } from '../support/operator.ts';
import { ask } from './raw.ts';

async function start(t: TestContext) {
  const operator = new FakeOperator();
  const path = await operator.serve(t);
  const client = new ControlClient(path);
  atEnd(t, () => client.close());
  return { operator, client, path };
}

test('each order reaches the operator as it was given, and its answer comes back', async (t) => {
  const { operator, client } = await start(t);
  const order = {
    entry: 'server.js',
    cwd: '/srv/current',
    env: { A: '1', EMPTY: '' },
    envFile: '/srv/.env',
    node: '/opt/node22/bin/node',
    label: '1.5.0',
    args: ['--flag', ''],
    strategy: 'rolling',
    supersede: true,
    wait: false
  } as const;
  const answers = [
    await client.reload(order),
    await client.reload(),
    await client.rollback(),
    await client.rollback({ to: 3, supersede: true }),
    await client.promote(),
    await client.abort(),
    await client.retire(),
    await client.scale(4)
  ];

  assert.deepEqual(operator.asked, [
    ['reload', order],
    ['reload', {}],
    ['rollback', {}],
    ['rollback', { to: 3, supersede: true }],
    ['promote'],
    ['abort'],
    ['retire'],
    ['scale', 4]
  ]);
  const { reload, rollback, promote, abort, retire, scale } = operator.answers;
  assert.deepEqual(
    answers,
    [reload, reload, rollback, rollback, promote, abort, retire, scale].map((answer) => answer())
  );
});

test('the history is told as it is', async (t) => {
  const { client } = await start(t);

  assert.deepEqual(await client.history(), { ok: true, app: 'shop', history: [entry] });
});

test('an order without a body is one that says nothing', async (t) => {
  const { operator, path } = await start(t);
  for (const route of ['/reload', '/rollback', '/promote']) assert.equal((await ask(path, route)).status, 200);

  assert.deepEqual(operator.asked, [['reload', {}], ['rollback', {}], ['promote']]);
});

const WRONG: readonly (readonly [route: string, body: unknown, why: RegExp])[] = [
  ['/reload', [], /it is not an object/],
  ['/reload', 'server.js', /it is not an object/],
  ['/reload', { entyr: 'x' }, /"entyr" is not known/],
  ['/reload', { toString: 'x' }, /"toString" is not known/],
  ['/reload', { entry: '' }, /"entry" must be a path/],
  ['/reload', { cwd: 7 }, /"cwd" must be a path/],
  ['/reload', { envFile: null }, /"envFile" must be a path/],
  ['/reload', { node: 'a\0b' }, /"node" must be a path/],
  ['/reload', { env: { A: 1 } }, /"env" must be an object of texts/],
  ['/reload', { env: { 'A=B': '1' } }, /"env" must be an object of texts/],
  ['/reload', { env: { '': '1' } }, /"env" must be an object of texts/],
  ['/reload', { env: ['A=1'] }, /"env" must be an object of texts/],
  ['/reload', { label: 'a\nb' }, /"label" must be a text of 1 to 100/],
  ['/reload', { args: 'a b' }, /"args" must be a list of texts/],
  ['/reload', { args: [1] }, /"args" must be a list of texts/],
  ['/reload', { strategy: 'canary' }, /"strategy" must be one of blue-green, rolling, in-place, exclusive/],
  ['/reload', { supersede: 1 }, /"supersede" must be true or false/],
  ['/reload', { wait: 'yes' }, /"wait" must be true or false/],
  ['/rollback', { to: 0 }, /"to" must be the number of a generation/],
  ['/rollback', { to: '3' }, /"to" must be the number of a generation/],
  ['/rollback', { entry: 'x' }, /"entry" is not known/],
  ['/scale', undefined, /it does not say how many workers/],
  ['/scale', { workers: 0 }, /"workers" must be an integer from 1 to 128/],
  ['/scale', { workers: 129 }, /"workers" must be an integer from 1 to 128/],
  ['/scale', { workers: 1.5 }, /"workers" must be an integer from 1 to 128/]
];

test('what an order cannot be is refused by name, and the operator never hears of it', async (t) => {
  const { operator, path } = await start(t);
  for (const [route, body, why] of WRONG) {
    const { status, answer } = await ask(path, route, body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(answer.code, 'HANDOVER_ERR_CONTROL_BAD_REQUEST');
    assert.match(String(answer.why), why);
    assert.equal(answer.active, 7);
  }
  const { answer } = await ask(path, '/reload', { entyr: 'x' });
  assert.match(
    String(answer.fix),
    /^Send \{\} or some of: entry, cwd, env, envFile, node, nodeOptions, label, args, strategy, /
  );

  assert.deepEqual(operator.asked, []);
});

test('a refusal of the operator comes back with its code, and with what is active', async (t) => {
  const { operator, client } = await start(t);
  operator.answers.promote = () => {
    const account = { what: 'Nothing to promote', why: 'nothing bakes', fix: 'See `handover status`' };
    throw new HandoverError('HANDOVER_ERR_REFUSED_NOT_BAKING', account, { active: 6 });
  };
  const error = await client.promote().catch((reason: unknown) => reason);

  assert.ok(HandoverError.is(error));
  assert.deepEqual([error.code, error.exitCode, error.active], ['HANDOVER_ERR_REFUSED_NOT_BAKING', 3, 6]);
});
