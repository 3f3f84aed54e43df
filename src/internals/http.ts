import http, { type ServerResponse } from 'node:http';
import net from 'node:net';
import type { SocketInside } from './net.ts';

// What `node:http` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** The response that is being written on a connection, or null. Missing: null, and only Node's own list of idle ones counts. */
export function currentResponse(socket: net.Socket): ServerResponse | null {
  return (socket as unknown as SocketInside)._httpMessage ?? null;
}

/**
 * Whether a response that has begun is a stream of server-sent events, which ends when somebody ends it. One to another method than
 * GET is an answer that is being written, such as that of an MCP server.
 *
 * Missing `_header`: headers that were only given to `writeHead` are not seen, and it counts as an ordinary response.
 */
export function isEventStream(response: ServerResponse): boolean {
  if (!response.headersSent || response.req.method !== 'GET') return false;
  const head = headOf(response);
  const type = head ? /^content-type:(.*)$/im.exec(head)?.[1] : response.getHeader('content-type');
  return String(type).trim().startsWith('text/event-stream');
}

/** The head of a response that has been written. Missing `_header`: empty, and no stream moves. */
export function headOf(response: ServerResponse): string {
  const head = (response as unknown as { _header?: unknown })._header;
  return typeof head === 'string' ? head : '';
}

/** Whether the body of a response is written in chunks, each with its length. Missing: false, and no stream moves. */
export function isChunked(response: ServerResponse): boolean {
  return (response as { chunkedEncoding?: unknown }).chunkedEncoding === true;
}

/** Whether an HTTP parser reads the connection; an upgraded one has none any more. Missing: false. */
export function hasParser(socket: net.Socket): boolean {
  return Boolean((socket as unknown as SocketInside).parser);
}

/**
 * Takes a response that has not begun off its connection, for good: what it is told then goes nowhere.
 *
 * Missing the listener by which Node goes on to the next request: it is not told that it has finished.
 *
 * @returns whether it can be told so
 */
export function disownResponse(response: ServerResponse, socket: net.Socket): boolean {
  response.detachSocket(socket);
  const own = response.listeners('finish').filter(({ name }) => name === 'bound resOnFinish');
  for (const one of own) response.removeListener('finish', one as () => void);
  return own.length > 0;
}

/** Node's own list of the connections of an HTTP server: `active` are those in the middle of a request's bytes. */
interface ConnectionsList {
  idle(): { readonly socket: net.Socket }[];
  active(): { readonly socket: net.Socket }[];
}

function connectionsOf(server: http.Server): ConnectionsList | null {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections');
  return key ? ((server as unknown as Record<symbol, ConnectionsList | undefined>)[key] ?? null) : null;
}

/**
 * The connections of a server that Node itself calls idle: no byte of a request received, none in progress.
 *
 * Missing: the documented `closeIdleConnections()` is called, with `destroy` replaced for this one call to collect the sockets.
 * That gives the same set, but makes V8 discard optimised code.
 */
export function idleConnections(server: http.Server): Set<net.Socket> {
  const list = connectionsOf(server);
  if (!list) return idleByClosing(server);
  const idle = list.idle().filter(({ socket }) => currentResponse(socket)?.writableEnded ?? true);
  return new Set(idle.map(({ socket }) => socket));
}

/** Whether the parser of a connection has read a part of a request, and not its end. Missing: null, which is not known. */
export function isInRequest(server: http.Server, socket: net.Socket): boolean | null {
  return (
    connectionsOf(server)
      ?.active()
      .some((parser) => parser.socket === socket) ?? null
  );
}

/** Whether no byte of a next request has been read on a connection whose last one is answered. */
export function isBetweenRequests(server: http.Server, socket: net.Socket): boolean {
  const isIn = isInRequest(server, socket);
  return isIn === null ? idleByClosing(server).has(socket) : !isIn;
}

function idleByClosing(server: http.Server): Set<net.Socket> {
  const idle = new Set<net.Socket>();
  const own = Object.getOwnPropertyDescriptor(net.Socket.prototype, 'destroy');
  net.Socket.prototype.destroy = function (this: net.Socket) {
    idle.add(this);
    return this;
  };
  try {
    http.Server.prototype.closeIdleConnections.call(server);
  } finally {
    if (own) Object.defineProperty(net.Socket.prototype, 'destroy', own);
    else Reflect.deleteProperty(net.Socket.prototype, 'destroy');
  }
  return idle;
}

/**
 * Tells Node that a response has been written past it, so that it goes on to what comes next on the connection.
 *
 * Missing the listener by which it goes on: the connection is ended, behind the answer.
 */
export function finishResponse(response: ServerResponse, socket: net.Socket): void {
  response.emit('finish');
  if (currentResponse(socket) !== response) return;
  response.detachSocket(socket);
  socket.end();
}
