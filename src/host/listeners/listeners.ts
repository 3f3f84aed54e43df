import { lookup } from 'node:dns/promises';
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { HandoverError, systemCode } from '../../errors.ts';
import { type BindTo, bindHandle, type Handle } from '../../internals/net.ts';
import type { Address, ListenArguments } from '../../protocol/messages.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { isAnswered, LONGEST_PATH_BYTES } from '../unix.ts';
import { explain, explainOverlap, showAddress } from './explain.ts';

/** An address that the supervisor holds. */
export interface Listener extends Lent {
  readonly ipv6Only: boolean;
  readonly handle: Handle;
  readonly boundTo: BindTo;
}

/**
 * The addresses of the service. Each is bound once and held until {@link Listeners.close}; workers get copies, so the
 * kernel's queue of waiting connections outlives every one of them.
 */
export class Listeners {
  readonly #byKey = new Map<string, Promise<Listener>>();
  readonly #held: Listener[] = [];
  /** Those that were closed because nobody serves them, for a rollback to the version that does. */
  readonly #closed = new Map<string, Listener>();

  /** The addresses that are owned, as people write them. */
  get shown(): readonly string[] {
    return this.held.map(({ address }) => showAddress(address));
  }

  get held(): readonly Listener[] {
    return this.#held;
  }

  find(key: string): Listener | undefined {
    return this.#held.find((listener) => listener.key === key);
  }

  /** A listener by its key, the way people write its address. */
  show(key: string): string {
    const listener = this.find(key);
    return listener ? showAddress(listener.address) : key;
  }

  /**
   * Binds an address, or finds the listener that already holds it.
   *
   * @param named whether it comes from `--listen`
   * @param asked the port of the server that is to get it, where the operator said so
   * @throws HANDOVER_ERR_LISTEN_IN_USE, _PERMISSION, _ADDRESS
   */
  async bind(wanted: ListenArguments, named: boolean, asked: number | null = null): Promise<Listener> {
    const to = await resolve(wanted);
    // A port that the system chooses is another one each time it is asked for.
    if (!('path' in to) && to.port === 0) return this.#bind(to, wanted, { named, asked });
    const key = keyOf(to);
    const existing = this.#byKey.get(key);
    if (existing) return existing;
    const inTheWay = this.#held.find((listener) => overlaps(listener, to));
    if (inTheWay) throw explainOverlap(inTheWay, to);
    const binding = this.#bind(to, wanted, { named, asked });
    this.#byKey.set(key, binding);
    try {
      return await binding;
    } catch (error) {
      this.#byKey.delete(key);
      throw error;
    }
  }

  /** Lets go of an address that nobody serves any more: whoever connects is refused. */
  release(key: string): void {
    const listener = this.find(key);
    if (!listener) return;
    this.#held.splice(this.#held.indexOf(listener), 1);
    this.#byKey.delete(key);
    this.#closed.set(key, listener);
    listener.handle.close();
  }

  /** Binds an address again that was let go of. It may be somebody else's by now. */
  reopen(key: string): void {
    const before = this.#closed.get(key);
    if (!before || this.find(key)) return;
    const handle = bindHandle(before.boundTo);
    if (typeof handle === 'number') return;
    this.#closed.delete(key);
    const listener = { ...before, handle };
    this.#held.push(listener);
    this.#byKey.set(key, Promise.resolve(listener));
  }

  /** Lets go of every address; unix sockets are removed. */
  close(): void {
    for (const { handle } of this.#held.splice(0)) handle.close();
    this.#byKey.clear();
    this.#closed.clear();
  }

  async #bind(to: BindTo, wanted: ListenArguments, origin: Pick<Listener, 'named' | 'asked'>): Promise<Listener> {
    if ('path' in to) await clearPath(to.path);
    const bound = bindHandle(to);
    const ipv4 = { ...to, address: '0.0.0.0' };
    const handle = typeof bound === 'number' && anyAddress(to) ? bindHandle(ipv4) : bound;
    if (typeof handle === 'number') throw explain(typeof bound === 'number' ? bound : handle, to);
    const address = readAddress(handle, to);
    if (typeof address === 'number') {
      handle.close();
      throw explain(address, to);
    }
    if (typeof address === 'string') openToAll(address, wanted);
    const port = typeof address === 'string' ? {} : { port: address.port };
    const ipv6Only = !('path' in to) && to.ipv6Only;
    const boundTo = handle === bound ? { ...to, ...port } : { ...ipv4, ...port };
    const listener = { key: keyOf({ ...to, ...port }), address, ...origin, handle, ipv6Only, boundTo };
    this.#held.push(listener);
    return listener;
  }
}

async function resolve({ path, host, port = 0, ipv6Only = false }: ListenArguments): Promise<BindTo> {
  if (path !== undefined) return { path };
  if (host === undefined) return { address: '::', port, ipv6Only };
  if (net.isIP(host)) return { address: host, port, ipv6Only };
  try {
    const { address } = await lookup(host);
    return { address, port, ipv6Only };
  } catch (error) {
    throw new HandoverError(
      'HANDOVER_ERR_LISTEN_ADDRESS',
      {
        what: `Cannot listen on ${host}:${port}`,
        why: `the name ${host} cannot be resolved (${systemCode(error) ?? 'unknown error'})`,
        fix: 'Give an address of this machine, or only the port to listen on all of them'
      },
      { cause: error }
    );
  }
}

function keyOf(to: BindTo): string {
  return 'path' in to ? `unix:${to.path}` : `${to.address}|${to.port}${to.ipv6Only ? '|6' : ''}`;
}

/**
 * Whether one of two addresses takes in the other: plain Node says EADDRINUSE then. The kernel says it only once the one
 * that is held listens, which it does not before its workers do.
 */
function overlaps({ address, ipv6Only }: Listener, to: BindTo): boolean {
  if (typeof address === 'string' || 'path' in to || address.port !== to.port) return false;
  const takesIn = (wide: string, other: string, only: boolean) =>
    (wide === '::' && (net.isIPv6(other) || !only)) || (wide === '0.0.0.0' && net.isIPv4(other));
  return takesIn(address.address, to.address, ipv6Only) || takesIn(to.address, address.address, to.ipv6Only);
}

/** Whether IPv4 alone is worth a try: no address was asked for, and the machine may have no IPv6. */
function anyAddress(to: BindTo): to is Extract<BindTo, { address: string }> {
  if ('path' in to || to.address !== '::' || to.ipv6Only) return false;
  const trial = bindHandle({ address: '::', port: 0, ipv6Only: false });
  if (typeof trial === 'number') return true;
  trial.close();
  return false;
}

/** The address that was really bound, or the errno of a bind that only seemed to work. */
function readAddress(handle: Handle, to: BindTo): Address | number {
  if ('path' in to) return to.path;
  const out: { address?: string; family?: string; port?: number } = {};
  const status = handle.getsockname?.(out) ?? 0;
  if (status !== 0) return status;
  return { address: out.address ?? to.address, family: out.family ?? 'IPv6', port: out.port ?? to.port };
}

/** A socket file that nobody answers on is left over and is removed; one that somebody answers on is theirs. */
async function clearPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  const absent = !existsSync(dirname(path));
  if (bytes > LONGEST_PATH_BYTES || absent) {
    throw new HandoverError('HANDOVER_ERR_LISTEN_ADDRESS', {
      what: `Cannot listen on unix:${path}`,
      why: absent
        ? `the folder ${dirname(path)} does not exist`
        : `the path has ${bytes} bytes, and a unix socket may have ${LONGEST_PATH_BYTES}`,
      fix: absent ? 'Make the folder, or choose another path' : 'Choose a shorter path'
    });
  }
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  const why = stat.isSocket()
    ? (await isAnswered(path))
      ? 'another program answers on it'
      : null
    : 'a file that is not a socket is there';
  if (why === null) {
    unlinkSync(path);
    return;
  }
  throw new HandoverError('HANDOVER_ERR_LISTEN_IN_USE', {
    what: `Cannot listen on unix:${path}`,
    why,
    fix: 'Stop that program, or choose another path'
  });
}

function openToAll(path: string, { readableAll, writableAll }: ListenArguments): void {
  if (readableAll || writableAll) chmodSync(path, 0o600 | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0));
}
