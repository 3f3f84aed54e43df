import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Events } from '../../../src/worker/connections/event-fields.ts';

function events(...chunks: (string | Buffer)[]): Events {
  const found = new Events();
  for (const chunk of chunks) found.take(chunk);
  return found;
}

const CASES: readonly (readonly [
  what: string,
  chunks: readonly (string | Buffer)[],
  isBoundary: boolean,
  lastId: string | null,
  isUnnumbered: boolean
])[] = [
  ['nothing', [], true, null, false],
  ['a comment', [': hello\n\n'], true, null, false],
  ['half a comment', [': hel'], false, null, false],
  ['an event with an id', ['id: 7\ndata: a\n\n'], true, '7', false],
  ['the id after the data', ['data: a\nid:7\n\n'], true, '7', false],
  ['an event in pieces', ['i', 'd: ', '7\nda', 'ta: a\n', '\n'], true, '7', false],
  ['an event that is not over', ['id: 7\ndata: a\n\n', 'id: 8\ndata: b\n'], false, '7', false],
  ['CRLF', ['id: 7\r\ndata: a\r\n\r\n'], true, '7', false],
  ['CRLF cut in the middle', ['id: 7\r', '\ndata: a\r\n', '\r', '\n'], true, '7', false],
  ['CR', ['id: 7\rdata: a\r\r'], true, '7', false],
  ['a field without a colon', ['id: 7\ndata\n\n'], true, '7', false],
  ['an event without an id', ['data: a\n\n'], true, null, true],
  ['one without among others', ['id: 7\ndata: a\n\ndata: b\n\nid: 9\ndata: c\n\n'], true, '9', true],
  ['an id that the stream sets first', ['id: 7\n\ndata: a\n\n'], true, '7', false],
  ['such an id for one event only', ['id: 7\n\ndata: a\n\ndata: b\n\n'], true, '7', true],
  ['an empty id', ['id: 7\ndata: a\n\nid\ndata: b\n\n'], true, null, true],
  ['an event without data', ['event: ping\n\n'], true, null, false],
  ['another field that begins so', ['identity: 7\ndatabase: 8\n\n'], true, null, false],
  [
    'letters of several bytes',
    [Buffer.from('id: é7\ndata: a\n\n').subarray(0, 5), Buffer.from('id: é7\ndata: a\n\n').subarray(5)],
    true,
    'é7',
    false
  ]
];

for (const [what, chunks, isBoundary, lastId, isUnnumbered] of CASES) {
  test(`an event stream is followed: ${what}`, () => {
    const found = events(...chunks);
    assert.deepEqual([found.isBoundary, found.lastId, found.isUnnumbered], [isBoundary, lastId, isUnnumbered]);
  });
}
