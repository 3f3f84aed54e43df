import { type Handle, narrowQueue } from '../../internals/net.ts';
import type { Address } from '../../protocol/messages.ts';
import type { Channel } from '../channel.ts';
import type { Expected } from './expected.ts';

type OnConnection = (this: Gate, status: number, client?: Handle) => void;

/**
 * What an app's server holds in place of the kernel's listening socket.
 *
 * To the server it is a handle like any other. Behind it, `open` accepts on a copy of a listener that the supervisor lent, and
 * `shut` closes the copies. The server does not notice, so a pause can be taken back.
 *
 * Lifetime: from the app's `listen()` to its `close()`.
 */
export class Gate {
  /** Set by Node when the server begins to listen. */
  onconnection: OnConnection | null = null;
  /** The listener that a connection came by, while it is being handed to the server. */
  arriving: string | null = null;
  key: string | null = null;
  /** How many connections it has accepted. */
  accepted = 0;
  /** What the server says of itself. */
  address: Address | null = null;
  /** Answers `server.address()`; absent on a unix socket, where Node tells the path. */
  getsockname?: (out: object) => number;
  readonly #open = new Map<string, Handle>();
  readonly #onClose: () => void;
  #alive: NodeJS.Timeout | null;

  readonly #expected: Expected;

  constructor(expected: Expected, onClose: () => void) {
    this.#expected = expected;
    this.#onClose = onClose;
    // A listening server keeps its process alive, also while it is paused and has no socket of its own.
    this.#alive = setInterval(() => {}, 2 ** 30);
  }

  setAddress(address: Address): void {
    this.address = address;
    if (typeof address === 'string') delete this.getsockname;
    else {
      this.getsockname = (out) => {
        Object.assign(out, address);
        return 0;
      };
    }
  }

  /**
   * Accepts on a copy of the listening socket.
   *
   * @returns 0, or a negative errno of the system (a bind that clashed is only reported here)
   */
  open(key: string, handle: Handle, backlog: number): number {
    this.shut(key);
    handle.onconnection = (status, client) => {
      this.accepted += 1;
      if (this.#expected.take(client)) return;
      this.arriving = key;
      this.onconnection?.(status, client);
      this.arriving = null;
    };
    const status = handle.listen(backlog);
    if (status === 0) this.#open.set(key, handle);
    else handle.close();
    return status;
  }

  /** Lets hardly anybody in who is not in the kernel's queue already. @returns whether that was to be had anywhere */
  narrow(): boolean {
    return [...this.#open.values()].map(narrowQueue).includes(true);
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /** Gives a copy of what it accepts on to the next supervisor, except of those that it gets anyway. */
  give(channel: Channel, except: readonly string[]): void {
    for (const [key, handle] of this.#open) if (!except.includes(key)) channel.send({ type: 'kept', key }, handle);
  }

  /** Closes the copies. Connections in the kernel's queue wait there until another worker accepts. */
  shut(key?: string): void {
    for (const [name, handle] of this.#open) {
      if (key !== undefined && name !== key) continue;
      handle.close();
      this.#open.delete(name);
    }
  }

  /** Called by Node: the server listens. It accepts when the supervisor says so. */
  listen(): number {
    return 0;
  }

  /** Called by Node: the app closed its server. */
  close(done?: () => void): void {
    this.shut();
    if (this.#alive) clearInterval(this.#alive);
    this.#alive = null;
    this.#onClose();
    if (done) setImmediate(done);
  }

  ref(): void {
    this.#alive?.ref();
  }

  unref(): void {
    this.#alive?.unref();
  }

  hasRef(): boolean {
    return this.#alive?.hasRef() ?? false;
  }
}
