import http from 'node:http';
import type net from 'node:net';
import tls from 'node:tls';
import { currentResponse } from '../../internals/http.ts';
import { attachConnection, canDetach, detachConnection, type Handle, isFlushed } from '../../internals/net.ts';
import { endGently } from './idle.ts';

/** Node keeps an idle connection this much longer than it tells the client, and so do we. */
const KEEP_ALIVE_GRACE_MS = 1_000;

/** Whether connections of this server speak plain HTTP/1.1, the kind that can move to another process. */
export function speaksHttp1(server: net.Server): server is http.Server {
  return server instanceof http.Server && !(server instanceof tls.Server);
}

/** Whether no response is in progress and every byte of the last one has left. */
export function isQuiet(socket: net.Socket): boolean {
  const over = socket.destroyed || socket.readableEnded || socket.writableEnded;
  return (
    !over && currentResponse(socket) === null && socket.readableLength === 0 && isFlushed(socket) && canDetach(socket)
  );
}

/** Takes a connection off the server that served it. The caller found it idle and quiet in this very tick. */
export function detach(socket: net.Socket): Handle {
  return detachConnection(socket);
}

/**
 * Gives a connection that moved here to the app's server. The caller has counted it.
 *
 * One that has been used is given only when its next request begins to arrive: attached at once, it would count as
 * "waiting for its first head", and Node would answer 408 after `headersTimeout` although the client did nothing wrong.
 * Until then the app's own keep-alive limit holds. One that was never used does wait for its first head.
 *
 * @param count called with the socket before the app sees it
 */
export function adopt(server: http.Server, handle: Handle, fresh: boolean, count: (socket: net.Socket) => void): void {
  const socket = attachConnection(server, handle);
  count(socket);
  if (fresh) server.emit('connection', socket);
  else park(server, socket);
}

function park(server: http.Server, socket: net.Socket): void {
  const limitMs = server.keepAliveTimeout;
  const timer = limitMs > 0 ? setTimeout(() => endGently(socket), limitMs + KEEP_ALIVE_GRACE_MS) : null;
  timer?.unref();
  const leave = () => {
    if (timer) clearTimeout(timer);
    socket.off('readable', onReadable).off('error', onGone).off('end', onGone).off('close', leave);
  };
  const onGone = () => {
    leave();
    socket.destroy();
  };
  const onReadable = () => {
    if (socket.readableLength === 0) {
      socket.read(); // the end of the stream is reported only when read
      return;
    }
    leave();
    if (!socket.writableEnded) server.emit('connection', socket);
  };
  socket.on('error', onGone).on('end', onGone).on('close', leave).on('readable', onReadable);
}
