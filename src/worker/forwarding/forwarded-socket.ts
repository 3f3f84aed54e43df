import net from 'node:net';
import type { Client } from './forward-link.ts';

interface Hands {
  /** The app answers. */
  write(bytes: Buffer): void;
  /** It is gone, whoever ended it. */
  onClosed(): void;
}

/** So much may be on its way before the client has taken it. */
const WINDOW_BYTES = 256 * 1024;

/**
 * What the app sees instead of the socket of a client that another process has: it has the client's address, and what is written
 * to it arrives there.
 */
export class ForwardedSocket extends net.Socket {
  readonly client: Client;
  readonly #hands: Hands;
  #received = 0;
  #sent = 0;
  #onWay = 0;
  #blocked: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(client: Client, hands: Hands) {
    super({ allowHalfOpen: true });
    this.client = client;
    this.#hands = hands;
  }

  /** The client asks. */
  receive(bytes: Buffer): void {
    this.#touch();
    this.#received += bytes.length;
    this.push(bytes);
  }

  /** The client has taken so much. */
  onTaken(bytes: number): void {
    this.#touch();
    this.#onWay = Math.max(0, this.#onWay - bytes); // what belonged to the last answer may be said during this one
    if (this.#onWay >= WINDOW_BYTES) return;
    const go = this.#blocked;
    this.#blocked = null;
    if (go) process.nextTick(go); // what the app throws then is its own
  }

  /** The answer is complete: what is still on its way of it is the other process's. */
  onAnswered(): void {
    this.#onWay = 0;
  }

  override address() {
    const { localAddress: address, localPort: port, remoteFamily: family } = this.client;
    return address === undefined ? {} : ({ address, port, family } as net.AddressInfo);
  }

  // Not that of `net`, which is not renewed by what passes here.
  override setTimeout(ms: number, callback?: () => void): this {
    if (callback) this.once('timeout', callback);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = ms > 0 ? setTimeout(() => this.emit('timeout'), ms).unref() : null;
    Object.assign(this, { timeout: ms });
    return this;
  }

  // It holds no process: whoever has the client does.
  override ref(): this {
    return this;
  }

  override unref(): this {
    return this;
  }

  /** What the app may ask of it, as of any other socket. */
  get known() {
    const { remoteFamily: localFamily } = this.client;
    return { ...this.client, localFamily, pending: false, bytesRead: this.#received, bytesWritten: this.#sent };
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk, encoding }], done);
  }

  override _writev(chunks: readonly { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    // A copy: as soon as it is told that it was written, the app may use its buffer for something else.
    const bytes = Buffer.concat(
      chunks.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk))
    );
    this.#touch();
    this.#sent += bytes.length;
    this.#onWay += bytes.length;
    this.#hands.write(bytes);
    if (this.#onWay < WINDOW_BYTES) done();
    else this.#blocked = done;
  }

  /** Nothing can come behind what the app ends: whoever has the client ends it too, or shows it anew. */
  override _final(done: () => void): void {
    done();
    setImmediate(() => this.destroy());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.setTimeout(0);
    this.#hands.onClosed();
    super._destroy(error, done); // which says `close`
  }

  #touch(): void {
    this.#timer?.refresh();
  }
}

const REMOTE = ['remoteAddress', 'remotePort', 'remoteFamily'] as const;
const LOCAL = ['localAddress', 'localPort', 'localFamily'] as const;
for (const name of [...REMOTE, ...LOCAL, 'pending', 'bytesRead', 'bytesWritten'] as const)
  Object.defineProperty(ForwardedSocket.prototype, name, {
    get(this: ForwardedSocket) {
      return this.known[name];
    }
  });
