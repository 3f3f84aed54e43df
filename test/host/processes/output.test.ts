import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LineRelay } from '../../../src/host/processes/output.ts';
import { until } from '../../support/wait.ts';

/** Collects what is written to it, chunk by chunk. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  /** Finishes the write that is held. */
  proceed: (() => void) | null = null;
  held = false;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    if (this.held) this.proceed = done;
    else done();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

function relayTo(sink: Sink, lead = ''): { from: PassThrough; relay: LineRelay } {
  const from = new PassThrough();
  return { from, relay: new LineRelay(from, sink, lead) };
}

async function pass(chunks: readonly Buffer[], lead = ''): Promise<{ sink: Sink; relay: LineRelay }> {
  const sink = new Sink();
  const from = Readable.from(chunks, { objectMode: false });
  const relay = new LineRelay(from, sink, lead);
  await new Promise((resolve) => from.once('close', resolve));
  await turn();
  return { sink, relay };
}

/** Cuts bytes at arbitrary places, the same for the same seed. */
function cut(bytes: Buffer, seed: number): Buffer[] {
  const pieces: Buffer[] = [];
  let state = seed;
  for (let at = 0; at < bytes.length; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const size = 1 + ((state >>> 16) % 9);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const text = 'first line\n\nsnow ☃ and a tab\t\r\n{"json":true}\n  last line\n';

test('the bytes are not changed, however they are cut', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const { sink } = await pass(cut(Buffer.from(text), seed));
    assert.equal(sink.text, text, `seed ${seed}`);
  }
});

test('bytes that are no text pass unchanged', async () => {
  const bytes = Buffer.from([0xff, 0x00, 0xfe, 10, 0xc3, 10]);

  assert.deepEqual(Buffer.concat((await pass(cut(bytes, 3))).sink.chunks), bytes);
});

test('only whole lines are written', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const { sink } = await pass(cut(Buffer.from(text), seed));
    for (const chunk of sink.chunks) assert.equal(chunk.at(-1), 10, `seed ${seed}`);
  }
});

test('the lines of two workers are never mixed', async () => {
  const sink = new Sink();
  const [one, two] = [relayTo(sink), relayTo(sink)];
  for (let seed = 1; seed <= 20; seed += 1) {
    const first = cut(Buffer.from('one one one one\n'), seed);
    const second = cut(Buffer.from('two two two two two two\n'), seed + 1);
    while (first.length + second.length > 0) {
      const [piece, other] = [first.shift(), second.shift()];
      if (piece) one.from.write(piece);
      if (other) two.from.write(other);
      await turn();
    }
  }

  assert.deepEqual([...new Set(sink.text.trimEnd().split('\n'))].sort(), [
    'one one one one',
    'two two two two two two'
  ]);
  assert.equal(sink.text.split('\n').length, 41);
});

test('each line is led by its worker', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { sink } = await pass(cut(Buffer.from(text), seed), '7.1 | ');
    const led = text.split(/(?<=\n)/).map((line) => `7.1 | ${line}`);
    assert.equal(sink.text, led.join(''), `seed ${seed}`);
  }
});

test('a last line without its end gets one', async () => {
  assert.equal((await pass([Buffer.from('a\nb')])).sink.text, 'a\nb\n');
  assert.equal((await pass([Buffer.from('a\nb')], '> ')).sink.text, '> a\n> b\n');
  assert.equal((await pass([])).sink.text, '');
});

test('an unfinished line can be asked for, once', async () => {
  const sink = new Sink();
  const { from, relay } = relayTo(sink);
  from.write('half');
  await turn();
  assert.equal(sink.text, '');
  relay.flush();
  relay.flush();

  assert.equal(sink.text, 'half\n');
});

test('a target that wants a break gets one, and loses nothing', async () => {
  const sink = new Sink({ highWaterMark: 8 });
  sink.held = true;
  const { from } = relayTo(sink);
  from.write('longer than eight bytes\n');
  await turn();
  assert.ok(from.isPaused());
  from.write('second\n');
  await turn();
  assert.equal(sink.text, 'longer than eight bytes\n');

  sink.held = false;
  sink.proceed?.();
  await turn();
  await turn();
  assert.ok(!from.isPaused());
  assert.equal(sink.text, 'longer than eight bytes\nsecond\n');
});

test('a line without an end does not fill the memory', async () => {
  const sink = new Sink();
  const { from } = relayTo(sink);
  const piece = Buffer.alloc(64 * 1024, 'x');
  for (let count = 0; count < 20; count += 1) {
    from.write(piece);
    await turn();
  }
  const written = sink.text.length;

  assert.ok(written >= 1024 * 1024);
  assert.ok(20 * piece.length - written < 1024 * 1024);
});

test('the last lines are kept for error messages: none empty, and no more than memory is worth', async () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const { relay } = await pass(cut(Buffer.from(`${lines.join('\n\n')}\n`), 5));
  assert.deepEqual(relay.tail, lines);

  const many = Array.from({ length: 2_000 }, (_, index) => `${index} ${'y'.repeat(100)}`);
  const { relay: long } = await pass(cut(Buffer.from(`${many.join('\n')}\n`), 5));
  assert.equal(long.tail.at(-1), many.at(-1));
  assert.ok(long.tail.length >= 400 && long.tail.length < 600, `${long.tail.length} lines are kept`);
});

test('an output of which nothing is read holds nobody for long, and says what is missing when it is read again', async () => {
  const sink = new Sink({ highWaterMark: 8 });
  sink.held = true;
  const { from } = relayTo(sink);
  const line = `${'x'.repeat(64 * 1024 - 1)}\n`;
  let written = 0;
  const write = () => {
    from.write(line);
    written += 1;
  };
  write();
  await until(() => {
    if (from.readableLength === 0) write();
    return written > 100;
  }, 'the end of the waiting');

  sink.held = false;
  sink.proceed?.();
  await until(() => sink.writableLength === 0, 'that all of it is read');
  await until(() => {
    from.write('last\n');
    return sink.text.includes('last\n');
  }, 'what comes after it');
  const [, lost] = /^handover: (\d+) lines are missing here, for nobody read this output$/m.exec(sink.text) ?? [];
  const whole = sink.text.split('\n').filter((one) => one.length === line.length - 1).length;
  assert.ok(Number(lost) > 0);
  assert.equal(whole + Number(lost), written);
});

test('an output that is read, however slowly, loses nothing', async () => {
  const sink = new Sink({ highWaterMark: 8 });
  sink.held = true;
  const { from } = relayTo(sink);
  for (let n = 0; n < 20; n += 1) from.write(`line ${n} ${'x'.repeat(100)}\n`);
  await until(() => {
    const { proceed } = sink;
    sink.proceed = null;
    proceed?.();
    return sink.text.includes('line 19 ');
  }, 'the last line');
  assert.equal(sink.text.split('\n').length, 21);
});
