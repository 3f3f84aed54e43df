import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeCertificate, skipWithoutOpenssl as skip } from '../../support/certificate.ts';
import { atEnd } from '../../support/end.ts';

import { inTime } from '../../support/wait.ts';
import { bind, Worker } from '../../support/worker.ts';

// Connections that cannot move to another process are ended while a worker holds, none in the middle of a request.

test('HTTPS: what is in flight is answered and told to close, what is idle is ended, then the worker is quiet', {
  skip
}, async (t) => {
  const env = makeCertificate(t);
  const { port, worker } = await serve(t, 'hold.mjs', { ...env, SPEAKS: 'https' });
  const ca = readFileSync(env.CERT_FILE);
  const visit = (path: string) => {
    const agent = new https.Agent({ keepAlive: true, ca });
    atEnd(t, () => agent.destroy());
    const request = https.get({ host: 'localhost', port, family: 4, path, agent });
    const answered = once(request, 'response').then(async ([response]) => {
      response.resume();
      await once(response, 'end');
      return response;
    });
    return { request, answered };
  };
  const idle = visit('/answer');
  await idle.answered;
  const ended = once(idle.request.socket ?? assert.fail(), 'close');
  const busy = visit('/wait');
  await worker.reports(({ inFlight }) => inFlight === 1, 'the request');
  await worker.hold();
  assert.equal(worker.take('quiet'), null);

  worker.child.send('go');
  assert.equal((await inTime(busy.answered, 'the answer')).headers.connection, 'close');
  await worker.hear('quiet');
  await inTime(ended, 'the end of the idle connection');
  const { requests } = await worker.report();
  assert.equal(requests, 2);
});

test('HTTP/2: streams in flight end as they would, then their session does, then the worker is quiet', async (t) => {
  const { port, worker } = await serve(t, 'hold.mjs', { SPEAKS: 'http2' });
  const [idle, busy] = [http2.connect(`http://127.0.0.1:${port}`), http2.connect(`http://127.0.0.1:${port}`)];
  atEnd(t, () => idle.destroy());
  atEnd(t, () => busy.destroy());
  await once(idle.request({ ':path': '/answer' }).resume(), 'end');
  const stream = busy.request({ ':path': '/wait' });
  await worker.reports(({ connections }) => connections === 2, 'both connections');
  await inTime(new Promise((done) => busy.ping(done)), 'the stream to arrive');
  const ended = once(idle, 'close');
  await worker.hold();
  await inTime(ended, 'the end of the idle session');
  assert.equal(worker.take('quiet'), null);

  worker.child.send('go');
  const [headers] = await inTime(once(stream, 'response'), 'the answer');
  assert.equal(headers[':status'], 200);
  await inTime(once(stream.resume(), 'end'), 'its end');
  await worker.hear('quiet');
});

test('raw connections are ended once they are silent, and new ones wait', async (t) => {
  const { port, worker } = await serve(t, 'echo.mjs', {});
  const connect = () => {
    const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
    atEnd(t, () => socket.destroy());
    return socket;
  };
  const old = connect();
  old.write('hello');
  assert.deepEqual(await inTime(once(old, 'data'), 'the echo'), ['hello']);
  const ended = once(old, 'end');
  await worker.hold();
  const late = connect();
  late.write('waiting');
  await worker.hear('quiet');
  await inTime(ended, 'the end');
  await worker.accept();
  assert.deepEqual(await inTime(once(late, 'data'), 'the echo'), ['waiting']);
});

async function serve(t: TestContext, name: string, env: NodeJS.ProcessEnv) {
  const bound = bind(t);
  const worker = await new Worker(t, name, bound, { env }).listens();
  await worker.accept();
  return { port: bound.port, worker };
}
