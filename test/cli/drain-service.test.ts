import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { ask, Client, toTarget } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';
import { Home } from './run.ts';

test('a drained service says so at every door, also after an upgrade, and serves; undrain ends it', async (t) => {
  const home = new Home(t);
  const admin = `127.0.0.1:${await freePort()}`;
  const run = await home.run('server.js', '--admin', admin);
  const ready = async () => {
    const { status, body } = await ask(toTarget(admin), '/ready');
    return [status, JSON.parse(body).reason];
  };
  const { listeners } = await home.status();
  const client = new Client(toTarget(listeners[0]?.address ?? ''));
  t.after(() => client.close());
  const closes = async () => (await client.get()).headers.connection === 'close';

  assert.equal(await closes(), false);
  const { code, stdout, stderr } = await home.handover('drain', '--close-idle');
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(
    stdout,
    'Drained until `handover undrain`: load balancers are told to send nobody here. Whoever comes is served, and its answers end their connections.\n'
  );
  await until(closes, 'answers that end their connections');
  const who = userInfo().username;
  assert.deepEqual(await ready(), [503, `it was drained by ${process.env.SUDO_USER ?? who}`]);
  assert.match(
    (await home.handover('status')).stdout,
    /^drained +it was drained by \S+; answers say Connection: close$/m
  );

  assert.equal((await home.handover('upgrade')).code, 0);
  await until(async () => (await ready().catch(() => []))[0] === 503, '503 from the next supervisor');
  assert.equal((await home.status()).drained?.closeIdle, true);
  await home.handover('reload');
  await until(closes, 'answers of the next version that end their connections');

  const { answer } = await home.json('undrain');
  assert.deepEqual(answer, { ok: true, active: 2, wasDrained: true });
  await until(async () => !(await closes()), 'answers that keep their connections');
  assert.deepEqual(await ready(), [200, null]);
  assert.equal((await home.handover('undrain')).stdout, 'It was not drained.\n');
  await home.handover('stop'); // the supervisor of the upgrade is nobody's child
  const drained = JSON.parse(/^.*"event":"drained".*$/m.exec(run.stderr())?.[0] ?? '{}');
  assert.deepEqual([drained.until, drained.closeIdle, drained.operator.command], [null, true, 'handover drain']);
});

test('drain --for ends by itself, and says when', async (t) => {
  const home = new Home(t);
  const run = await home.run('server.js');
  const { answer } = await home.json('drain', '--for', '1s');
  assert.deepEqual(Object.keys(answer), ['ok', 'active', 'since', 'until', 'closeIdle']);
  assert.equal(Date.parse(String(answer.until)) - Date.parse(String(answer.since)), 1_000);
  await run.says(/"event":"undrained","reason":"its time is over"/);
  assert.equal((await home.status()).drained, null);
  const { code, stderr } = await home.handover('drain', '--for', 'soon');
  assert.equal(code, 2);
  assert.match(
    stderr,
    /"--for" is not usable: it must be a duration with its unit, such as "30s" or "5m", up to 24 days, and it is "soon"/
  );
});

test('a stop waits until load balancers have looked, and a second one does not', async (t) => {
  const home = new Home(t);
  const run = await home.run('server.js', '--drain-before', '10m');
  run.process.kill('SIGTERM');
  await run.says(/"event":"withdrawing","forMs":600000,"reason":"load balancers are told before the stop: SIGTERM"/);
  assert.equal((await home.status()).phase, 'withdrawing');
  assert.equal((await home.ask()).version, 1);
  assert.equal((await home.json('reload')).answer.code, 'HANDOVER_ERR_REFUSED_STOPPING');
  assert.equal((await home.handover('stop')).code, 0);
  assert.equal((await run.ended()).code, 0);
});

/** `/slow` is answered after `/go` was. */
const HTTP2 = `
let finish = () => {};
require('node:http2').createServer((request, response) => {
  const answer = () => response.end('answered');
  if (request.url === '/slow') finish = answer;
  else answer();
  if (request.url === '/go') finish();
}).listen(process.env.PORT || 0);
`;

test('under drain --close-idle sessions of HTTP/2 are told to go away, and every stream of theirs is answered', async (t) => {
  const home = new Home(t);
  home.write('server.js', HTTP2);
  await home.run('server.js');
  const { listeners } = await home.status();
  const connect = () => {
    const session = http2.connect(`http://${listeners[0]?.address}`);
    t.after(() => session.destroy());
    const told = once(session, 'goaway');
    const get = async (path: string) => {
      let body = '';
      const stream = session.request({ ':path': path }).setEncoding('utf8');
      stream.on('data', (text: string) => {
        body += text;
      });
      await inTime(once(stream, 'end'), `the end of ${path}`);
      return body;
    };
    return { session, told, get };
  };
  const before = connect();
  assert.equal(await before.get('/'), 'answered');
  const slow = before.get('/slow');
  await home.handover('drain', '--close-idle');
  const [code] = await inTime(before.told, 'a GOAWAY to the session that was there');
  const during = connect();
  assert.equal(await during.get('/go'), 'answered');
  assert.equal(await slow, 'answered');
  const [codeDuring] = await inTime(during.told, 'a GOAWAY to the session that came while it is drained');
  assert.deepEqual([code, codeDuring], [http2.constants.NGHTTP2_NO_ERROR, http2.constants.NGHTTP2_NO_ERROR]);

  await home.handover('undrain');
  const after = connect();
  for (const path of ['/', '/', '/']) assert.equal(await after.get(path), 'answered');
  assert.equal(after.session.closed, false);
});
