import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { atEnd } from '../support/end.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/wait.ts';
import { Home } from './run.ts';

/** Says what it is asked for, on both outputs. */
const APP = `
const { createServer } = require('node:http');
let counted = 0;
createServer((request, response) => {
  if (request.url === '/count') setInterval(() => console.log('number ' + (counted += 1)), 2);
  const { pathname, searchParams } = new URL(request.url, 'http://app');
  const times = Number(searchParams.get('times') ?? 1);
  for (let n = 0; n < times; n += 1) console.log('said ' + pathname + ' ' + n);
  console.error('warned ' + pathname);
  response.end('{}');
}).listen(process.env.PORT);
`;

async function serve(t: TestContext, ...args: string[]): Promise<Home> {
  const home = new Home(t);
  home.write('server.js', APP);
  await home.run('server.js', ...args);
  return home;
}

/** The numbers that were counted in a text. */
const counted = (text: string) => [...text.matchAll(/number (\d+)\n/g)].map(([, n]) => Number(n));

/** Waits until the supervisor has read what the app wrote. */
async function said(home: Home, line: RegExp): Promise<void> {
  const socketPath = home.socket('shop');
  await until(async () => line.test((await ask({ socketPath }, '/logs')).body), `${line} in the log`);
}

test('the last lines are shown, workers and events, and each can be had alone', async (t) => {
  const home = await serve(t);
  await home.ask('/first');
  await said(home, /said \/first/);
  await said(home, /warned \/first/);
  const all = await home.handover('logs');
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /^\d\d:\d\d:\d\d {2}starting {2}generation 1 /m);
  assert.match(all.stdout, /^\d\d:\d\d:\d\d {2}1\.1 \| said \/first 0$/m);
  assert.match(all.stdout, /^\d\d:\d\d:\d\d {2}1\.1 \| warned \/first$/m);

  const output = (await home.handover('logs', '--output')).stdout;
  assert.doesNotMatch(output, /started/);
  assert.match(output, /said \/first/);
  const events = (await home.handover('logs', '--events', '-n', '1')).stdout;
  assert.match(events, /^\S+ {2}started .*\n$/);
  assert.equal((await home.handover('logs', '--worker', '1.2')).stdout, '');
  assert.match((await home.handover('logs', '--worker', '1', '--since', '1h')).stdout, /said \/first/);
});

test('with --json each line is an object', async (t) => {
  const home = await serve(t);
  await home.ask('/first');
  await said(home, /warned \/first/);
  const { stdout } = await home.handover('logs', '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const warned = lines.find(({ line }) => line === 'warned /first');
  assert.deepEqual(
    { ...warned, time: '' },
    { time: '', generation: 1, worker: '1.1', stream: 'stderr', line: 'warned /first' }
  );
  const started = lines.find(({ event }) => event === 'started');
  assert.deepEqual([started.level, started.generation], ['info', 1]);
  assert.ok(lines.every(({ time }) => Date.parse(time) > 0));
});

test('what comes is followed, over an upgrade of the supervisor, until the service stops', async (t) => {
  const home = await serve(t);
  const follow = home.start(['logs', '-f', '--output']);
  await home.ask('/before');
  await follow.says(/said \/before/);
  const { code, stderr } = await home.handover('upgrade');
  assert.equal(code, 0, stderr);
  await home.ask('/after');
  await follow.says(/said \/after/);
  await home.handover('stop');
  const ended = await follow.ended();
  assert.deepEqual([ended.code, ended.stderr], [0, '']);
  const lines = ended.stdout.match(/said \/\w+/g);
  assert.deepEqual(lines, ['said /before', 'said /after']);
});

test('no line is lost and none comes twice where a supervisor takes over from another', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const run = await home.run('server.js');
  const follow = home.start(['logs', '-f', '--output']);
  await home.ask('/count');
  await follow.says(/number 1\n/);
  for (let round = 0; round < 3; round += 1) {
    const { code, stderr } = await home.handover('upgrade');
    assert.equal(code, 0, stderr);
    const last = counted(run.stdout()).at(-1) ?? 0;
    await until(
      () => counted(follow.stdout()).some((n) => n > last + 20),
      () => `lines after ${last}: the last one is ${counted(follow.stdout()).at(-1)}, stderr ${follow.stderr()}`
    );
  }
  await home.handover('stop');
  for (const seen of [counted(run.stdout()), counted(follow.stdout())])
    assert.deepEqual(
      seen,
      Array.from({ length: seen.length }, (_, n) => n + 1)
    );
});

test('Ctrl-C ends following, as does a reader that has read enough', async (t) => {
  const home = await serve(t);
  const follow = home.start(['logs', '--follow']);
  await follow.says(/started/);
  follow.process.kill('SIGINT');
  const { code, stderr } = await follow.ended();
  assert.deepEqual([code, stderr], [0, '']);

  const head = home.start(['logs', '-f']);
  await head.says(/starting/);
  head.process.stdout?.destroy();
  await until(async () => {
    await home.ask('/more');
    return head.process.exitCode !== null;
  }, 'the end of a follower that nobody reads');
  assert.equal(head.process.exitCode, 0);
});

test('a reader that does not read is not waited for, and is told what it has missed', async (t) => {
  const home = await serve(t);
  const idle = connect(home.socket('shop'));
  atEnd(t, () => idle.destroy());
  await new Promise((done) => idle.once('connect', done));
  idle.pause();
  idle.write('GET /logs?follow=1&lines=0 HTTP/1.1\r\nhost: x\r\n\r\n');
  for (let n = 0; n < 8; n += 1) await home.ask(`/flood${n}?times=20000`);
  await said(home, /warned \/flood7/);
  let text = '';
  idle.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  idle.resume();
  await until(() => /"event":"lines-skipped","lines":\d+/.test(text), 'the count of the lines that were skipped');
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['--since yesterday', /"--since" is not usable: it must be a duration such as "10m" or a time/],
  ['--worker two', /"--worker" is not usable: it must be a worker such as 7\.1/],
  ['-n some', /"--lines" is not usable: it must be a number of lines/]
];

for (const [args, why] of REFUSED) {
  test(`logs ${args} is refused`, async (t) => {
    const { code, stderr } = await new Home(t).handover('logs', ...args.split(' '));
    assert.equal(code, 2);
    assert.match(stderr, why);
  });
}

test('without a supervisor there is nothing to follow', async (t) => {
  const { code, stderr } = await new Home(t).handover('logs', '-f', '--name', 'shop');
  assert.equal(code, 4);
  assert.match(stderr, /HANDOVER_ERR_CONTROL_UNREACHABLE/);
});

test('what the control socket is asked for is checked', async (t) => {
  const home = await serve(t);
  const { status, body } = await ask({ socketPath: home.socket('shop') }, '/logs?lines=few');
  assert.equal(status, 400);
  assert.match(body, /"lines\\" must be a number/);
});

test('a log file has what both outputs have, and goes on in a new one on SIGUSR1 without an inspector', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const run = await home.run('server.js', '--log-file', 'logs/shop.log');
  const file = join(home.folder, 'logs/shop.log');
  const has = (line: RegExp) =>
    until(() => existsSync(file) && line.test(readFileSync(file, 'utf8')), `${line} in the file`);
  await home.ask('/before');
  await has(/^said \/before 0$/m);
  await has(/^warned \/before$/m);
  await has(/"event":"started"/);
  renameSync(file, `${file}.1`);
  run.process.kill('SIGUSR1');
  await until(() => existsSync(file), 'the new file');
  await home.ask('/after');
  await has(/^said \/after 0$/m);
  run.process.kill('SIGTERM');
  await run.ended();
  await has(/"event":"stopped"/);
  assert.doesNotMatch(run.stderr(), /Debugger/);
  assert.doesNotMatch(readFileSync(`${file}.1`, 'utf8'), /after/);
});

test('a log file for people has time and worker on each line', async (t) => {
  const home = new Home(t);
  home.write('server.js', APP);
  const run = home.start(['run', 'server.js', '--listen', '127.0.0.1:0', '--log', 'pretty', '--log-file', 'shop.log']);
  await run.says(/started/);
  await home.ask('/first');
  const file = join(home.folder, 'shop.log');
  await until(() => /^\S+ {2}1\.1 \| said \/first 0$/m.test(readFileSync(file, 'utf8')), 'the line in the file');
  assert.match(readFileSync(file, 'utf8'), /^\d\d:\d\d:\d\d {2}started {2}generation 1/m);
});

test('a log file that cannot be written is refused at the start', async (t) => {
  const home = new Home(t);
  const { code, stderr } = await home.handover('run', 'server.js', '--log-file', home.folder);
  assert.equal(code, 2);
  assert.match(stderr, /Cannot write the log file .*: it is no file/);
});
