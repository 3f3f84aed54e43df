import { crc32 } from 'node:zlib';

/**
 * The bytes every download consists of, and how answers are verified.
 *
 * Byte for byte the same rule is written in app.mjs, which stays a single file
 * that a test may copy anywhere; the healthy run in the tests compares the two.
 */
const BLOCK = 65_536;
const PATTERN = createPattern();

function createPattern(): Buffer {
  const pattern = Buffer.alloc(2 * BLOCK);
  let state = 1;
  for (let at = 0; at < pattern.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pattern[at] = state >>> 24;
  }
  return pattern;
}

/** Where in the pattern block `index` begins: no two neighbours are alike, so a block lost or doubled shows. */
const blockStart = (index: number) => (index * 4099) % BLOCK;

/** Looks at the body of one answer; chunks are only valid during the call. */
export interface BodyCheck {
  take(chunk: Buffer): void;
  /** What is wrong with the body, or null. */
  fault(): string | null;
}

/** Expects exactly this text. */
export class TextCheck implements BodyCheck {
  readonly #expected: string;
  #text = '';

  constructor(expected: string) {
    this.#expected = expected;
  }

  take(chunk: Buffer): void {
    if (this.#text.length <= this.#expected.length) this.#text += chunk.toString('latin1');
  }

  fault(): string | null {
    if (this.#text === this.#expected) return null;
    return `body ${quote(this.#text)} instead of ${quote(this.#expected)}`;
  }
}

/** Expects the server's receipt for an upload: how many bytes it read, and their CRC-32. */
export class ReceiptCheck implements BodyCheck {
  readonly #upload: Upload;
  #text = '';

  constructor(upload: Upload) {
    this.#upload = upload;
  }

  take(chunk: Buffer): void {
    if (this.#text.length < 1000) this.#text += chunk.toString('latin1');
  }

  fault(): string | null {
    const { body, checksum } = this.#upload;
    try {
      const receipt = JSON.parse(this.#text) as { bytes?: unknown; crc32?: unknown } | null;
      if (receipt?.bytes === body.length && receipt.crc32 === checksum) return null;
    } catch {
      // Not JSON: said below, with the text itself.
    }
    return `receipt ${quote(this.#text)} for ${body.length} bytes with crc32 ${checksum}`;
  }
}

/** Expects `total` bytes of the pattern, comparing each of them as they come. */
export class PatternCheck implements BodyCheck {
  readonly #total: number;
  #seen = 0;
  #wrongAt = -1;

  constructor(total: number) {
    this.#total = total;
  }

  take(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      const inBlock = this.#seen % BLOCK;
      const length = Math.min(chunk.length - from, BLOCK - inBlock);
      const start = blockStart(Math.floor(this.#seen / BLOCK)) + inBlock;
      const same = chunk.compare(PATTERN, start, start + length, from, from + length) === 0;
      if (!same && this.#wrongAt < 0) this.#wrongAt = this.#seen;
      this.#seen += length;
      from += length;
    }
  }

  fault(): string | null {
    if (this.#wrongAt >= 0) return `wrong bytes at or after ${this.#wrongAt}`;
    return this.#seen === this.#total ? null : `${this.#seen} bytes instead of ${this.#total}`;
  }
}

export type Upload = { readonly body: Buffer; readonly checksum: number };
const uploads = new Map<string, Upload>();

/** Gives one of a few different bodies; made once, so that uploading costs no computing. */
export function uploadOf(bytes: number, variant: number): Upload {
  const key = `${bytes}/${variant}`;
  const known = uploads.get(key);
  if (known) return known;
  const body = Buffer.alloc(bytes, PATTERN.subarray(variant, variant + BLOCK + 1));
  const made = { body, checksum: crc32(body) };
  uploads.set(key, made);
  return made;
}

/** What GET /stream answers. */
export function streamText(chunks: number): string {
  return Array.from({ length: chunks }, (_, index) => `chunk ${index + 1} of ${chunks}\n`).join('');
}

const quote = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
