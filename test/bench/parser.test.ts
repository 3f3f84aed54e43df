import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParseError, type ResponseHead } from '../../bench/client/head.ts';
import { ResponseParser } from '../../bench/client/parser.ts';

type Read = { status: number; id: string | null; close: boolean; body: string };

/** Parses `text` in pieces cut at these places. */
function parse(text: string, cuts: readonly number[] = []) {
  const read: Read[] = [];
  let head: ResponseHead | null = null;
  let body = '';
  let ended = 0;
  const parser = new ResponseParser({
    onHead: (next) => {
      head = next;
      body = '';
    },
    onBody: (bytes) => {
      body += bytes.toString('latin1');
    },
    onEnd: () => {
      ended++;
      if (head) read.push({ status: head.status, id: head.id, close: head.close, body });
    }
  });
  const bytes = Buffer.from(text, 'latin1');
  [...cuts, bytes.length].reduce((from, to) => {
    if (to > from) parser.feed(Buffer.from(bytes.subarray(from, to)));
    return to;
  }, 0);
  return { parser, read, ended };
}

const everywhere = (text: string) => Array.from({ length: text.length - 1 }, (_, index) => index + 1);

const withLength = 'HTTP/1.1 200 OK\r\nX-Id: a-1\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 200 OK\r\nx-id: a-2\r\ntransfer-encoding: chunked\r\n\r\n' +
  '4\r\nWiki\r\n00A;note=1\r\n-pedia\r\n\r\n\r\n0\r\nx-sum: 1\r\n\r\n'; // the second chunk ends with two line ends
const empty = 'HTTP/1.1 204 No Content\r\nx-id: a-3\r\n\r\n';
const unchanged = 'HTTP/1.1 304 Not Modified\r\nx-id: a-4\r\ncontent-length: 99\r\n\r\n';
const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
const last = 'HTTP/1.1 200\r\nx-id: a-5\r\nconnection: foo, Close\r\ncontent-length: 0\r\n\r\n';
const all = withLength + chunked + empty + unchanged + interim + last;
const expected = [
  { status: 200, id: 'a-1', close: false, body: 'hello' },
  { status: 200, id: 'a-2', close: false, body: 'Wiki-pedia\r\n\r\n' },
  { status: 204, id: 'a-3', close: false, body: '' },
  { status: 304, id: 'a-4', close: false, body: '' },
  { status: 200, id: 'a-5', close: true, body: '' }
];

test('pipelined answers of every framing are told apart', () => {
  const { read, parser } = parse(all);

  assert.deepEqual(read, expected);
  assert.equal(parser.midway, false);
});

test('fed byte by byte, the same answers come out', () => {
  assert.deepEqual(parse(all, everywhere(all)).read, expected);
});

test('cut in two anywhere, the same answers come out', () => {
  for (const cut of everywhere(all)) assert.deepEqual(parse(all, [cut]).read, expected, `cut at ${cut}`);
});

test('a response is midway from its first byte to its last', () => {
  for (const text of [withLength, chunked, empty]) {
    for (const cut of everywhere(text)) assert.equal(parse(text.slice(0, cut)).parser.midway, true, `cut at ${cut}`);
    assert.equal(parse(text).parser.midway, false);
  }
});

test('a body without a length ends with the connection, and says so', () => {
  const { parser, read } = parse('HTTP/1.1 200 OK\r\n\r\nuntil the end');
  assert.deepEqual(read, []);

  assert.equal(parser.finish(), true);
  assert.deepEqual(read, [{ status: 200, id: null, close: true, body: 'until the end' }]);
});

test('a connection that ends anywhere else does not complete a response', () => {
  for (const text of [withLength, chunked]) {
    assert.equal(parse(text.slice(0, -1)).parser.finish(), false);
  }
});

test('a refusal without a length is complete with its head', () => {
  const { read } = parse('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');

  assert.deepEqual(read, [{ status: 408, id: null, close: true, body: '' }]);
});

const nonsense = {
  'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
  'the wrong first byte': 'X',
  'HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n',
  'a header without a colon': 'HTTP/1.1 200 OK\r\ncontent-length 0\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n',
  'a folded header': 'HTTP/1.1 200 OK\r\nx-a: 1\r\n 2\r\ncontent-length: 0\r\n\r\n',
  'a bare line feed': 'HTTP/1.1 200 OK\r\nx-a: 1\nx-b: 2\r\ncontent-length: 0\r\n\r\n',
  'a length that is no number': 'HTTP/1.1 200 OK\r\ncontent-length: 0x5\r\n\r\nhello',
  'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello',
  'a length and chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'another encoding': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'a chunk size that is no number': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfive\r\nhello\r\n',
  'a chunk longer than its size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n',
  'protocols switched unasked': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'
};
for (const [name, text] of Object.entries(nonsense)) {
  test(`${name} is an error, whole or byte by byte`, () => {
    assert.throws(() => parse(text), ParseError);
    assert.throws(() => parse(text, everywhere(text)), ParseError);
  });
}
