import { resolve } from 'node:path';
import type { ListenArguments } from '../../protocol/messages.ts';

/** What an app's call of `listen()` asks for: an address to share, or a server private to the worker. */
export interface Call {
  /** Null where the server stays private to the worker: port 0, a path with its pid, `exclusive`, a descriptor or handle. */
  readonly asked: ListenArguments | null;
  readonly signal: AbortSignal | null;
  readonly callback: (() => void) | null;
}

/** Reads the arguments of `net.Server.listen()` the way Node does. Anything unusual is left to Node, errors too. */
export function readListen(args: readonly unknown[]): Call {
  const [first, second] = args;
  const last = args[args.length - 1];
  const callback = typeof last === 'function' ? (last as () => void) : null;
  const call = { signal: null, callback };
  if (typeof first === 'object' && first !== null)
    return { ...readOptions(first as Record<string, unknown>), callback };
  const port = readPort(first);
  if (port !== null) {
    return {
      ...call,
      asked: port === 0 ? null : { port, ...(typeof second === 'string' && second !== '' ? { host: second } : {}) }
    };
  }
  // Node takes a numeric string for a port; one that is out of range is left to Node, for its own error.
  if (typeof first === 'string' && !(Number(first) >= 0)) return { ...call, asked: readPath(first) };
  return { ...call, asked: null };
}

function readOptions(options: Record<string, unknown>): Omit<Call, 'callback'> {
  const signal = options.signal instanceof AbortSignal ? options.signal : null;
  if (options.signal !== undefined && !signal) return { asked: null, signal };
  const given = ['_handle', 'handle', 'fd'].some((name) => options[name] !== undefined);
  const own = given || options.exclusive === true || options.reusePort === true;
  if (own) return { asked: null, signal };
  const port = readPort(options.port);
  if (port !== null && port > 0) {
    const { host, ipv6Only } = options;
    const named = typeof host === 'string' && host !== '' ? { host } : {};
    return { asked: { port, ...named, ...(ipv6Only === true ? { ipv6Only } : {}) }, signal };
  }
  if (options.port !== undefined || typeof options.path !== 'string') return { asked: null, signal };
  const { path, readableAll, writableAll } = options;
  const modes = { ...(readableAll === true ? { readableAll } : {}), ...(writableAll === true ? { writableAll } : {}) };
  const asked = readPath(path);
  return { asked: asked && { ...asked, ...modes }, signal };
}

/**
 * Below it are processes of the boot, and of containers: a path may have such a number for another reason.
 *
 * @source linux/pid.c: RESERVED_PIDS, from which ids are given again after the last one
 */
const LEAST_TELLING_PID = 300;

/** A path to share. One that names this process is not: the next version has another. */
function readPath(path: string): { path: string } | null {
  const named = process.pid >= LEAST_TELLING_PID && new RegExp(`(?<!\\d)${process.pid}(?!\\d)`).test(path);
  return named ? null : { path: absolute(path) };
}

/** A port as Node accepts it: a number or a numeric string. Null for everything else, out of range included. */
function readPort(value: unknown): number | null {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return null;
  const port = Number(value);
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : null;
}

/** Makes a path absolute: it is relative to the app's working directory, not the supervisor's. `\0` begins an abstract name. */
function absolute(path: string): string {
  return path.startsWith('\0') ? path : resolve(path);
}
