import type { ServerResponse } from 'node:http';
import net from 'node:net';

// What `node:net` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10. Each function says what happens where Node
// no longer has it; a missing one costs speed or the move of a connection, never a request.

/** A raw TCP or pipe handle: the kernel's socket, without a stream around it. */
export interface Handle {
  onconnection?: ((status: number, client?: Handle) => void) | null;
  readonly writeQueueSize?: number;
  /** Whether its stream considers it as being read. */
  reading?: boolean;
  /** Whether an HTTP parser reads from it, past its stream. */
  _consumed?: boolean;
  listen(backlog: number): number;
  close(done?: () => void): void;
  readStart?(): number;
  readStop(): number;
  getsockname?(out: object): number;
  getpeername?(out: object): number;
  ref?(): void;
  unref?(): void;
  hasRef?(): boolean;
}

/** Undocumented members of a `net.Server`. */
export interface ServerInside {
  _handle: unknown;
  _connections: number;
  _pipeName?: string;
  _listen2?(address: string | null, port: number, type: number, backlog: number, fd?: number, flags?: number): void;
  allowHalfOpen?: boolean;
  pauseOnConnect?: boolean;
  highWaterMark?: number;
}

/** Undocumented members of a `net.Socket`. */
export interface SocketInside {
  _handle: Handle | null;
  _httpMessage?: ServerResponse | null;
  _server?: unknown;
  server?: unknown;
  parser?: { unconsume?(): void } | null;
  _parent?: net.Socket;
}

type CreateHandle = (
  address: string | null,
  port: number | null,
  type: 4 | 6 | -1 | null,
  fd?: number,
  flags?: number
) => Handle | number;

/** `UV_TCP_IPV6ONLY`, the one flag that `listen({ ipv6Only })` sets. */
const IPV6_ONLY = 1;

export type BindTo =
  | { readonly path: string }
  | { readonly address: string; readonly port: number; readonly ipv6Only: boolean };

/**
 * Binds an address without accepting on it. The handle can be lent to workers, and keeps the kernel's queue alive.
 *
 * Missing: the supervisor refuses to start and names it.
 *
 * @returns the handle, or a negative errno of the system
 * @source node:cluster makes its shared handles with it
 */
export function bindHandle(to: BindTo): Handle | number {
  const create = findCreate();
  if ('path' in to) return create(to.path, -1, -1);
  const flags = to.ipv6Only ? IPV6_ONLY : 0;
  return create(to.address, to.port, net.isIPv6(to.address) ? 6 : 4, undefined, flags);
}

/**
 * Takes a socket that this process inherited as a descriptor; it is not bound, and keeps its queue. Not through
 * `process.binding`, which Node means to end: this is what `listen({ fd })` makes its own handle with.
 *
 * A handle of TCP has `getsockname`, one of a unix socket has not.
 *
 * Missing: the supervisor refuses to start and names it.
 *
 * @returns the handle, or a negative errno: EINVAL for what is no stream over TCP or on a unix socket
 */
export function openDescriptor(fd: number): Handle | number {
  return findCreate()(null, null, null, fd);
}

function findCreate(): CreateHandle {
  const create = (net as unknown as { _createServerHandle?: CreateHandle })._createServerHandle;
  if (!create) throw new Error(`Node ${process.version} has no net._createServerHandle`);
  return create;
}

/**
 * Has the kernel let in one more client at the most before somebody accepts, whatever the backlog was. Of a socket that listens.
 *
 * Missing: nothing happens, and nobody waits for what is in its queue.
 *
 * @returns whether it was done
 * @source `listen(2)` once more sets the backlog of the same socket anew
 */
export function narrowQueue(handle: Handle): boolean {
  return typeof handle.listen === 'function' && handle.listen(0) === 0;
}

/**
 * Reads the arguments of `net.Socket.connect()`. Node's own callers pass one list of what it has read from theirs.
 *
 * Missing: such a call is as documented.
 *
 * @returns null for what Node refuses
 */
export function readConnect(args: readonly unknown[]): { options: object; callback: unknown } | null {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const callback = args.findLast((arg) => typeof arg === 'function') ?? (Array.isArray(args[0]) ? second : undefined);
  if (typeof first === 'object' && first !== null) return { options: first, callback };
  const isPort = typeof first === 'number' || (typeof first === 'string' && Number(first) >= 0);
  if (isPort) return { options: { port: first, ...(typeof second === 'string' ? { host: second } : {}) }, callback };
  return typeof first === 'string' ? { options: { path: first }, callback } : null;
}

/** A server with its undocumented members, which are as old as `net` itself. */
export function insideServer(server: net.Server): ServerInside {
  return server as unknown as ServerInside;
}

/**
 * Makes a server that already has a handle begin, by Node's own code: `listening` is emitted, connections are counted.
 *
 * Missing: the event is emitted here, and {@link attachConnection} stands in for Node's accept.
 */
export function beginListening(server: net.Server, address: string | null, port: number, backlog: number): void {
  const inside = insideServer(server);
  if (inside._listen2) {
    inside._listen2(address, port, address === null ? 4 : net.isIPv6(address) ? 6 : 4, backlog);
    return;
  }
  const gate = inside._handle as { onconnection?: unknown };
  gate.onconnection = (_status: number, client: Handle) => server.emit('connection', attachConnection(server, client));
  process.nextTick(() => server.emit('listening'));
}

/**
 * Builds the socket of a connection that another process accepted, counted by the server as its own.
 *
 * `maxConnections` is not applied and `connection` not emitted: the connection was accepted before.
 */
export function attachConnection(server: net.Server, handle: Handle): net.Socket {
  const { allowHalfOpen, pauseOnConnect, highWaterMark } = insideServer(server);
  const options = {
    handle,
    allowHalfOpen,
    pauseOnCreate: pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark
  };
  const socket = new net.Socket(options as net.SocketConstructorOpts);
  insideServer(server)._connections += 1;
  const inside = socket as unknown as SocketInside;
  inside.server = server;
  inside._server = server;
  return socket;
}

/** Whether a connection can be taken off its socket at all. Missing: it ends gently instead of moving. */
export function canDetach(socket: net.Socket): boolean {
  const { _handle, parser } = socket as unknown as SocketInside;
  return typeof _handle?.readStop === 'function' && (!parser || typeof parser.unconsume === 'function');
}

/**
 * Takes the connection off its socket, which then closes as if the client had left.
 *
 * The caller has found it idle in this very tick: reads happen only between ticks, so bytes that come later wait in the
 * kernel for the next owner.
 */
export function detachConnection(socket: net.Socket): Handle {
  const inside = socket as unknown as SocketInside;
  const handle = inside._handle as Handle;
  unblockReading(handle);
  inside.parser?.unconsume?.();
  handle.readStop();
  // If it is served here again, these flags of the old stream would keep the new one from reading.
  handle.reading = false;
  handle._consumed = false;
  inside._handle = null;
  socket.destroy();
  return handle;
}

/**
 * Keeps a connection from being read, whatever Node or the app does meanwhile: what its client sends waits in the kernel.
 *
 * Missing: it is read on.
 *
 * @returns a function that lets it be read again
 */
export function blockReading(socket: net.Socket): () => void {
  const { _handle: handle } = socket as unknown as SocketInside;
  if (typeof handle?.readStart !== 'function') return () => {};
  handle.readStop();
  handle.readStart = () => 0;
  return () => {
    // A connection that was detached meanwhile is not touched.
    if ((socket as unknown as SocketInside)._handle !== handle) return;
    unblockReading(handle);
    if (handle.reading) handle.readStart?.();
  };
}

function unblockReading(handle: Handle): void {
  if (Object.hasOwn(handle, 'readStart')) Reflect.deleteProperty(handle, 'readStart');
}

/** Takes the raw handle of a socket that was accepted paused and never read; the socket cannot be used afterwards. */
export function takeHandle(socket: net.Socket): Handle {
  const inside = socket as unknown as SocketInside;
  const handle = inside._handle as Handle;
  inside._handle = null;
  socket.destroy();
  return handle;
}

/** Whether every byte written has left the process. */
export function isFlushed(socket: net.Socket): boolean {
  return socket.writableLength === 0 && ((socket as unknown as SocketInside)._handle?.writeQueueSize ?? 0) === 0;
}

/** A stream on a raw handle: what another process kept open. Documented for handles that have a descriptor only. */
export function socketOf(handle: Handle): net.Socket {
  return new net.Socket({ handle, readable: true, writable: false } as net.SocketConstructorOpts);
}

/** The raw handle of a socket that is open. Missing: none. */
export function handleOf(socket: net.Socket): Handle | null {
  return (socket as unknown as SocketInside)._handle ?? null;
}
