import type { Handle } from './net.ts';
import { bindings, type RawPipe } from './pipes.ts';

interface Events {
  onBytes(bytes: Buffer): void;
  /** Called once: the other side is gone. Not after `close()`. */
  onEnd(): void;
}

/**
 * Bytes over a raw pipe, without a stream around it: one more kind of socket that goes through Node's streams, and V8 takes every
 * socket of the process for an unknown one, which makes each request of its clients a third slower. Tried on Node 20.20, 22.23,
 * 24.21 and 26.10. It never keeps its process alive unless told to.
 */
export class BytePipe {
  readonly #pipe: RawPipe;
  readonly #events: Events;
  #open = true;

  constructor(handle: Handle, events: Events) {
    this.#pipe = handle as RawPipe;
    this.#events = events;
    this.#pipe.onread = (chunk) => this.#onRead(chunk);
    this.#pipe.unref();
    this.#pipe.readStart();
  }

  /** How many bytes the kernel has not taken yet. */
  get waiting(): number {
    return this.#pipe.writeQueueSize ?? 0;
  }

  write(bytes: Buffer): void {
    if (!this.#open) return;
    const request = new (bindings().stream.WriteWrap)() as { oncomplete?: () => void; buffer?: Buffer };
    request.buffer = bytes; // kept until it has left
    request.oncomplete = () => {}; // where it fails, the end is reported too
    this.#pipe.writeBuffer(request, bytes);
  }

  /** Whether the process is to stay for what is on its way. */
  keepAlive(on: boolean): void {
    if (!this.#open) return;
    if (on) this.#pipe.ref();
    else this.#pipe.unref();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pipe.close();
  }

  #onRead(chunk: ArrayBuffer | undefined): void {
    const { streamBaseState, kReadBytesOrError, kArrayBufferOffset } = bindings().stream;
    const bytes = streamBaseState[kReadBytesOrError] ?? 0;
    if (bytes > 0 && chunk) this.#events.onBytes(Buffer.from(chunk, streamBaseState[kArrayBufferOffset] ?? 0, bytes));
    else if (bytes < 0 && this.#open) {
      this.close();
      this.#events.onEnd();
    }
  }
}
