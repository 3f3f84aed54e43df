/** Bits of the two bytes that each frame begins with. @source RFC 6455, section 5.2 */
const FIN = 0x80;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
const CONTROL = 0x08;
const CLOSE = 0x08;
const CONTINUATION = 0x00;
const LAST_DATA = 2;
const LAST_CONTROL = 10;

/** Follows the frames of one direction of a WebSocket: only their heads are looked at, and no byte is kept. */
export class Frames {
  /** Whether the closing handshake has begun in this direction. */
  closed = false;
  /** How many messages are complete; pings and the like are none. */
  messages = 0;
  /** Whether what was seen cannot be frames. */
  isNonsense = false;
  #first = 0;
  #second = 0;
  /** How much of a frame's head has come. */
  #headBytes = 0;
  /** How long the payload is. */
  #length = 0;
  /** Bytes of the payload that have not come yet. */
  #left = 0;
  #isInMessage = false;
  #isLastFrame = false;

  /** Whether everything so far was whole messages. */
  get isBoundary(): boolean {
    return this.#left === 0 && this.#headBytes === 0 && !this.#isInMessage;
  }

  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.isNonsense) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - at);
        this.#left -= part;
        at += part;
        this.#count();
      } else {
        this.#takeHead(chunk[at] ?? 0);
        at += 1;
      }
    }
  }

  #takeHead(byte: number): void {
    const at = this.#headBytes;
    this.#headBytes += 1;
    if (at === 0) {
      this.#first = byte;
      return;
    }
    if (at === 1) {
      this.#second = byte;
      this.#length = 0;
    } else if (at < 2 + this.#lengthBytes) this.#length = this.#length * 256 + byte;
    if (this.#headBytes === 2 + this.#lengthBytes + ((this.#second & MASKED) === 0 ? 0 : 4)) this.#begin();
  }

  /** How many bytes say how long the payload is, where the second one cannot. */
  get #lengthBytes(): number {
    const short = this.#second & LENGTH;
    return short === 126 ? 2 : short === 127 ? 8 : 0;
  }

  #count(): void {
    if (this.#left > 0 || !this.#isLastFrame) return;
    this.#isLastFrame = false;
    this.messages += 1;
  }

  #begin(): void {
    this.#headBytes = 0;
    this.#left = this.#lengthBytes === 0 ? this.#second & LENGTH : this.#length;
    const opcode = this.#first & OPCODE;
    if (opcode === CLOSE) this.closed = true;
    if ((opcode & CONTROL) !== 0) {
      // Such frames may come between the parts of a message.
      if (opcode > LAST_CONTROL || this.#lengthBytes > 0) this.isNonsense = true;
      return;
    }
    if ((opcode === CONTINUATION) !== this.#isInMessage || opcode > LAST_DATA) this.isNonsense = true;
    this.#isInMessage = (this.#first & FIN) === 0;
    this.#isLastFrame = !this.#isInMessage;
    this.#count();
  }
}

/** "Service restart": the client is to come back. @source the IANA registry of WebSocket close codes */
export const SERVICE_RESTART = 1012;

/** The frame by which a server closes, without a mask. */
export function closeFrame(code: number): Buffer {
  return Buffer.from([FIN | CLOSE, 2, code >> 8, code & 0xff]);
}
