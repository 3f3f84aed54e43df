import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import type { Writable } from 'node:stream';
import { connectionOf } from './connections/connection.ts';
import { WebSocketConnection } from './connections/websocket.ts';

/** How the WebSockets of an app are carried. `S` is what stands for one in the app. */
export interface Carry<S> {
  /** What is to go with a WebSocket: anything that JSON can hold, at most 64 KiB. Called between two messages. */
  readonly save: (socket: S) => unknown;
  /** Gives it back in the next version, after the app has accepted the WebSocket and before its next message. */
  readonly restore: (socket: S, state: never) => void | Promise<void>;
}

/** @param onFirst called when the app lets any be carried */
export function carryFor(onFirst: () => void): <S>(emitter: EventEmitter, how: Carry<S>) => void {
  let isFirst = true;
  return (emitter, how) => {
    carryFrom(emitter, how);
    if (isFirst) onFirst();
    isFirst = false;
  };
}

/**
 * Lets the WebSockets that an app accepts be carried to the next version, and those that come from the one before.
 *
 * @param emitter emits `connection` with the socket and its request, as `ws.WebSocketServer` does; or an `http.Server`, whose
 *   `upgrade` says the same
 */
function carryFrom<S>(emitter: EventEmitter, { save, restore }: Carry<S>): void {
  const take = (socket: S, request: IncomingMessage) => {
    const connection = connectionOf(request.socket);
    const upgraded = connection?.upgraded;
    if (!connection || !(upgraded instanceof WebSocketConnection)) return;
    upgraded.carryWith(
      request,
      () => save(socket),
      () => isAtWork(socket)
    );
    void connection.resumption?.begin((state) => restore(socket, state as never));
  };
  if (emitter instanceof net.Server)
    emitter.on('upgrade', (request: IncomingMessage, socket: S) => take(socket, request));
  else emitter.on('connection', take);
}

/**
 * Whether a WebSocket of `ws` has a message that its app has not heard yet, or that its client has not been sent: with compression
 * both take their turns in the pool of threads. Where it is none of `ws`, there is nothing to be seen.
 *
 * @source ws 8: `bufferedAmount` counts what is being compressed; `_receiver` is a Writable that is done with a chunk when the app
 *   has heard all messages in it
 */
function isAtWork(socket: unknown): boolean {
  const { bufferedAmount, _receiver } = socket as { bufferedAmount?: unknown; _receiver?: Partial<Writable> };
  return Number(bufferedAmount ?? 0) > 0 || (_receiver?.writableLength ?? 0) > 0;
}
