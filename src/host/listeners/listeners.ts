import { renameSync } from 'node:fs';
import { type BindTo, bindHandle, type Handle } from '../../internals/net.ts';
import type { Address, ListenArguments } from '../../protocol/messages.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { explain, explainOverlap, showAddress } from './explain.ts';
import { keyOf, overlaps, resolve } from './places.ts';
import {
  type Access,
  clearPath,
  giveAccess,
  identify,
  type Permissions,
  readPermissions,
  removeOwn,
  repeatPermissions,
  whoHas
} from './unix-paths.ts';

/** An address that the supervisor holds. */
export interface Listener extends Lent {
  readonly ipv6Only: boolean;
  readonly handle: Handle;
  readonly boundTo: BindTo;
  /** The file of a unix socket. */
  readonly ino: number | null;
}

/** A unix socket that was bound anew under another name, until it takes the place of the one that is gone. */
export interface Restored {
  readonly listener: Listener;
  /** Puts it on its path, in one step. It has to be listened on already: whoever finds it connects. */
  reveal(): void;
}

/** Who may connect to a unix socket of `--listen` by default: whoever may enter its folder, such as a proxy of another user. */
const OPEN_MODE = 0o666;

/**
 * The addresses of the service. Each is bound once and held until {@link Listeners.close}; workers get copies, so the
 * kernel's queue of waiting connections outlives every one of them.
 */
export class Listeners {
  readonly #byKey = new Map<string, Promise<Listener>>();
  readonly #held: Listener[] = [];
  /** Those that were closed because nobody serves them, for a rollback to the version that does. */
  readonly #closed = new Map<string, Listener>();
  readonly #access: Access;
  /** Who could connect to each unix socket when its file was last seen: an app sets that of its own. */
  readonly #permissions = new Map<string, Permissions>();
  /** All that were ever held. */
  readonly #keys = new Set<string>();
  #restored = 0;

  /** @param access who may connect to the unix sockets that are named with `--listen` */
  constructor(access: Access = { mode: null, group: null }) {
    this.#access = access;
  }

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

  /** A listener that is held, or was and may be bound again. */
  known(key: string): Listener | undefined {
    return this.find(key) ?? this.#closed.get(key);
  }

  /** Whether there ever was a listener of this key. */
  had(key: string): boolean {
    return this.#keys.has(key);
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
    close(listener);
  }

  /** Binds an address again that was let go of. It may be somebody else's by now. */
  reopen(key: string): void {
    const before = this.#closed.get(key);
    if (!before || this.find(key)) return;
    const handle = bindHandle(before.boundTo);
    if (typeof handle === 'number') return;
    this.#closed.delete(key);
    const { address } = before;
    if (typeof address === 'string') this.#repeatPermissions(key, address);
    this.#hold({ ...before, handle, ino: typeof address === 'string' ? identify(address) : null });
  }

  /**
   * Binds a unix socket anew whose file is gone.
   *
   * @returns null if it is there; why it cannot be had, in words, if another program has taken its path
   */
  async restore(key: string): Promise<Restored | string | null> {
    const lost = this.find(key);
    if (!lost || typeof lost.address !== 'string' || identify(lost.address) === lost.ino) return null;
    const path = lost.address;
    const other = await whoHas(path);
    if (other !== null) return `${other} (unix:${path})`;
    // Each its own: Node removes this name when the handle closes.
    this.#restored += 1;
    const temporary = `${path}.${this.#restored}`;
    await clearPath(temporary);
    if (this.find(key) !== lost) return null; // closed meanwhile
    const handle = bindHandle({ path: temporary });
    if (typeof handle === 'number') return explain(handle, path).message;
    this.#repeatPermissions(key, temporary);
    close(lost); // takes what is left on the path with it
    this.#held.splice(this.#held.indexOf(lost), 1);
    const listener = this.#hold({ ...lost, handle, ino: identify(temporary) });
    return { listener, reveal: () => renameSync(temporary, path) };
  }

  /** Remembers who may connect to the unix sockets, for when one has to be bound anew. */
  noteAccess(): void {
    for (const { key, address, ino } of this.#held) {
      const seen = typeof address === 'string' ? readPermissions(address, ino) : null;
      if (seen) this.#permissions.set(key, seen);
    }
  }

  #repeatPermissions(key: string, path: string): void {
    const seen = this.#permissions.get(key);
    if (seen) repeatPermissions(path, seen);
  }

  #hold(listener: Listener): Listener {
    this.#held.push(listener);
    this.#byKey.set(listener.key, Promise.resolve(listener));
    return listener;
  }

  /** Lets go of every address; unix sockets are removed. */
  close(): void {
    for (const listener of this.#held.splice(0)) close(listener);
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
    try {
      if (typeof address === 'string') await giveAccess(address, accessOf(wanted, origin.named, this.#access));
    } catch (error) {
      handle.close();
      throw error;
    }
    const port = typeof address === 'string' ? {} : { port: address.port };
    const ipv6Only = !('path' in to) && to.ipv6Only;
    const boundTo = handle === bound ? { ...to, ...port } : { ...ipv4, ...port };
    const ino = typeof address === 'string' ? identify(address) : null;
    const listener = { key: keyOf({ ...to, ...port }), address, ...origin, handle, ipv6Only, boundTo, ino };
    this.#held.push(listener);
    this.#keys.add(listener.key);
    this.noteAccess();
    return listener;
  }
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

/** Node removes the file under which a socket was bound, which is another one for a socket that was bound anew. */
function close({ address, handle, ino }: Listener): void {
  handle.close();
  if (typeof address === 'string') removeOwn(address, ino);
}

/** Who may connect: what the operator said of a named socket, and what the app asked for of its own. */
function accessOf({ readableAll, writableAll }: ListenArguments, named: boolean, { mode, group }: Access): Access {
  if (named) return { mode: mode ?? OPEN_MODE, group };
  const open = 0o600 | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
  return { mode: readableAll || writableAll ? open : null, group: null };
}
