import { StringDecoder } from 'node:string_decoder';

const [I, D, COLON] = [0x69, 0x64, 0x3a];

/**
 * Follows the events of a stream of server-sent events, as far as it has to be known where one ends and which id came last.
 *
 * @source WHATWG HTML, section 9.2.6
 */
export class Events {
  #lastId: string | null = null;
  /** An event with an id that has not been looked at: in most streams all are such, and only the last one is ever needed. */
  #unread: string | null = null;
  /** Whether an event with data had no id of its own: where the client is in the stream, only this process knows. */
  isUnnumbered = false;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #hasData = false;
  #hasId = false;
  #id = '';
  #afterCr = false;
  /** Whether the stream has set an id without an event. */
  #wasGiven = false;

  /** Whether everything so far was whole events. */
  get isBoundary(): boolean {
    return this.#line === '' && !this.#hasData && !this.#hasId;
  }

  /** The id that the client has got last; null where it has none. */
  get lastId(): string | null {
    this.#read();
    return this.#lastId;
  }

  /** The client has an id from before. */
  begin(lastId: string): void {
    this.#lastId = lastId;
  }

  take(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string' && this.isBoundary && !this.#afterCr && isOneWithId(chunk)) {
      this.#unread = chunk;
      return;
    }
    this.#read();
    this.#parse(chunk);
  }

  #read(): void {
    if (this.#unread === null) return;
    const unread = this.#unread;
    this.#unread = null;
    this.#parse(unread);
  }

  #parse(chunk: string | Uint8Array): void {
    let text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk as Buffer);
    if (this.#afterCr && text.startsWith('\n')) text = text.slice(1);
    this.#afterCr = text.endsWith('\r');
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = text.slice(from, end);
      this.#takeLine(this.#line === '' ? line : this.#line + line);
      this.#line = '';
      from = end + 1;
    }
    if (from < text.length) this.#line += text.slice(from);
  }

  #takeLine(line: string): void {
    if (line === '') return this.#endEvent();
    if (line.startsWith('data') && (line.length === 4 || line[4] === ':')) this.#hasData = true;
    else if (line.startsWith('id') && (line.length === 2 || line[2] === ':')) {
      const id = line.slice(3).replace(/^ /, '');
      if (id.includes('\0')) return;
      this.#hasId = true;
      this.#id = id;
    }
  }

  #endEvent(): void {
    if (this.#hasId) this.#lastId = this.#id === '' ? null : this.#id;
    if (this.#hasData && !this.#isNumbered()) this.isUnnumbered = true;
    if (this.#hasData) this.#wasGiven = false;
    else if (this.#hasId) this.#wasGiven = this.#id !== '';
    this.#hasData = false;
    this.#hasId = false;
  }

  /** Whether an event with data has an id: its own, or one that the stream has just set for it. */
  #isNumbered(): boolean {
    return this.#hasId ? this.#id !== '' : this.#wasGiven;
  }
}

/** Whether a text is one whole event with an id. By letters, since it is asked for each event there is. */
function isOneWithId(text: string): boolean {
  if (text.charCodeAt(0) !== I || text.charCodeAt(1) !== D || text.charCodeAt(2) !== COLON) return false;
  return text.indexOf('\n\n', 3) === text.length - 2;
}
