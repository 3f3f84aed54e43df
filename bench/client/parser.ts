import { ParseError, parseField, parseHead, type ResponseHead } from './head.ts';

/** Is told what arrives, in order. Body bytes are only valid during the call. */
export interface ResponseHandler {
  onHead(head: ResponseHead): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

type State = 'head' | 'length' | 'untilClose' | 'chunkSize' | 'chunkData' | 'chunkEnd' | 'trailer' | 'over';

const START = 'HTTP/1.1 ';
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;[^\0\r\n]*)?$/;
const LINE_MAX = 65_536;

/**
 * Cuts a byte stream into HTTP/1.1 responses, exactly: what it does not
 * understand is an error, never a guess.
 *
 * Knows Content-Length, chunked (with extensions and trailers), the header-only
 * 204 and 304, interim 1xx, and bodies that last until the connection closes.
 * A refusal without a length (what Node writes for 400, 408 and 431) is complete
 * with its head: whatever follows it is not an answer to anything.
 */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  #state: State = 'head';
  #held = '';
  #left = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** True after the first byte of a response, until its last. */
  get midway(): boolean {
    return this.#state !== 'over' && (this.#state !== 'head' || this.#held !== '');
  }

  /** @throws ParseError, after which the parser must not be used again */
  feed(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#at = 0;
    while (this.#at < bytes.length && this.#state !== 'over') this.#advance();
  }

  /** Takes the FIN: true when it was the proper end of a response without a length. */
  finish(): boolean {
    if (this.#state !== 'untilClose') return false;
    this.#end('over');
    return true;
  }

  #advance(): void {
    switch (this.#state) {
      case 'head':
        this.#readHead();
        break;
      case 'length':
        if (this.#pass()) this.#end('head');
        break;
      case 'untilClose':
        this.#left = Number.MAX_SAFE_INTEGER;
        this.#pass();
        break;
      case 'chunkSize':
        this.#readChunkSize();
        break;
      case 'chunkData':
        if (this.#pass()) this.#state = 'chunkEnd';
        break;
      case 'chunkEnd': {
        const line = this.#until('\r\n');
        if (line) throw new ParseError('a chunk is longer than its size says');
        if (line === '') this.#state = 'chunkSize';
        break;
      }
      case 'trailer': {
        const line = this.#until('\r\n');
        if (line === '') this.#end('head');
        else if (line !== null) parseField(line);
      }
    }
  }

  #readHead(): void {
    const text = this.#until('\r\n\r\n');
    if (text === null) {
      checkStart(this.#held);
      return;
    }
    const { head, framing } = parseHead(text);
    if (head.status === 101) throw new ParseError('101 without having asked for it');
    if (head.status < 200) return;
    this.#handler.onHead(head);
    if (head.status === 204 || head.status === 304 || framing.length === 0) this.#end('head');
    else if (framing.chunked) this.#state = 'chunkSize';
    else if (framing.length !== null) {
      this.#left = framing.length;
      this.#state = 'length';
    } else if (head.status >= 400) this.#end('over');
    else this.#state = 'untilClose';
  }

  #readChunkSize(): void {
    const line = this.#until('\r\n');
    if (line === null) return;
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw new ParseError(`chunk size ${JSON.stringify(line.slice(0, 40))}`);
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left > 0 ? 'chunkData' : 'trailer';
  }

  /** Passes on what belongs to the body; true when that was the last of it. */
  #pass(): boolean {
    const length = Math.min(this.#left, this.#bytes.length - this.#at);
    this.#handler.onBody(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    this.#left -= length;
    return this.#left === 0;
  }

  #end(next: State): void {
    this.#state = next;
    this.#handler.onEnd();
  }

  /** The text before the next `mark`, or null with everything so far held back. */
  #until(mark: string): string | null {
    if (this.#held === '') {
      const found = this.#bytes.indexOf(mark, this.#at, 'latin1');
      if (found !== -1) {
        const text = this.#bytes.toString('latin1', this.#at, found);
        this.#at = found + mark.length;
        return text;
      }
    }
    while (this.#at < this.#bytes.length) {
      this.#held += String.fromCharCode(this.#bytes[this.#at++] ?? 0);
      if (this.#held.endsWith(mark)) {
        const text = this.#held.slice(0, -mark.length);
        this.#held = '';
        return text;
      }
    }
    if (this.#held.length > LINE_MAX) throw new ParseError(`no end of line or head within ${LINE_MAX} bytes`);
    return null;
  }
}

function checkStart(held: string): void {
  const start = held.slice(0, START.length);
  if (!START.startsWith(start)) throw new ParseError(`a response that begins ${JSON.stringify(start)}`);
}
