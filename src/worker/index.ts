import type { EventEmitter } from 'node:events';
import type { Carry } from './carry.ts';
import { workerGlobal } from './globals.ts';
import { type Start, type Stop, WhileActiveTasks } from './while-active.ts';

export type { Carry, Start, Stop };

/** Number of the generation that this process belongs to: 1, 2, 3 and so on; null outside a supervisor. */
export const generation: number | null = workerGlobal()?.generation ?? null;

/**
 * Says that this app can serve. Counts with the option `ready: 'signal'`; does nothing otherwise, or outside a supervisor.
 *
 * @example
 * server.listen(3000);
 * await warmUpCaches();
 * ready();
 */
export function ready(): void {
  workerGlobal()?.ready();
}

/**
 * Runs something once when this worker is retired: its requests have ended, and SIGTERM comes next.
 *
 * A promise is waited for, until `drainTimeout`. Not called when the generation only pauses to be the standby: it may have
 * to serve again. Outside a supervisor it is never called.
 *
 * @param run what to do; several are run side by side
 * @returns a function that takes it back
 * @example onDrain(() => flushMetrics());
 */
export function onDrain(run: () => void | Promise<void>): () => void {
  return workerGlobal()?.onDrain(run) ?? (() => {});
}

/**
 * Runs `start()` when this generation becomes active, and the function it returned when it stops being active: for cron
 * jobs and queue consumers that must run in one version only. Every worker of the active generation runs it.
 *
 * The next generation starts only when the tasks of this one have ended. Outside a supervisor the process is always
 * active: `start()` runs at once. What `start()` throws is an unhandled rejection of the app.
 *
 * @param start begins the task, and returns what ends it; a promise is awaited
 * @returns a function that ends the task and forgets it; it settles when the task has ended
 * @example
 * whileActive(() => {
 *   const timer = setInterval(sendInvoices, 60_000);
 *   return () => clearInterval(timer);
 * });
 */
export function whileActive(start: Start): () => Promise<void> {
  const worker = workerGlobal();
  if (worker) return worker.whileActive(start);
  const alone = new WhileActiveTasks();
  alone.activate();
  return alone.add(start);
}

/**
 * Lets WebSockets move to the next version with their state, instead of being closed with 1012 so that their clients come
 * back. Does nothing outside a supervisor.
 *
 * Between two messages, `save()` says what is to go with a WebSocket. In the next version its request is heard again, so that
 * the app's own authentication runs, and `restore()` gets what was saved before the next message comes. What cannot be
 * carried is closed with 1012: a connection that is compressed with context, a `save()` that throws or returns more than
 * 64 KiB of JSON, a version that does not accept the request or does not call `carry()`.
 *
 * @param emitter a `ws.WebSocketServer`, or whatever emits `connection` with a socket and its request; or the `http.Server`
 *   whose `upgrade` the app handles
 * @example
 * carry(wss, {
 *   save: (socket) => ({ user: socket.user }),
 *   restore: (socket, state) => { socket.user = state.user; }
 * });
 */
export function carry<S>(emitter: EventEmitter, how: Carry<S>): void {
  workerGlobal()?.carry(emitter, how);
}

/**
 * Says that this process knows a client, by the value that the option `affinity` reads of its requests: they are brought here
 * for as long as this process lives. Needed where the value is in neither a header, a cookie nor, as Engine.IO has it, the
 * beginning of the answer that gives it. Does nothing without that option, or outside a supervisor.
 *
 * @param value such as the id of a session, at most 500 characters
 * @example rooms.on('create', (room) => claim(room.id));
 */
export function claim(value: string): void {
  workerGlobal()?.claim(value);
}
