/** `write` of a socket, as it is called: the second argument may be the callback. */
export type Write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => boolean;

/** An answer whose head is longer is none that is looked at. */
const HEAD_BYTES = 64 * 1024;

/** Puts together the head of an answer from what is written, however it is cut. */
export class AnswerHead {
  #bytes = Buffer.alloc(0);

  /** @returns the head, empty where it is too long, and what came behind it; null until it is complete */
  take(chunk: string | Uint8Array, encoding: unknown): { readonly head: string; readonly rest: Buffer } | null {
    const bytes = Buffer.concat([this.#bytes, toBytes(chunk, encoding)]);
    const end = bytes.indexOf('\r\n\r\n');
    this.#bytes = end < 0 && bytes.length < HEAD_BYTES ? bytes : Buffer.alloc(0);
    if (this.#bytes.length > 0 || bytes.length === 0) return null;
    return end < 0
      ? { head: '', rest: Buffer.alloc(0) }
      : { head: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + 4) };
  }
}

/** What is written, as it goes over the wire. */
export function toBytes(chunk: string | Uint8Array, encoding: unknown): Uint8Array {
  if (typeof chunk !== 'string') return chunk;
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}

/** Does as if something had been written. */
export function ignore(encoding: unknown, callback: unknown): true {
  const done = typeof encoding === 'function' ? encoding : callback;
  if (typeof done === 'function') process.nextTick(done as () => void);
  return true;
}
