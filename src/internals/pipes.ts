import { writeSync } from 'node:fs';
import type { Handle } from './net.ts';

// Unix sockets over which two unrelated processes pass messages and descriptors: what `child_process.fork` does between
// parent and child only. Tried on Node 20.20, 22.23, 24.21 and 26.10, in all pairs.

/** A raw pipe. With ipc on it carries descriptors. */
export interface RawPipe extends Handle {
  readonly fd: number;
  pendingHandle?: Handle | null;
  onread: (chunk: ArrayBuffer | undefined) => void;
  readStart(): number;
  unref(): void;
  ref(): void;
  bind(path: string): number;
  open(fd: number): number;
  connect(request: object, path: string): number;
  writeUtf8String(request: object, text: string, handle?: Handle): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
}

interface Bindings {
  readonly pipe: {
    readonly Pipe: new (type: number) => RawPipe;
    readonly PipeConnectWrap: new () => { oncomplete?: (status: number) => void };
    readonly constants: { readonly SOCKET: number; readonly SERVER: number; readonly IPC: number };
  };
  readonly stream: {
    readonly WriteWrap: new () => { oncomplete?: (status: number) => void };
    readonly streamBaseState: Int32Array;
    readonly kReadBytesOrError: number;
    readonly kArrayBufferOffset: number;
    readonly kLastWriteWasAsync: number;
  };
}

let known: Bindings | null = null;

/**
 * Node's own classes of pipes. Documented as deprecated without a date; what replaces them publicly carries no descriptors.
 *
 * Missing: nothing is started, and the error names it.
 */
export function bindings(): Bindings {
  if (known) return known;
  const load = (process as unknown as { binding?(name: string): unknown }).binding;
  if (!load) throw new Error(`Node ${process.version} has no process.binding()`);
  // The app did not ask for it, so it is not warned of it. Under --no-deprecation the property cannot be set, and is.
  const isSilent = process.noDeprecation === true;
  if (!isSilent) process.noDeprecation = true;
  try {
    known = { pipe: load('pipe_wrap') as Bindings['pipe'], stream: load('stream_wrap') as Bindings['stream'] };
    return known;
  } finally {
    if (!isSilent) Reflect.deleteProperty(process, 'noDeprecation');
  }
}

/** What is done with what comes over a pipe. */
export interface PipeEvents {
  /** A message, parsed but not checked, and the handle that came with it. */
  onMessage(message: unknown, handle: Handle | undefined): void;
  /** Called once: the other side is gone, or nothing that it says can be read. Not after `close()`. */
  onEnd(): void;
}

/** A longer line is no message: memory is not unlimited. */
const LONGEST_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
/** What a line begins with. The kernel keeps descriptors and bytes in one order, so the next descriptor is that of the line. */
const WITH_HANDLE = '+';
const ALONE = ' ';

/**
 * One end of a connection that carries messages, with a descriptor each where there is one.
 *
 * A message is a line of JSON. It never keeps its process alive.
 */
export class MessagePipe {
  readonly #pipe: RawPipe;
  readonly #events: PipeEvents;
  readonly #handles: Handle[] = [];
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Whether something was read since it began, or seemed to end. */
  #hasMore = false;
  #open = true;

  constructor(pipe: RawPipe, events: PipeEvents) {
    this.#pipe = pipe;
    this.#events = events;
    pipe.onread = (chunk) => this.#onRead(chunk);
    pipe.unref();
    pipe.readStart();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /**
   * Sends a message, and a handle with it.
   *
   * @param done called once: whether the kernel has taken it
   */
  send(message: object, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    if (!this.#open) return done(false);
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = bindings().stream;
    const request = new WriteWrap();
    request.oncomplete = (status) => done(status === 0);
    const status = this.#pipe.writeUtf8String(request, lineOf(message, handle), handle);
    if (status !== 0) done(false);
    else if (streamBaseState[kLastWriteWasAsync] === 0) done(true);
  }

  /** Sends a message in the last moment of a process, whatever is still on its way. @returns whether the kernel has taken it */
  sendNow(message: object): boolean {
    try {
      const line = lineOf(message);
      return this.#open && writeSync(this.#pipe.fd, line) === Buffer.byteLength(line);
    } catch {
      return false; // the other side is gone, or does not read: there is nobody to tell
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const handle of this.#handles.splice(0)) handle.close();
    this.#pipe.close();
  }

  #onRead(chunk: ArrayBuffer | undefined): void {
    const { streamBaseState, kReadBytesOrError, kArrayBufferOffset } = bindings().stream;
    const bytes = streamBaseState[kReadBytesOrError] ?? 0;
    const offset = streamBaseState[kArrayBufferOffset] ?? 0;
    const handle = this.#pipe.pendingHandle;
    this.#pipe.pendingHandle = null;
    if (handle) this.#handles.push(handle);
    if (bytes > 0 && chunk) {
      this.#hasMore = true;
      this.#take(Buffer.from(chunk, offset, bytes));
    } else if (bytes < 0) this.#onEof();
  }

  /**
   * libuv takes a read that did not fill its buffer for the last one, once the other side is gone. But each descriptor ends a read,
   * so what comes behind one would be lost: only an end without anything before it is one.
   */
  #onEof(): void {
    if (!this.#open) return;
    const mayHaveMore = this.#hasMore;
    this.#hasMore = false;
    if (!mayHaveMore || this.#pipe.readStart() !== 0) this.#end();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0 && this.#open; at = chunk.indexOf(NEWLINE, from)) {
      this.#rest.push(chunk.subarray(from, at));
      from = at + 1;
      const line = Buffer.concat(this.#rest).toString();
      this.#rest = [];
      this.#restBytes = 0;
      this.#onLine(line);
    }
    if (from === chunk.length) return;
    this.#rest.push(chunk.subarray(from));
    this.#restBytes += chunk.length - from;
    if (this.#restBytes > LONGEST_LINE_BYTES) this.#end();
  }

  #onLine(line: string): void {
    const handle = line.startsWith(WITH_HANDLE) ? this.#handles.shift() : undefined;
    let message: unknown;
    try {
      message = JSON.parse(line.slice(1));
    } catch {
      message = undefined; // whoever reads messages says what it is not
    }
    this.#events.onMessage(message, handle);
  }

  #end(): void {
    if (!this.#open) return;
    this.close();
    this.#events.onEnd();
  }
}

function lineOf(message: object, handle?: Handle): string {
  return `${handle ? WITH_HANDLE : ALONE}${JSON.stringify(message)}\n`;
}

/**
 * Connects to a unix socket on which {@link acceptPipes} listens. The kernel connects at once or not at all, so that what is
 * sent now is not lost where the process ends in the same breath.
 *
 * @param onConnected called once: 0, or a negative errno
 */
export function connectPipe(path: string, events: PipeEvents, onConnected: (status: number) => void): MessagePipe {
  const { Pipe, PipeConnectWrap, constants } = bindings().pipe;
  const pipe = new Pipe(constants.IPC);
  const request = new PipeConnectWrap();
  request.oncomplete = onConnected;
  const status = pipe.connect(request, path);
  if (status) process.nextTick(() => onConnected(status));
  return new MessagePipe(pipe, events);
}

/**
 * Listens on a unix socket.
 *
 * @param onPipe gets each connection, and says what is to be done with what comes over it
 * @returns a function that ends it, or a negative errno. The file is not removed
 */
export function acceptPipes(
  path: string,
  onPipe: (open: (events: PipeEvents) => MessagePipe) => void
): { close(): void } | number {
  const { Pipe, constants } = bindings().pipe;
  const server = new Pipe(constants.SERVER);
  const status = server.bind(path) || server.listen(BACKLOG);
  if (status !== 0) {
    server.close();
    return status;
  }
  server.onconnection = (failed, client) => {
    if (failed !== 0 || !client) return;
    const accepted = client as RawPipe;
    const pipe = new Pipe(constants.IPC);
    if (pipe.open(accepted.fd) !== 0) return accepted.close();
    // Two handles of one descriptor, since Node accepts without ipc. Only one is closed: for the other one a thread of Node's pool may
    // have opened a file by then that has got its number. It does nothing, and stays, some hundred bytes for each link.
    accepted.unref();
    onPipe((events) => new MessagePipe(pipe, events));
  };
  server.unref();
  return { close: () => server.close() };
}

const BACKLOG = 511;
