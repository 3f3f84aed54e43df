import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFrame, Frames } from '../../../src/worker/connections/frames.ts';

/** A frame; `masked` as a client writes it. */
function frame(payload: number, { fin = true, opcode = 1, masked = false } = {}): Buffer {
  const mask = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | opcode;
  const head =
    payload < 126
      ? Buffer.from([first, mask | payload])
      : payload < 65_536
        ? Buffer.from([first, mask | 126, payload >> 8, payload & 0xff])
        : Buffer.concat([Buffer.from([first, mask | 127, 0, 0, 0, 0]), uint32(payload)]);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0xff), Buffer.alloc(payload, 0x7e)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

for (const masked of [false, true]) {
  for (const payload of [0, 1, 125, 126, 65_535, 65_536, 70_000]) {
    test(`a ${masked ? 'masked ' : ''}message of ${payload} bytes has one boundary, however it is cut`, () => {
      const bytes = frame(payload, { masked });
      for (const size of [1, 2, 3, 7, 1_000, bytes.length]) {
        const frames = new Frames();
        for (let at = 0; at < bytes.length; at += size) {
          assert.equal(frames.isBoundary, at === 0);
          assert.equal(frames.messages, 0);
          frames.take(bytes.subarray(at, at + size));
        }
        assert.ok(frames.isBoundary && !frames.isNonsense && !frames.closed);
        assert.equal(frames.messages, 1);
      }
    });
  }
}

test('a message in several frames is one, with pings between them; several in one chunk are several', () => {
  const frames = new Frames();
  frames.take(frame(5, { fin: false }));
  assert.equal(frames.isBoundary, false);
  frames.take(frame(3, { opcode: 9 }));
  frames.take(frame(5, { fin: false, opcode: 0 }));
  assert.deepEqual([frames.isBoundary, frames.messages], [false, 0]);
  frames.take(frame(0, { opcode: 0 }));
  assert.deepEqual([frames.isBoundary, frames.messages], [true, 1]);
  frames.take(Buffer.concat([frame(1), frame(200), frame(0, { opcode: 2 })]));
  assert.deepEqual([frames.isBoundary, frames.messages, frames.isNonsense], [true, 4, false]);
});

test('a close is seen; what cannot be frames is called so', () => {
  const closing = new Frames();
  closing.take(closeFrame(1012));
  assert.deepEqual([closing.closed, closing.isBoundary], [true, true]);
  for (const bytes of [frame(1, { opcode: 3 }), frame(1, { opcode: 0 }), frame(126, { opcode: 8 })]) {
    const frames = new Frames();
    frames.take(bytes);
    assert.ok(frames.isNonsense);
  }
});
