import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { makeCertificate, skipWithoutOpenssl } from '../support/certificate.ts';
import { Raw } from '../support/http.ts';
import { app } from '../support/service.ts';
import {
  ask as askParts,
  BODY,
  CANARY,
  chunks,
  HOST,
  type Mirrored,
  pause,
  read,
  SIZED,
  seenOf,
  TO,
  unrouted
} from './mirrored.ts';
import { Talk } from './raw.ts';
import { TestService, waitFor, withService } from './service.ts';

// What a connection lives through while requests of both sides come on it: order, upgrades, clients that leave, TLS.

const MIRROR = app('mirror.mjs');
let service: TestService;

before(async () => {
  service = await new TestService({ entry: MIRROR, workers: 1, bake: 0 }).started();
  service.version = '2';
  await service.client.reload({ canary: CANARY });
});
after(() => service.end());

const ask = (parts: readonly string[], answers?: number, pauseMs?: number) =>
  askParts(service.port, parts, answers, pauseMs);

test('requests of both sides in one write are answered in their order, each by its side', async () => {
  const sides = ['1', '2', '2', '1', '1', '2', '1', '2'];
  const requests = sides.map((side, at) => `GET /${at} HTTP/1.1\r\nhost: a\r\n${side === '2' ? TO : ''}\r\n`);
  for (let turn = 0; turn < 10; turn += 1) {
    const seen = await ask([requests.join('')], sides.length);
    assert.deepEqual(
      seen.map(({ url, version }) => `${url} ${version}`),
      sides.map((side, at) => `/${at} ${side}`)
    );
  }
});

test('uploads of both sides in one write keep their bodies', async () => {
  const sides = ['2', '1', '2', '2', '1'];
  const requests = sides.map((side, at) => {
    const fields = `host: a\r\n${side === '2' ? TO : ''}`;
    return at % 2 === 0
      ? `POST /${at} HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${chunks(`${at}${BODY}`)}`
      : `POST /${at} HTTP/1.1\r\n${fields}Content-Length: ${BODY.length + 1}\r\n\r\n${at}${BODY}`;
  });
  const seen = await ask([requests.join('')], sides.length);
  for (const [at, { url, version, body }] of seen.entries())
    assert.deepEqual([url, version, body === `${at}${BODY}`], [`/${at}`, sides[at], true]);
});

test('requests that alternate on one connection go back and forth, and it stays open', async () => {
  const talk = await Talk.open(service.port);
  for (let turn = 0; turn < 300; turn += 1) {
    const version = turn % 3 === 0 ? '1' : '2';
    talk.send(`GET /${turn} HTTP/1.1\r\nhost: a\r\n${version === '2' ? TO : ''}\r\n`);
    const { body, close } = await talk.answer();
    const seen = read(body);
    assert.deepEqual([seen.url, seen.version, close], [`/${turn}`, version, false]);
  }
  talk.close();
});

/** A connection of which every byte is looked at. */
function open(t: TestContext): Raw {
  const raw = new Raw({ host: '127.0.0.1', port: service.port });
  t.after(() => raw.socket.destroy());
  return raw;
}

test('HEAD has the head of an answer of the canary, and nothing behind it', async (t) => {
  const raw = open(t);
  raw.socket.write(`HEAD /head HTTP/1.1\r\n${HOST}\r\n`);
  await raw.seen(() => raw.text.endsWith('\r\n\r\n'), 'an answer');
  assert.match(raw.text, /^HTTP\/1\.1 200 OK\r\nx-version: 2\r\n/);
  const from = raw.text.length;
  raw.socket.write(`GET /next HTTP/1.1\r\n${HOST}\r\n`);
  await raw.seen(() => raw.text.endsWith('}'), 'the next answer');
  assert.match(raw.text.slice(from), /^HTTP\/1\.1 200 OK\r\nx-version: 2\r\n/);
});

test('Expect: 100-continue is answered with exactly one 100, by whoever answers', async (t) => {
  for (const [fields, version] of [
    [SIZED, '2'],
    [SIZED.replace(TO, ''), '1']
  ] as const) {
    const raw = open(t);
    raw.socket.write(`POST /expect HTTP/1.1\r\n${fields}Expect: 100-continue\r\n\r\n`);
    await raw.seen(() => raw.text === 'HTTP/1.1 100 Continue\r\n\r\n', 'the 100');
    raw.socket.write(Buffer.from(BODY, 'latin1'));
    await raw.seen(() => raw.text.endsWith('}'), 'an answer');
    assert.equal(raw.text.split('HTTP/1.1 100').length - 1, 1);
    const seen = JSON.parse(raw.text.slice(raw.text.indexOf('{'))) as Mirrored;
    assert.deepEqual([seen.version, seen.body === BODY], [version, true]);
  }
});

test('an upgrade is made by its side, also with bytes behind the head and after another request', async (t) => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: echo\r\n';
  for (const [fields, version] of [
    [HOST, '2'],
    ['host: a\r\n', '1']
  ] as const) {
    for (const before of ['', 'GET /before HTTP/1.1\r\nhost: a\r\n\r\n']) {
      const raw = open(t);
      raw.socket.write(before);
      if (before !== '') await raw.seen(() => raw.text.endsWith('}'), 'the answer before');
      const from = raw.text.length;
      raw.socket.write(`GET /echo HTTP/1.1\r\n${fields}${upgrade}\r\nearly,`);
      await raw.seen(() => raw.text.endsWith('early,'), 'the early bytes');
      raw.socket.write('late.');
      await raw.seen(() => raw.text.endsWith('early,late.'), 'the echo');
      assert.match(
        raw.text.slice(from),
        new RegExp(`^HTTP/1\\.1 101 .*x-version: ${version}\r\n\r\nearly,late\\.$`, 's')
      );
    }
  }
});

test('clients that are gone right after they have sent harm nobody', async () => {
  const pids = await pidsOf();
  for (let turn = 0; turn < 60; turn += 1) {
    const socket = net.connect({ port: service.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    const request = turn % 2 === 0 ? `GET /gone?ms=20 HTTP/1.1\r\n${HOST}\r\n` : `POST /gone HTTP/1.1\r\n${SIZED}\r\nb`;
    socket.write(request, () => (turn % 3 === 0 ? socket.resetAndDestroy() : socket.destroy()));
    if (turn % 5 === 0) await pause(turn % 4);
  }
  const [seen] = await ask([`GET /after HTTP/1.1\r\n${HOST}\r\n`]);
  assert.deepEqual(seen, seenOf('GET /after HTTP/1.1', HOST));
  assert.deepEqual(await pidsOf(), pids);
  await waitFor(async () => {
    const { active, candidate } = await service.client.status();
    return [active, candidate].every((one) => one?.workers.every(({ inFlight }) => inFlight === 0));
  }, 'nothing is counted as in flight');
});

async function pidsOf(): Promise<(number | null)[]> {
  const { active, candidate } = await service.client.status();
  return [active, candidate].flatMap((one) => one?.workers.map(({ pid }) => pid) ?? []);
}

test('no request was answered elsewhere than it belongs', async () => {
  assert.deepEqual(await unrouted(service), {});
});

test('over TLS a canary is decided by connection; by what only a request says, it is refused with the reason', {
  skip: skipWithoutOpenssl
}, async (t) => {
  const { KEY_FILE, CERT_FILE } = makeCertificate(t);
  const envFile = join(dirname(KEY_FILE), 'env');
  writeFileSync(envFile, `KEY_FILE=${KEY_FILE}\nCERT_FILE=${CERT_FILE}\n`);
  await withService({ entry: MIRROR, workers: 1, bake: 0, envFile }, async (tls) => {
    tls.version = '2';
    await assert.rejects(
      tls.client.reload({ canary: '50%', by: 'cookie:session' }),
      (error: { code?: string; message: string }) => {
        assert.match(error.code ?? '', /^HANDOVER_ERR_/);
        assert.match(error.message, /TLS|HTTP\/2/);
        assert.match(error.message, /connection/);
        return true;
      }
    );
    await tls.client.reload({ canary: '50%', by: 'connection' });
    const versions = new Set<string>();
    for (let turn = 0; turn < 40; turn += 1) {
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
      const [one, two] = [await askTls(tls.port, agent), await askTls(tls.port, agent)];
      agent.destroy();
      assert.equal(one, two);
      versions.add(one);
    }
    assert.deepEqual([...versions].sort(), ['1', '2']);
  });
});

async function askTls(port: number, agent: https.Agent): Promise<string> {
  const request = https.get({ host: '127.0.0.1', port, agent, path: '/tls' });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const ended = once(response.resume(), 'end');
  await ended;
  return String(response.headers['x-version']);
}
