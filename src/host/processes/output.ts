import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { blockReading } from '../../internals/net.ts';
import { onRoom, put } from './unread.ts';

/** A line longer than this is passed on in parts: memory is not unlimited. */
const LINE_LIMIT_BYTES = 1024 * 1024;

/** How much of what a worker wrote last is kept for error messages: more than they quote, for a stack may be long. */
const KEPT_BYTES = 48 * 1024;

const NEWLINE = 10;

/**
 * Passes a worker's output on in whole lines, so that two workers never share one.
 *
 * The bytes are not changed. A last line without its newline gets one, or the next worker would go on in it.
 */
export class LineRelay {
  #rest: Buffer[] = [];
  #restBytes = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  readonly #from: Readable;
  readonly #to: Writable;
  #isPaused = false;
  #unblock = () => {};
  readonly #lead: string;
  readonly #hear: (lines: Buffer) => void;

  /**
   * @param lead what each line begins with; empty leaves lines as they are
   * @param hear gets the lines too, without the lead
   */
  constructor(from: Readable, to: Writable, lead: string, hear: (lines: Buffer) => void = () => {}) {
    this.#to = to;
    this.#lead = lead;
    this.#hear = hear;
    this.#from = from;
    from.on('data', (chunk: Buffer) => {
      if (this.#take(chunk)) return;
      from.pause();
      onRoom(to, () => this.#isPaused || from.resume());
    });
    from.once('close', () => this.flush());
    from.on('error', () => this.flush()); // a broken pipe is the end of the output, nothing else
  }

  /** Reads no more, and passes on what it has: what is written from now on waits in the kernel for somebody else. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    // A socket that is only paused reads on until it has some in store.
    if (this.#from instanceof Socket) this.#unblock = blockReading(this.#from);
    this.#from.pause();
    while (this.#from.read() !== null); // given to the listener
    this.flush();
  }

  resume(): void {
    this.#isPaused = false;
    this.#unblock();
    this.#from.resume();
  }

  /** The last lines that are not empty, oldest first. */
  get tail(): readonly string[] {
    const lines = Buffer.concat(this.#kept).toString().split('\n');
    return lines.filter((line) => line.trim() !== '');
  }

  flush(): void {
    if (this.#restBytes === 0) return;
    this.#take(Buffer.from('\n'));
  }

  /** @returns false when the target wants a break */
  #take(chunk: Buffer): boolean {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.#rest.push(chunk);
      this.#restBytes += chunk.length;
      if (this.#restBytes < LINE_LIMIT_BYTES) return true;
      return this.#write(this.#drain(Buffer.alloc(0)));
    }
    const whole = this.#drain(chunk.subarray(0, end + 1));
    const rest = chunk.subarray(end + 1);
    if (rest.length > 0) {
      this.#rest.push(rest);
      this.#restBytes = rest.length;
    }
    return this.#write(whole);
  }

  #drain(last: Buffer): Buffer {
    const whole = this.#rest.length === 0 ? last : Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restBytes = 0;
    return whole;
  }

  #write(whole: Buffer): boolean {
    this.#remember(whole);
    this.#hear(whole);
    if (this.#lead === '') return put(this.#to, whole);
    const lines = whole.toString().replace(/\n$/, '').split('\n');
    return put(this.#to, Buffer.from(`${lines.map((line) => `${this.#lead}${line}`).join('\n')}\n`));
  }

  #remember(whole: Buffer): void {
    // A copy: a part of a larger buffer would keep all of it.
    const part = Buffer.from(whole.subarray(-KEPT_BYTES));
    this.#kept.push(part);
    this.#keptBytes += part.length;
    while (this.#keptBytes - (this.#kept[0]?.length ?? 0) >= KEPT_BYTES) {
      this.#keptBytes -= this.#kept.shift()?.length ?? 0;
    }
  }
}

/**
 * Lets this process outlive its stdout and stderr: a closed pipe or a terminal that is gone is no reason to end a service.
 *
 * @returns a function that takes it back
 */
export function outliveOutput(): () => void {
  const ignore = () => {};
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on('error', ignore);
  return () => {
    for (const stream of streams) stream.off('error', ignore);
  };
}

/** Whether whoever reads stdout and stderr has taken all that was written: what this process still has ends with it. */
export function isOutputTaken(): boolean {
  return process.stdout.writableLength === 0 && process.stderr.writableLength === 0;
}
