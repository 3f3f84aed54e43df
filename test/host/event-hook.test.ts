import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EventHook } from '../../src/host/event-hook.ts';
import type { EventTarget, ToldEvent } from '../../src/options/event-target.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';
import { isAlive, until } from '../support/wait.ts';

const told = (event: string): ToldEvent => ({ app: 'shop', time: '', level: 'info', event, text: `shop: ${event}` });

function hook(target: EventTarget) {
  const failures: string[] = [];
  const one = new EventHook(target, { env: process.env, onFailed: (reason) => void failures.push(reason) });
  return {
    failures,
    tell: (event: string) => one.tell(told(event)),
    close: (withinMs?: number) => one.close(withinMs)
  };
}

/** A server that answers with these statuses, one after another, the last one again and again. */
async function serve(t: TestContext, ...statuses: number[]) {
  const got: ToldEvent[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push(JSON.parse(body));
      response.statusCode = statuses[Math.min(got.length, statuses.length) - 1] ?? 200;
      response.end('x');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  atEnd(t, () => server.close());
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret` };
}

test('a command gets each event on its stdin, one after another', async (t) => {
  const file = join(makeFolder(t), 'got');
  const { tell, failures } = hook({ command: `cat >> ${file}; echo $HANDOVER_EVENT >> ${file}` });
  tell('starting');
  tell('cutover');
  await until(() => existsSync(file) && /^cutover$/m.test(readFileSync(file, 'utf8')), 'the second event');
  assert.deepEqual(readFileSync(file, 'utf8').trimEnd().split('\n'), [
    JSON.stringify(told('starting')),
    'starting',
    JSON.stringify(told('cutover')),
    'cutover'
  ]);
  assert.deepEqual(failures, []);
});

test('a URL gets each by POST, and again where it was busy', async (t) => {
  const { got, url } = await serve(t, 503, 200);
  const { tell, failures } = hook({ url });
  tell('cutover');
  await until(() => got.length === 2, 'the second try');
  assert.deepEqual(got, [told('cutover'), told('cutover')]);
  assert.deepEqual(failures, []);
});

test('what is refused is not tried again, is said once, and without the path of the URL', async (t) => {
  const { got, url } = await serve(t, 404);
  const { tell, failures } = hook({ url });
  tell('cutover');
  tell('failed');
  await until(() => got.length === 2 && failures.length > 0, 'both events');
  tell('verdict');
  await until(() => got.length === 3, 'the third event');
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? '', /^"cutover" was not told: http:\/\/127\.0\.0\.1:\d+ answered 404$/);
});

test('a failure is said anew once it has worked in between', async () => {
  let fails = true;
  const { tell, failures } = hook(() => {
    if (fails) throw new Error('no network');
  });
  tell('one');
  await until(() => failures.length === 1, 'the first failure');
  fails = false;
  tell('two');
  await until(() => failures.length === 1, 'the event that is told');
  await new Promise((done) => setTimeout(done, 20));
  fails = true;
  tell('three');
  await until(() => failures.length === 2, 'the second failure');
  assert.equal(failures[0], '"one" was not told: the function threw: no network');
});

test('a function that never ends lets only so many wait', async () => {
  const { tell, failures } = hook(() => new Promise(() => {}));
  for (let n = 0; n < 200; n += 1) tell('cutover');
  assert.deepEqual(failures, ['more than 100 events wait, and the oldest are dropped']);
});

test('a command that fails says what it said last', async () => {
  const { tell, failures } = hook({ command: 'echo no such host >&2; exit 7' });
  tell('cutover');
  await until(() => failures.length > 0, 'the failure, after three tries');
  assert.match(failures[0] ?? '', /^"cutover" was not told: the command exited with code 7/);
});

test('at the end what waits is told, and a command that runs on is ended', async (t) => {
  const file = join(makeFolder(t), 'got');
  const quick = hook({ command: `cat >/dev/null; echo $HANDOVER_EVENT >> ${file}` });
  quick.tell('verdict');
  quick.tell('stopped');
  await quick.close();
  assert.equal(readFileSync(file, 'utf8'), 'verdict\nstopped\n');
  const slow = hook({ command: `echo $$ > ${file}; exec sleep 60` });
  slow.tell('stopped');
  await until(() => /^\d+\n$/.test(readFileSync(file, 'utf8')), 'the command that sleeps');
  await slow.close(1);
  await until(() => !isAlive(Number(readFileSync(file, 'utf8'))), 'its end');
  assert.deepEqual([quick.failures, slow.failures], [[], []]);
});
