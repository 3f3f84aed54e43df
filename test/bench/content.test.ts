import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BodyCheck,
  PatternCheck,
  ReceiptCheck,
  streamText,
  TextCheck,
  uploadOf
} from '../../bench/client/content.ts';
import { startApp } from './app.ts';

function faultOf(check: BodyCheck, body: Buffer, chunkBytes = body.length): string | null {
  for (let at = 0; at < body.length; at += chunkBytes) check.take(body.subarray(at, at + chunkBytes));
  return check.fault();
}

test('a download is verified to the byte', async (t) => {
  const app = await startApp();
  t.after(app.kill);
  const total = 300_001;
  const answer = await fetch(`http://127.0.0.1:${app.target.port}/download?bytes=${total}`);
  const body = Buffer.from(await answer.arrayBuffer());
  const fault = (changed: Buffer, chunkBytes?: number) => faultOf(new PatternCheck(total), changed, chunkBytes);

  assert.equal(fault(body), null);
  assert.equal(fault(body, 999), null);
  for (const at of [0, 65_535, 65_536, total - 1]) {
    const flipped = Buffer.from(body);
    flipped[at] = ~(flipped[at] ?? 0);
    assert.match(fault(flipped, 1000) ?? '', /^wrong bytes at or after/);
  }
  const swapped = Buffer.concat([body.subarray(65_536, 131_072), body.subarray(0, 65_536), body.subarray(131_072)]);
  assert.equal(fault(swapped), 'wrong bytes at or after 0');
  assert.equal(fault(body.subarray(0, -1)), '300000 bytes instead of 300001');
});

test('a receipt must name the bytes that were sent, and their checksum', () => {
  const upload = uploadOf(100_000, 1);
  const fault = (text: string) => faultOf(new ReceiptCheck(upload), Buffer.from(text), 5);

  assert.equal(fault(JSON.stringify({ bytes: 100_000, crc32: upload.checksum })), null);
  assert.match(fault(JSON.stringify({ bytes: 99_999, crc32: upload.checksum })) ?? '', /^receipt/);
  assert.match(fault(JSON.stringify({ bytes: 100_000, crc32: uploadOf(100_000, 2).checksum })) ?? '', /^receipt/);
  assert.match(fault('') ?? '', /^receipt ""/);
});

test('a text must be exactly the one expected', () => {
  const fault = (text: string) => faultOf(new TextCheck(streamText(2)), Buffer.from(text), 3);

  assert.equal(fault('chunk 1 of 2\nchunk 2 of 2\n'), null);
  assert.match(fault('chunk 2 of 2\nchunk 1 of 2\n') ?? '', /instead of/);
  assert.match(fault('chunk 1 of 2\n') ?? '', /instead of/);
  assert.match(fault('chunk 1 of 2\nchunk 2 of 2\nchunk') ?? '', /instead of/);
});
