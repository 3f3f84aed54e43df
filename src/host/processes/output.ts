import type { Readable, Writable } from 'node:stream';

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
  readonly #to: Writable;
  readonly #lead: string;

  /** @param lead what each line begins with; empty leaves lines as they are */
  constructor(from: Readable, to: Writable, lead: string) {
    this.#to = to;
    this.#lead = lead;
    from.on('data', (chunk: Buffer) => {
      if (this.#take(chunk)) return;
      from.pause();
      onDrain(to, () => from.resume());
    });
    from.once('close', () => this.flush());
    from.on('error', () => this.flush()); // a broken pipe is the end of the output, nothing else
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
    if (this.#lead === '') return this.#to.write(whole);
    const lines = whole.toString().replace(/\n$/, '').split('\n');
    return this.#to.write(`${lines.map((line) => `${this.#lead}${line}`).join('\n')}\n`);
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

/** Those who wait for an output to take more: one listener for all, however many workers are blocked. */
const waiting = new WeakMap<Writable, Set<() => void>>();

function onDrain(to: Writable, go: () => void): void {
  const known = waiting.get(to);
  const all = known ?? new Set();
  all.add(go);
  if (known) return;
  waiting.set(to, all);
  const goOn = () => {
    to.off('drain', goOn).off('error', goOn);
    waiting.delete(to);
    for (const one of all) one();
  };
  // A broken pipe never drains: its output is lost then, and a worker that had to wait would fill its own memory.
  to.once('drain', goOn).once('error', goOn);
}
