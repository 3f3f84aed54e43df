import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { app } from '../support/service.ts';
import {
  ask as askParts,
  BODY,
  CANARY,
  CHUNKED,
  chunks,
  HOST,
  LONG,
  ODD,
  read,
  SIZED,
  seenOf,
  TO,
  TRAILERS,
  unrouted
} from './mirrored.ts';
import { Talk } from './raw.ts';
import { TestService, waitFor } from './service.ts';

// Requests as clients may write them: each is brought to the canary, and arrives byte for byte.

let service: TestService;

before(async () => {
  service = await new TestService({ entry: app('mirror.mjs'), workers: 1, bake: 0 }).started();
  service.version = '2';
  await service.client.reload({ canary: CANARY });
});
after(() => service.end());

const ask = (parts: readonly string[], answers?: number, pauseMs?: number) =>
  askParts(service.port, parts, answers, pauseMs);

const REQUESTS: readonly { what: string; first: string; fields: string; body?: string }[] = [
  { what: 'duplicate and obsolete headers, in odd case', first: 'GET /odd?a=%20b HTTP/1.1', fields: ODD },
  { what: 'a head of 15 KiB', first: 'GET /long HTTP/1.1', fields: LONG },
  { what: 'HTTP/1.0', first: 'GET /old HTTP/1.0', fields: TO },
  { what: 'HTTP/1.0 that is to be kept', first: 'GET /old HTTP/1.0', fields: `Connection: keep-alive\r\n${TO}` },
  { what: 'an absolute URL', first: 'GET http://other.example:81/there?x=1 HTTP/1.1', fields: HOST },
  { what: 'a path that nobody would write', first: 'OPTIONS //a//../b?%zz HTTP/1.1', fields: HOST },
  { what: 'a method that few know', first: 'M-SEARCH /m HTTP/1.1', fields: HOST },
  { what: 'a body of a known length', first: 'PUT /whole HTTP/1.1', fields: SIZED, body: BODY }
];

for (const { what, first, fields, body = '' } of REQUESTS) {
  test(`${what}: brought to the canary as it was sent`, async () => {
    const [seen] = await ask([`${first}\r\n${fields}\r\n${body}`]);
    assert.deepEqual(seen, seenOf(first, fields, body));
  });
}

test('a head that comes in three parts is brought over when its end is there', async () => {
  const text = `GET /parts HTTP/1.1\r\n${ODD}\r\n`;
  const [seen] = await ask([text.slice(0, 9), text.slice(9, 40), text.slice(40)]);
  assert.deepEqual(seen, seenOf('GET /parts HTTP/1.1', ODD));
});

test('a body of a known length in parts, the first of them with the head', async () => {
  const first = 'POST /parts HTTP/1.1';
  for (const cut of [0, 1, 1_000]) {
    const [seen] = await ask([
      `${first}\r\n${SIZED}\r\n${BODY.slice(0, cut)}`,
      BODY.slice(cut, 2_000),
      BODY.slice(2_000)
    ]);
    assert.deepEqual(seen, seenOf(first, SIZED, BODY), `cut at ${cut}`);
  }
});

test('a body in chunks with trailers, at once and in two parts', async () => {
  const first = 'POST /chunks HTTP/1.1';
  const head = `${first}\r\n${CHUNKED}\r\n`;
  const body = chunks(BODY);
  for (const parts of [[head + body], [head + body.slice(0, 20), body.slice(20)], [head, body]]) {
    const [seen] = await ask(parts);
    assert.deepEqual(seen, seenOf(first, CHUNKED, BODY, TRAILERS), `in ${parts.length} parts`);
  }
});

test('a body in chunks whose rest does not come soon is answered where it is, and counted', async () => {
  const first = 'POST /late HTTP/1.1';
  const body = chunks(BODY);
  const before = (await unrouted(service)).chunked ?? 0;
  const [seen] = await ask([`${first}\r\n${CHUNKED}\r\n${body.slice(0, 20)}`, body.slice(20)], 1, 2_500);
  assert.deepEqual(seen, { ...seenOf(first, CHUNKED, BODY, TRAILERS), version: '1' });
  await waitFor(async () => (await unrouted(service)).chunked === before + 1, 'it is counted');
});

test('a request with a part of the next one behind it: both arrive as they were sent, at whichever byte it was cut', async () => {
  const [one, two] = ['GET /one HTTP/1.1', 'GET /two HTTP/1.1'];
  const next = `${two}\r\n${ODD}\r\n`;
  for (const cut of [1, 12, next.length - 3]) {
    const seen = await ask([`${one}\r\n${ODD}\r\n${next.slice(0, cut)}`, next.slice(cut)], 2, 30);
    assert.deepEqual(seen, [seenOf(one, ODD), seenOf(two, ODD)], `cut at ${cut}`);
  }
});

test('where the rest of the next one does not come soon, the first is answered where it is, and counted', async () => {
  const [one, two] = ['GET /one HTTP/1.1', 'GET /two HTTP/1.1'];
  const before = (await unrouted(service))['part of a next request'] ?? 0;
  const next = `${two}\r\n${ODD}\r\n`;
  const seen = await ask([`${one}\r\n${ODD}\r\n${next.slice(0, 9)}`, next.slice(9)], 2, 2_500);
  assert.deepEqual(seen, [{ ...seenOf(one, ODD), version: '1' }, seenOf(two, ODD)]);
  await waitFor(async () => (await unrouted(service))['part of a next request'] === before + 1, 'it is counted');
});

// The last one: the canary is over then.
test('what comes behind a request that is about to leave is answered too, when the canary ends in that very moment', async () => {
  const [one, two] = ['GET /one HTTP/1.1', 'GET /two HTTP/1.1'];
  const next = `${two}\r\n${ODD}\r\n`;
  const talk = await Talk.open(service.port);
  talk.send(`${one}\r\n${ODD}\r\n${next.slice(0, 9)}`);
  await service.client.abort();
  talk.send(next.slice(9));
  for (const url of ['/one', '/two']) assert.equal(read((await talk.answer()).body).url, url);
  talk.close();
});
