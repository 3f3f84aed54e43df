import { renameSync } from 'node:fs';
import { type BindTo, bindHandle, type Handle } from '../../internals/net.ts';
import type { ListenArguments } from '../../protocol/messages.ts';
import { actAs, type Identity } from '../rights/act-as.ts';
import type { Passed } from './activation.ts';
import { explain, explainOverlap, showAddress } from './explain.ts';
import { closeListener, type HeldAddress, type Listener, type Restored } from './listener.ts';
import { anyAddress, keyOf, overlaps, readAddress, resolve } from './places.ts';
import { takeReserved } from './reserved.ts';
import {
  type Access,
  accessOf,
  bindAs,
  clearPath,
  giveGroup,
  identify,
  type Permissions,
  readPermissions,
  whoHas
} from './unix-paths.ts';

export type { HeldAddress, Listener, Restored };

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

  readonly #onRelease: (key: string) => void;

  /**
   * @param access who may connect to the unix sockets that are named with `--listen`
   * @param onRelease called with the key of an address that is let go of: others may hold copies
   */
  constructor(access: Access = { mode: null, group: null }, onRelease: (key: string) => void = () => {}) {
    this.#access = access;
    this.#onRelease = onRelease;
  }

  /** The addresses that are owned, as people write them. */
  get shown(): readonly string[] {
    return this.held.map(({ address }) => showAddress(address));
  }

  get held(): readonly Listener[] {
    return this.#held;
  }

  /** Whether one was passed by somebody who has it too, and goes on with it. */
  get hasPassed(): boolean {
    return this.#held.some(({ passed }) => passed);
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
   * @param as the user of the app that asks; null: that of this process
   * @throws HANDOVER_ERR_LISTEN_IN_USE, _PERMISSION, _ADDRESS
   */
  async bind(
    wanted: ListenArguments,
    named: boolean,
    asked: number | null = null,
    as: Identity | null = null
  ): Promise<Listener> {
    const to = await resolve(wanted);
    const origin = { named, asked, as };
    // A port that the system chooses is another one each time it is asked for.
    if (!('path' in to) && to.port === 0) return this.#bind(to, wanted, origin);
    const key = keyOf(to);
    const existing = this.#byKey.get(key);
    if (existing) return existing;
    const inTheWay = this.#held.find((listener) => overlaps(listener, to));
    if (inTheWay) throw explainOverlap(inTheWay, to);
    const binding = this.#bind(to, wanted, origin);
    this.#byKey.set(key, binding);
    try {
      return await binding;
    } catch (error) {
      this.#byKey.delete(key);
      throw error;
    }
  }

  /** Takes over what an earlier supervisor held. */
  adopt(address: HeldAddress, handle: Handle): void {
    this.#hold({ ...address, handle });
    this.#keys.add(address.key);
  }

  /** Holds a socket that was passed in, or finds it where that was done before. */
  take({ address, handle }: Passed, asked: number | null): Listener {
    const boundTo = typeof address === 'string' ? { path: address } : { ...address, ipv6Only: false };
    const key = keyOf(boundTo);
    this.#keys.add(key);
    this.reopen(key);
    const others = { ipv6Only: false, boundTo, ino: null, as: null, passed: true };
    const listener = { key, address, named: true, asked, handle, ...others };
    return this.find(key) ?? this.#hold(listener);
  }

  /** Lets go of an address that nobody serves any more: whoever connects is refused. */
  release(key: string): void {
    const listener = this.find(key);
    if (!listener) return;
    this.#held.splice(this.#held.indexOf(listener), 1);
    this.#byKey.delete(key);
    this.#closed.set(key, listener);
    closeListener(listener);
    this.#onRelease(key);
  }

  /** Binds an address again that was let go of. It may be somebody else's by now. */
  reopen(key: string): void {
    const before = this.#closed.get(key);
    if (!before || this.find(key)) return;
    const handle = before.passed ? before.handle : this.#bindAgain(before, before.boundTo);
    if (typeof handle === 'number') return;
    this.#closed.delete(key);
    const { address } = before;
    this.#hold({ ...before, handle, ino: typeof address === 'string' && !before.passed ? identify(address) : null });
  }

  /**
   * Binds a unix socket anew whose file is gone.
   *
   * @returns null if it is there; why it cannot be had, in words, if another program has taken its path
   */
  async restore(key: string): Promise<Restored | string | null> {
    const lost = this.find(key);
    if (!lost || lost.passed || typeof lost.address !== 'string' || identify(lost.address) === lost.ino) return null;
    const path = lost.address;
    const other = await whoHas(path);
    if (other !== null) return `${other} (unix:${path})`;
    // Each its own: Node removes this name when the handle closes.
    this.#restored += 1;
    const temporary = `${path}.${this.#restored}`;
    await clearPath(temporary, lost.as);
    if (this.find(key) !== lost) return null; // closed meanwhile
    const handle = this.#bindAgain(lost, { path: temporary });
    if (typeof handle === 'number') return explain(handle, path).message;
    closeListener(lost); // takes what is left on the path with it
    this.#held.splice(this.#held.indexOf(lost), 1);
    const listener = this.#hold({ ...lost, handle, ino: identify(temporary) });
    return { listener, reveal: () => actAs(lost.as, () => renameSync(temporary, path)) };
  }

  /** Remembers who may connect to the unix sockets, for when one has to be bound anew. */
  noteAccess(): void {
    for (const { key, address, ino } of this.#held) {
      const seen = typeof address === 'string' ? readPermissions(address, ino) : null;
      if (seen) this.#permissions.set(key, seen);
    }
  }

  /** Binds an address once more, as open as it was. */
  #bindAgain({ key, as }: Listener, to: BindTo): Handle | number {
    return bindAs(as, to, this.#permissions.get(key));
  }

  #hold(listener: Listener): Listener {
    this.#held.push(listener);
    this.#byKey.set(listener.key, Promise.resolve(listener));
    return listener;
  }

  /** Lets go of every address; unix sockets are removed. */
  close(): void {
    for (const listener of this.#held.splice(0)) closeListener(listener);
    this.#byKey.clear();
    this.#closed.clear();
  }

  async #bind(
    to: BindTo,
    wanted: ListenArguments,
    origin: Pick<Listener, 'named' | 'asked' | 'as'>
  ): Promise<Listener> {
    const { named, as } = origin;
    if ('path' in to) await clearPath(to.path, as);
    const access = accessOf(wanted, named, this.#access);
    const bound = takeReserved(keyOf(to)) ?? bindAs(as, to, access);
    const ipv4 = { ...to, address: '0.0.0.0' };
    const handle = typeof bound === 'number' && anyAddress(to) ? bindHandle(ipv4) : bound;
    if (typeof handle === 'number') throw explain(typeof bound === 'number' ? bound : handle, to);
    const address = readAddress(handle, to);
    if (typeof address === 'number') {
      handle.close();
      throw explain(address, to);
    }
    try {
      if (typeof address === 'string') await giveGroup(address, access, as);
    } catch (error) {
      handle.close();
      throw error;
    }
    const port = typeof address === 'string' ? {} : { port: address.port };
    const ipv6Only = !('path' in to) && to.ipv6Only;
    const boundTo = handle === bound ? { ...to, ...port } : { ...ipv4, ...port };
    const ino = typeof address === 'string' ? identify(address) : null;
    const listener = {
      key: keyOf({ ...to, ...port }),
      address,
      ...origin,
      handle,
      ipv6Only,
      boundTo,
      ino,
      passed: false
    };
    this.#held.push(listener);
    this.#keys.add(listener.key);
    this.noteAccess();
    return listener;
  }
}
