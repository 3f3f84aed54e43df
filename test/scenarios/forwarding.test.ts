import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { app } from '../support/service.ts';
import { CANARY, HOST, LONG, ODD, pause, read, seenOf, TO } from './mirrored.ts';
import { type Answer, Talk } from './raw.ts';
import { TestService, waitFor } from './service.ts';

// Connections that users of both sides share: those stay where they are, and requests of the other side are forwarded.

let service: TestService;

before(async () => {
  service = await canary('answers.mjs');
});
after(() => service.end());

async function canary(entry: string, options: SuperviseOptions = {}): Promise<TestService> {
  const started = await new TestService({ entry: app(entry), workers: 1, bake: 0, ...options }).started();
  started.version = '2';
  await started.client.reload({ canary: CANARY });
  return started;
}

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${fields}\r\n`;

function askOn(talk: Talk, path: string, fields = ''): Promise<Answer> {
  talk.send(get(path, fields));
  return talk.answer();
}

const isEnded = (talk: Talk) => waitFor(async () => talk.isOver, 'the connection is closed').then(() => true);

/** How many connections the canary has. */
async function connectionsOf({ client }: TestService): Promise<number> {
  const { candidate } = await client.status();
  return (candidate?.workers ?? []).reduce((sum, { connections }) => sum + (connections ?? 0), 0);
}

/** A connection on which both sides have been asked, until it stays where it is. */
async function share(t: TestContext, of: TestService = service): Promise<Talk> {
  const talk = await Talk.open(of.port);
  t.after(() => talk.close());
  const before = await connectionsOf(of);
  await waitFor(async () => {
    for (const fields of ['', TO]) {
      talk.send(get('/shared', fields));
      assert.equal((await talk.answer()).version, fields === TO ? '2' : '1');
    }
    return (await connectionsOf(of)) === before;
  }, 'its requests are forwarded');
  return talk;
}

test('a connection that is shared stays, whoever answers, and each side counts what it has answered', async (t) => {
  const talk = await share(t);
  const count = async () => {
    const { active, candidate } = await service.client.status();
    return [active, candidate].map((one) => one?.workers[0]?.requests ?? 0);
  };
  const [before = [], sent] = [await count(), [0, 0]];
  for (let turn = 0; turn < 200; turn += 1) {
    const side = turn % 3 === 0 ? 1 : 0;
    sent[side] = (sent[side] ?? 0) + 1;
    talk.send(get(`/${turn}`, side === 1 ? TO : ''));
    const { body, version, close } = await talk.answer();
    assert.deepEqual([body, version, close], [`/${turn}`, String(side + 1), false]);
  }
  assert.equal(await connectionsOf(service), 0);
  assert.deepEqual(
    await count(),
    sent.map((own, side) => own + (before[side] ?? 0))
  );
});

test('the app sees the client, not the process that has its connection', async (t) => {
  const talk = await share(t);
  const { localPort } = talk.socket;
  talk.send(get('/peer', TO));
  const seen = JSON.parse((await talk.answer()).body) as Record<string, unknown>;
  assert.deepEqual(seen, {
    ...{ remoteAddress: '127.0.0.1', remotePort: localPort, localPort: service.port },
    address: { address: '127.0.0.1', port: service.port, family: 'IPv4' }
  });
});

test('a long answer arrives as a whole at a client that reads slowly, and holds up nobody else', async (t) => {
  const [slow, other] = [await share(t), await share(t)];
  slow.socket.pause();
  slow.send(get('/big', TO));
  for (let turn = 0; turn < 5; turn += 1) {
    other.send(get('/other', TO));
    assert.equal((await other.answer()).body, '/other');
    await pause(50);
  }
  slow.socket.resume();
  const { body } = await slow.answer();
  assert.equal(body, 'handover'.repeat(3_000_000 / 8));
});

test('an app may use its buffer again as soon as it is told that it was written', async (t) => {
  const talk = await share(t);
  const { body } = await askOn(talk, '/reuse', TO);
  assert.equal(body, Array.from({ length: 400 }, (_, part) => String(part % 10).repeat(1_024)).join(''));
});

test('an app that throws, and survives it, answers all others', async (t) => {
  const talks: Talk[] = [];
  while (talks.length < 6) talks.push(await share(t));
  const [throwing, ...others] = talks as [Talk, ...Talk[]];
  for (let turn = 0; turn < 5; turn += 1) {
    if (turn === 1) throwing.send(get('/throws', TO));
    const answers = await Promise.all(others.map((talk) => askOn(talk, `/${turn}`, TO)));
    assert.deepEqual(
      answers.map(({ body }) => body),
      others.map(() => `/${turn}`)
    );
  }
});

test('an answer in parts arrives in parts', async (t) => {
  const talk = await share(t);
  const heard: string[] = [];
  talk.socket.on('data', (bytes) => heard.push(bytes.toString()));
  talk.send(get('/parts', TO));
  await waitFor(async () => heard.join('').includes('first'), 'the first part');
  assert.ok(!heard.join('').includes('second'));
  assert.equal((await talk.answer()).body, 'firstsecond');
});

test('what comes without a body, or before the answer, leaves the connection in order', async (t) => {
  const talk = await share(t);
  const heard: string[] = [];
  talk.socket.on('data', (bytes) => heard.push(bytes.toString()));
  talk.send(get('/empty', TO));
  assert.equal((await talk.answer()).status, 304);
  talk.send(get('/hints', TO));
  await waitFor(async () => heard.join('').endsWith('hinted'), 'the answer behind the hints');
  assert.match(
    heard.join(''),
    /HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/i
  );
});

test('what ends its connection ends it, and what is cut is cut', async (t) => {
  const last = await share(t);
  last.send(get('/last', TO));
  const { body, close } = await last.answer();
  assert.deepEqual([body, close], ['last', true]);
  await waitFor(async () => last.isOver, 'the connection is closed');
  const cut = await share(t);
  const heard: string[] = [];
  cut.socket.on('data', (bytes) => heard.push(bytes.toString()));
  cut.send(get('/cut', TO));
  await waitFor(async () => cut.isOver, 'the connection is closed');
  assert.match(heard.join(''), /\r\n\r\nhalf$/);
});

test('what an app writes to the socket itself arrives, and ends the connection where it does', async (t) => {
  const talk = await share(t);
  assert.deepEqual([(await askOn(talk, '/raw', TO)).body, (await isEnded(talk)) && talk.isOver], ['raw', true]);
});

test('a socket that its app has ended when it had answered is not asked again', async (t) => {
  const talk = await share(t);
  assert.equal((await askOn(talk, '/end-later', TO)).body, 'ended');
  await pause(100);
  assert.equal((await askOn(talk, '/next', TO)).body, '/next');
});

test('an app hears that its client has left', async (t) => {
  const [leaving, asking] = [await share(t), await share(t)];
  leaving.send(get('/never', TO));
  await waitFor(async () => (await service.client.status()).candidate?.workers[0]?.inFlight === 1, 'it is asked');
  leaving.close();
  await waitFor(async () => {
    return (await askOn(asking, '/gone', TO)).body === '1';
  }, 'the app has heard of it');
});

test('requests behind one that is forwarded are answered in their order, each by its side', async (t) => {
  const talk = await share(t);
  const sides = ['2', '1', '2', '1', '1', '2'];
  talk.send(
    sides.map((side, at) => get(side === '2' ? `/slow?ms=${60 - at * 10}` : `/${at}`, side === '2' ? TO : '')).join('')
  );
  for (const [at, side] of sides.entries()) {
    const { body, version } = await talk.answer();
    assert.deepEqual([body, version], [side === '2' ? 'slow' : `/${at}`, side]);
  }
});

test('what is to stay where it is answered, and what comes again and again, takes its connection along', async (t) => {
  const stream = await share(t);
  stream.send(get('/stream', `${TO}accept: text/event-stream\r\n`));
  assert.equal((await stream.answer()).version, '2');
  assert.equal(await connectionsOf(service), 1);
  stream.close();
  await waitFor(async () => (await connectionsOf(service)) === 0, 'it is gone');
  const talk = await share(t);
  for (let turn = 0; turn < 12; turn += 1) {
    talk.send(get(`/${turn}`, TO));
    assert.equal((await talk.answer()).body, `/${turn}`);
  }
  assert.equal(await connectionsOf(service), 1);
  // There it is at home: from there, single requests of the other side are forwarded, once there is a link.
  await waitFor(async () => {
    assert.equal((await askOn(talk, '/there', TO)).version, '2');
    assert.equal((await askOn(talk, '/back')).version, '1');
    return (await connectionsOf(service)) === 1;
  }, 'it stays there');
});

test('requests are forwarded as they were sent', async (t) => {
  const mirror = await canary('mirror.mjs');
  t.after(() => mirror.end());
  const talk = await share(t, mirror);
  const body = 'b\x00\xff\r\n'.repeat(500);
  const sized = `${HOST}Content-Length: ${body.length}\r\n`;
  const requests: readonly (readonly [first: string, fields: string, body: string])[] = [
    ['GET /odd?a=%20b HTTP/1.1', ODD, ''],
    ['GET /long HTTP/1.1', LONG, ''],
    ['GET http://other.example:81/there?x=1 HTTP/1.1', HOST, ''],
    ['M-SEARCH /m HTTP/1.1', HOST, ''],
    ['PUT /whole HTTP/1.1', sized, body],
    ['POST /whole HTTP/1.1', sized, body]
  ];
  for (const [first, fields, sent] of requests) {
    for (let turn = 0; turn < 2; turn += 1) {
      talk.send(Buffer.from(`${first}\r\n${fields}\r\n${sent}`, 'latin1'));
      assert.deepEqual(read((await talk.answer()).body), seenOf(first, fields, sent));
      talk.send(get('/here'));
      assert.equal(read((await talk.answer()).body).version, '1');
    }
  }
  assert.equal(await connectionsOf(mirror), 0);
});

for (const [what, end, version] of [
  ['the canary is given up', (of: TestService) => of.client.abort(), '1'],
  ['the canary is promoted', (of: TestService) => of.client.promote(), '2']
] as const)
  test(`${what} while it answers: the answer comes, and the connection goes on`, async (t) => {
    const own = await canary('answers.mjs');
    t.after(() => own.end());
    const talks: Talk[] = [];
    while (talks.length < 5) talks.push(await share(t, own));
    for (const talk of talks) talk.send(get('/slow?ms=600', TO));
    await waitFor(async () => (await own.client.status()).candidate?.workers[0]?.inFlight === 5, 'all are asked');
    await end(own);
    for (const talk of talks) {
      const { body, version } = await talk.answer();
      assert.deepEqual([body, version], ['slow', '2']);
    }
    await waitFor(async () => (await own.client.status()).phase === 'steady', 'the canary is over');
    await waitFor(async () => {
      const answers = await Promise.all(talks.map((talk) => askOn(talk, '/after', TO)));
      return answers.every((answer) => answer.version === version);
    }, `all are answered by version ${version}`);
  });

test('a canary that is killed takes along what was in it, and nothing else', async (t) => {
  const own = await canary('answers.mjs');
  t.after(() => own.end());
  const [lost, kept] = [await share(t, own), await share(t, own)];
  lost.send(get('/never', TO));
  await waitFor(async () => (await own.client.status()).candidate?.workers[0]?.inFlight === 1, 'it is asked');
  process.kill((await own.client.status()).candidate?.workers[0]?.pid ?? 0, 'SIGKILL');
  await waitFor(async () => lost.isOver, 'its connection is closed');
  kept.send(get('/kept', TO));
  assert.equal((await kept.answer()).body, '/kept');
});

test('a service that stops answers what was forwarded', async (t) => {
  const own = await canary('answers.mjs');
  t.after(() => own.end());
  const talk = await share(t, own);
  talk.send(get('/slow?ms=500', TO));
  await waitFor(async () => (await own.client.status()).candidate?.workers[0]?.inFlight === 1, 'it is asked');
  const stopped = own.client.stop();
  assert.equal((await talk.answer()).body, 'slow');
  await stopped;
});

test('what was forwarded is answered although the supervisor is killed', async (t) => {
  const own = await canary('answers.mjs');
  t.after(() => own.end());
  const talk = await share(t, own);
  talk.send(get('/slow?ms=500', TO));
  await waitFor(async () => (await own.client.status()).candidate?.workers[0]?.inFlight === 1, 'it is asked');
  own.process.kill('SIGKILL');
  assert.deepEqual([(await talk.answer()).body, talk.isOver], ['slow', false]);
});

test('a stream that nobody had announced ends where the version that has its client ends', async (t) => {
  const own = await canary('answers.mjs');
  t.after(() => own.end());
  const talk = await share(t, own);
  const heard: string[] = [];
  talk.socket.on('data', (bytes) => heard.push(bytes.toString()));
  talk.send(get('/events', TO));
  await waitFor(async () => heard.join('').includes('data: 1'), 'an event');
  assert.equal(await connectionsOf(own), 0);
  await own.client.stop();
  await waitFor(async () => talk.isOver, 'the connection is closed');
  assert.match(heard.join(''), /\r\n0\r\n\r\n$/);
});

// More than four shapes where Node handles requests, and V8 no longer knows any of them: each takes a third longer then.
test('a connection that has come from elsewhere is of one shape with those that were accepted, also where some are forwarded', async (t) => {
  const own = await canary('answers.mjs', { nodeOptions: ['--allow-natives-syntax'] });
  t.after(() => own.end());
  const accepted = await Talk.open(own.port);
  t.after(() => accepted.close());
  for (let turn = 0; turn < 3; turn += 1) assert.equal((await askOn(accepted, '/shape')).body, 'true');
  const shared = await share(t, own);
  for (const path of ['/before', '/shape']) {
    const { body, version } = await askOn(shared, path);
    assert.deepEqual([body, version], [path === '/shape' ? 'true' : path, '1']);
  }
});

test('how long a socket may be silent is for the app to say that answers', async (t) => {
  const own = await canary('answers.mjs', { args: ['300'] });
  t.after(() => own.end());
  const talk = await share(t, own);
  assert.equal((await askOn(talk, '/patient', TO)).body, 'patient');
  // What was not asked for so long the app has ended there: it is asked anew.
  for (let turn = 0; turn < 5; turn += 1) {
    assert.equal((await askOn(talk, '/here')).body, '/here');
    await pause(100);
  }
  assert.equal((await askOn(talk, '/there', TO)).body, '/there');
});

test('a request of more than 64 KiB is forwarded as a whole', async (t) => {
  const talk = await share(t);
  const fields = Array.from({ length: 14 }, (_, at) => `x-${at}: ${'0123456789'.repeat(100)}\r\n`).join('');
  const body = 'x'.repeat(60_000);
  for (let turn = 0; turn < 3; turn += 1) {
    talk.send(`POST /long HTTP/1.1\r\nhost: a\r\n${TO}${fields}content-length: ${body.length}\r\n\r\n${body}`);
    assert.equal((await talk.answer()).body, '/long');
    assert.equal((await askOn(talk, '/here')).body, '/here');
  }
});
