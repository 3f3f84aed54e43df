import { BytePipe } from '../../internals/byte-pipe.ts';
import type { Ends } from '../../internals/ends.ts';
import type { Handle } from '../../internals/net.ts';

/** What is said over a link; each but the first is about one connection, which has a number there. */
export const FRAMES = {
  /** The first one: the secret that whoever took the link was told by other means. */
  hello: 1,
  /** A connection whose requests may follow: {@link Client} as JSON. */
  open: 2,
  /** A whole request. */
  request: 3,
  /** A part of the answer. */
  answer: 4,
  /** So many bytes of the answer have been taken by the client: 4 bytes. */
  taken: 5,
  /** That was the answer; with a byte behind it, the connection ends. */
  answered: 6,
  /** The request was not seen by the app. */
  refused: 7,
  /** The connection is gone. */
  gone: 8,
  /** Whoever says it is to end: no more requests; the link is closed as soon as the last is answered. */
  leaving: 9,
  /** Whether requests can be forwarded that came by a listener: its key. */
  asks: 10,
  /** They can: its key. */
  serves: 11
} as const;

export type Frame = keyof typeof FRAMES;

/** Whose requests are forwarded. */
export interface Client extends Ends {
  /** The listener that its connection came by. */
  readonly key: string;
}

interface Events {
  onFrame(frame: Frame, stream: number, payload: Buffer): void;
  /** Called once: the other process is gone, or has closed it. Not after `close()`. */
  onEnd(): void;
}

const NAMES = new Map(Object.entries(FRAMES).map(([name, kind]) => [kind, name as Frame]));
/** Kind, length of the payload, number of the connection: 1, 3 and 4 bytes. */
const HEAD_BYTES = 8;
const LONGEST_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** A connection between two workers that carries requests one way and answers the other. It keeps no process alive by itself. */
export class ForwardLink {
  readonly #pipe: BytePipe;
  readonly #events: Events;
  #parts: Buffer[] = [];
  #rest: Buffer = NOTHING;

  constructor(handle: Handle, events: Events) {
    this.#events = events;
    this.#pipe = new BytePipe(handle, { onBytes: (bytes) => this.#read(bytes), onEnd: () => events.onEnd() });
  }

  /** How many bytes the other process has not taken yet. */
  get waiting(): number {
    return this.#pipe.waiting;
  }

  /** All that is sent in one turn of the event loop goes together. Only an answer may come in parts. */
  send(frame: Frame, stream: number, payload: Buffer = NOTHING): void {
    const longest = frame === 'answer' ? LONGEST_BYTES : Math.max(payload.length, 1);
    for (let from = 0; from === 0 || from < payload.length; from += longest) {
      const part = payload.subarray(from, from + longest);
      const head = Buffer.allocUnsafe(HEAD_BYTES);
      head.writeUInt32BE(FRAMES[frame] * 2 ** 24 + part.length, 0);
      head.writeUInt32BE(stream, 4);
      if (this.#parts.length === 0) setImmediate(() => this.#flush());
      this.#parts.push(head, part);
    }
  }

  /** Whether the process is to stay for what is on its way. */
  keepAlive(on: boolean): void {
    this.#pipe.keepAlive(on);
  }

  close(): void {
    this.#flush();
    this.#pipe.close();
  }

  #flush(): void {
    if (this.#parts.length === 0) return;
    this.#pipe.write(Buffer.concat(this.#parts));
    this.#parts = [];
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + bytes.readUIntBE(at + 1, 3);
      if (bytes.length < end) break;
      const frame = NAMES.get((bytes[at] ?? 0) as (typeof FRAMES)[Frame]);
      if (frame) this.#events.onFrame(frame, bytes.readUInt32BE(at + 4), bytes.subarray(at + HEAD_BYTES, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
