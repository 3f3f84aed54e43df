import assert from 'node:assert/strict';
import { chmodSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { FakeOperator } from '../support/operator.ts';
import { Home } from './run.ts';

test('reload sends what was said: paths absolute with their links, the rest as it is', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  home.write('releases/1/server.js', '');
  home.write('.env', ''); // Node 20 looks for it by itself, wherever the flag stands
  symlinkSync('releases/1', join(home.folder, 'current'));
  const flags = ['--env', 'A=1', '--env', 'B=x=y', '--env-file', '.env', '--node', './node', '--label', 'one two'];
  const more = ['--cwd', 'current', '--strategy', 'exclusive', '--supersede', '--wait'];
  const { code, answer } = await home.json('reload', 'server.js', '--socket', socket, ...flags, ...more);
  assert.deepEqual([code, answer], [0, operator.answers.reload()]);
  await home.handover('reload', '--socket', socket, 'current/server.js', '--', 'a', '--json', '--', '-x');
  await home.handover('reload', '--socket', socket, '--');

  assert.deepEqual(operator.asked, [
    [
      'reload',
      {
        entry: 'server.js',
        cwd: join(home.folder, 'current'),
        env: { A: '1', B: 'x=y' },
        envFile: join(home.folder, '.env'),
        node: join(home.folder, 'node'),
        label: 'one two',
        strategy: 'exclusive',
        supersede: true,
        wait: true
      }
    ],
    ['reload', { entry: join(home.folder, 'current/server.js'), args: ['a', '--json', '--', '-x'] }],
    ['reload', { args: [] }]
  ]);
});

test('reload --wait tells how long it bakes, and that it was kept', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  operator.answers.reload = () => {
    operator.tell('baking', { generation: 7, forMs: 30_000 });
    operator.tell('verdict', { generation: 7, decision: 'keep', reason: '220 requests, nothing unusual' });
    const verdict = { decision: 'keep', reason: '220 requests, nothing unusual' };
    return {
      ok: true,
      from: 6,
      to: 7,
      bootMs: 310,
      cutoverMs: 1.2,
      handedOver: 3,
      connections: { http1: { moved: 3 }, websocket: { closed: 2 } },
      gapMs: 12,
      verdict
    };
  };
  const { code, stdout, stderr } = await home.handover('reload', '--wait', '--socket', socket);

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    /^ +\S+ m?s {2}baking +generation 7 for 30\.0 s\n.* verdict +generation 7: keep, 220 requests, /
  );
  assert.match(
    stdout,
    /\nHanded over from generation 6 to 7: ready in 310 ms, cutover 1\.2 ms, nobody served for 12 ms, 3 connections moved\. 2 WebSockets closed with 1012\.\nKept: 220 requests, nothing unusual\.\n$/
  );
});

test('reload --wait exits with 1 when it was rolled back, with the reason', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  operator.answers.reload = () => {
    operator.tell('verdict', { generation: 7, decision: 'roll back', reason: '5xx: 41 % of 220 requests' });
    const account = { what: 'Generation 7 was rolled back', why: '5xx: 41 % of 220 requests', fix: 'Mend the version' };
    throw new HandoverError('HANDOVER_ERR_CANDIDATE_REJECTED', account, { active: 6 });
  };
  const { code, stdout, stderr } = await home.handover('reload', '--wait', '--socket', socket);

  assert.equal(code, 1);
  assert.match(stdout, /verdict +generation 7: roll back, 5xx: 41 % of 220 requests\n$/);
  assert.equal(
    stderr,
    'HANDOVER_ERR_CANDIDATE_REJECTED: Generation 7 was rolled back: 5xx: 41 % of 220 requests.\nMend the version.\n'
  );
});

test('a verdict against a generation that is still active exits with 1 too, and says what can be done', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  const verdict = { decision: 'roll back', reason: '5xx: 41 % of 220 requests' };
  operator.answers.reload = () => ({ ok: true, from: 6, to: 7, bootMs: 1, cutoverMs: 1, handedOver: 0, verdict });
  const { code, answer } = await home.json('reload', '--wait', '--socket', socket);

  assert.deepEqual([code, answer.code, answer.active], [1, 'HANDOVER_ERR_CANDIDATE_REJECTED', 7]);
  assert.match(String(answer.fix), /`handover abort`, to generation 6, or keep it with `handover promote`/);
});

test('the orders of an operator reach the supervisor, and are told in a sentence', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  const told: readonly (readonly [line: string, asked: unknown[], stdout: RegExp])[] = [
    ['rollback', ['rollback', {}], /^Rolled back to generation 6 in 1\.1 ms; 1 connection moved; generation 7 is/],
    ['rollback --to 6 --supersede', ['rollback', { to: 6, supersede: true }], /^Rolled back to generation 6 in /],
    [
      'rollback --to 3',
      ['rollback', { to: 3 }],
      /^Rolled back to generation 6, which is generation 3 started again in/
    ],
    ['promote', ['promote'], /^Generation 7 is kept: asked by the operator; generation 6 is the standby\.\n$/],
    ['abort', ['abort'], /^Generation 7 is given up: asked by the operator; generation 6 is active\.\n$/],
    ['retire', ['retire'], /^Generation 6 is retiring; `handover rollback --to 6` would start it again\.\n$/],
    ['scale 4', ['scale', 4], /^Generation 7 has 4 workers now; it had 2\.\n$/]
  ];
  for (const [line, asked, stdout] of told) {
    const outcome = await home.handover(...line.split(' '), '--socket', socket);
    assert.deepEqual([outcome.code, outcome.stderr], [0, ''], line);
    assert.match(outcome.stdout, stdout);
    assert.deepEqual(operator.asked.at(-1), asked);
    const { answer } = await home.json(...line.split(' '), '--socket', socket);
    assert.deepEqual(answer, operator.answers[asked[0] as 'rollback']());
  }
});

test('a refusal is one of the wrong moment: exit code 3', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  for (const command of ['promote', 'abort'] as const) {
    operator.answers[command] = () => {
      const account = { what: `Cannot ${command}`, why: 'nothing bakes', fix: 'See `handover status`' };
      throw new HandoverError('HANDOVER_ERR_REFUSED_NOT_BAKING', account);
    };
    const { code, answer } = await home.json(command, '--socket', socket);
    assert.deepEqual([code, answer.code], [3, 'HANDOVER_ERR_REFUSED_NOT_BAKING']);
  }
});

test('history shows a line for each generation, newest last', async (t) => {
  const home = new Home(t);
  const operator = new FakeOperator();
  const socket = await operator.serve(t);
  const [first = assert.fail('no entry')] = operator.history;
  const nulls = { label: null, durationMs: null, requests: null, failed: null, reason: null, standby: null };
  operator.history = [first, { ...first, generation: 17, ...nulls, outcome: 'candidate' }];
  const { code, stdout } = await home.handover('history', '--socket', socket);

  assert.equal(code, 0);
  const [head, one, two, ...rest] = stdout.split('\n');
  assert.equal(
    head?.replaceAll(/ {2,}/g, '|'),
    'generation|label|entry|started|active for|requests|failed|standby|outcome'
  );
  assert.match(
    one ?? '',
    /^ +6 {2}1\.4\.0 {2}\/app\/v6\.js {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +1 min 1 s +1234 +2 +5 {2}rejected: 5xx: 41 % of 220 requests$/
  );
  assert.match(two ?? '', /^ +17 {2}- +\/app\/v6\.js {2}\S+ \S+ +- +- +- +- {2}candidate$/);
  assert.deepEqual(rest, ['']);
  const { answer } = await home.json('history', '--socket', socket);
  assert.deepEqual(answer, { ok: true, app: 'shop', history: operator.history });
});

test('a reload takes over environment, arguments and folder from the release before', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--', 'first');
  home.write('.env', 'GIVEN=file\n');
  home.write('releases/2/server.js', `require(${JSON.stringify(join(home.folder, 'server.js'))})`);
  home.write('releases/2/package.json', '{"version":"2.0.0"}');
  await home.handover('reload', '--env-file', '.env');
  assert.deepEqual(await home.ask(), { version: 1, args: ['first'], cwd: home.folder, env: 'file' });

  home.write('.env', 'GIVEN=changed\n');
  const { stdout, code } = await home.handover('reload', '--cwd', 'releases/2', '--', 'second');
  assert.equal(code, 0, stdout);
  assert.deepEqual(await home.ask(), {
    version: 1,
    args: ['second'],
    cwd: join(home.folder, 'releases/2'),
    env: 'changed'
  });
  assert.equal((await home.status()).active?.label, '2.0.0');
  await home.handover('reload', '--env', 'GIVEN=hand');
  assert.equal((await home.ask()).env, 'hand');

  const { answer } = await home.json('history');
  const labels = (answer.history as { label: string | null; kind: string }[]).map(({ label, kind }) => [label, kind]);
  assert.deepEqual(labels, [
    [null, 'run'],
    [null, 'reload'],
    ['2.0.0', 'reload'],
    ['2.0.0', 'reload']
  ]);
  assert.doesNotMatch(JSON.stringify(await home.status()), /hand"/, 'no environment is shown');
});

test('a release of another Node binary runs in it, without the flags of the supervisor', async (t) => {
  const home = new Home(t);
  const node = `#!/bin/sh\necho "$@" >> ${join(home.folder, 'flags')}\nexec ${process.execPath} "$@"\n`;
  chmodSync(home.write('other/node', node), 0o755);
  await home.run('server.js');
  const { code, stdout } = await home.handover('reload', '--node', 'other/node');
  assert.equal(code, 0, stdout);
  const [asked, started = ''] = readFileSync(join(home.folder, 'flags'), 'utf8').split('\n');

  assert.equal(asked, '--version');
  assert.match(started, /^--require \S+preload\.cjs \S+\/server\.js$/);
  assert.equal((await home.ask()).version, 1);
});
