import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { startService } from '../support/service.ts';
import { Home } from './run.ts';

test('what an order causes says who gave it, and so does the history', async (t) => {
  const home = new Home(t);
  const run = await home.run('server.js', '--bake', '0');
  const by = { uid: process.getuid?.(), user: userInfo().username };
  const env = { SUDO_USER: '' };
  assert.equal((await home.start(['reload'], { env }).ended()).code, 0);
  assert.equal((await home.start(['rollback'], { env: { SUDO_USER: 'alice' } }).ended()).code, 0);
  await home.start(['scale', '2'], { env }).ended();
  run.process.kill('SIGTERM');
  const { stderr } = await run.ended();
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const of = (name: string, generation?: number) =>
    events.find(
      ({ event, to, ...one }) => event === name && [to, one.generation].includes(generation ?? one.generation)
    )?.operator;
  assert.equal(of('starting', 1), undefined);
  assert.deepEqual(of('starting', 2), { ...by, command: 'handover reload' });
  assert.deepEqual(of('cutover', 2), { ...by, command: 'handover reload' });
  assert.deepEqual(of('cutover', 1), { ...by, sudoUser: 'alice', command: 'handover rollback' });
  assert.deepEqual(of('scaling'), { ...by, command: 'handover scale' });
  assert.deepEqual(of('stopping'), { uid: null, user: null, command: 'SIGTERM' });
});

test('the history says who asked for a generation, over an upgrade too, and what a client says of itself is not trusted in form', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--bake', '0');
  const socketPath = home.socket('shop');
  await home.handover('reload');
  const raw = await fetchWith(socketPath, '%7B%22uid%22%3A-1%2C%22user%22%3A7%2C%22command%22%3A%22a%0Ab%22%7D');
  assert.equal(raw, 200);
  await home.handover('upgrade');
  const { history } = JSON.parse((await ask({ socketPath }, '/history')).body);
  await home.handover('stop');
  assert.deepEqual(
    history.map(({ operator }: { operator: { command: string } | null }) => operator?.command ?? null),
    [null, 'handover reload', 'POST /reload']
  );
  assert.deepEqual(history[2].operator, { uid: null, user: null, command: 'POST /reload' });
});

test('an order in code is signed by the program that gives it', async (t) => {
  const { service, event } = await startService(t, 'http.mjs', { bake: 0 });
  const by = (command: string) => ({ uid: process.getuid?.(), user: userInfo().username, command });
  await service.reload();
  await service.rollback();
  const { history } = await service.history();
  assert.deepEqual(history[1]?.operator, by('service.reload()'));
  assert.deepEqual((await event('cutover', ({ to }) => to === 1)).operator, by('service.rollback()'));
  await service.close();
  assert.deepEqual((await event('stopping')).operator, by('service.close()'));
});

async function fetchWith(socketPath: string, operator: string): Promise<number> {
  const { request } = await import('node:http');
  return new Promise((done, fail) => {
    const headers = { 'x-handover-operator': operator };
    request({ socketPath, method: 'POST', path: '/reload', headers }, (answer) => {
      answer.resume().once('end', () => done(answer.statusCode ?? 0));
    })
      .once('error', fail)
      .end();
  });
}
