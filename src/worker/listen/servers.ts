import net from 'node:net';
import tls from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { beginListening, type Handle, insideServer } from '../../internals/net.ts';
import type { Address, ListenArguments } from '../../protocol/messages.ts';
import type { Lent, WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { Gate } from './gate.ts';
import { type Call, readListen } from './listen-arguments.ts';

interface Shared {
  readonly server: net.Server;
  readonly gate: Gate;
}

type Bound = { readonly key: string; readonly address: Address } | { readonly code: string };

/**
 * The app's servers that share a listener.
 *
 * Invariant: each listener named with `--listen` has one owner. The app's servers take them in order; those that are left
 * over belong to the first server.
 */
export class Servers {
  readonly #shared: Shared[] = [];
  /** Copies of listeners that are not accepted on, unless the supervisor is gone. */
  readonly #spare = new Map<string, Handle>();
  readonly #asks = new Map<number, (bound: Bound) => void>();
  readonly #channel: Channel;
  readonly #settings: WorkerSettings;
  readonly #onServer: (server: net.Server, gate: Gate) => void;
  #lastAsk = 0;

  constructor(channel: Channel, settings: WorkerSettings, onServer: (server: net.Server, gate: Gate) => void) {
    this.#channel = channel;
    this.#settings = settings;
    this.#onServer = onServer;
  }

  /** Takes over `listen()` of every server of this process: that of `net.Server`, which http, https and http2 inherit. */
  takeOver(): void {
    const { listen } = net.Server.prototype;
    const servers = this;
    net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
      const call = readListen(args);
      if (call.asked === null || this.listening)
        return (listen as (...args: unknown[]) => net.Server).apply(this, args);
      servers.#share(this, call.asked, call);
      return this;
    } as typeof listen;
  }

  /** The server that answers for a listener, or undefined when the app has none (any more). */
  ownerOf(key: string): Shared | undefined {
    const named = this.#settings.lent.some((lent) => lent.named && lent.key === key);
    return this.#shared.find((one) => one.gate.key === key) ?? (named ? this.#shared[0] : undefined);
  }

  /** Accepts on a lent copy of the listening socket, and reports how it went. */
  open(key: string, handle: Handle): void {
    this.#dropSpare(key);
    const owner = this.ownerOf(key);
    if (!owner) {
      handle.close();
      this.#channel.send({ type: 'accept-failed', key, code: 'ENOSERVER' });
      return;
    }
    const status = owner.gate.open(key, handle, this.#settings.backlog);
    if (status === 0) this.#channel.send({ type: 'accepting', key });
    else this.#channel.send({ type: 'accept-failed', key, code: String(status) });
  }

  shut(): void {
    for (const { gate } of this.#shared) gate.shut();
    for (const key of [...this.#spare.keys()]) this.#dropSpare(key);
  }

  /** Keeps a copy of a listener, and with it the kernel's queue, without accepting. */
  keep(key: string, handle: Handle): void {
    this.#dropSpare(key);
    this.#spare.set(key, handle);
  }

  /** Accepts on the copies that were kept. */
  reopen(): void {
    const spare = [...this.#spare];
    this.#spare.clear();
    for (const [key, handle] of spare) this.open(key, handle);
  }

  /** The supervisor's answer to a `listen` of the app. */
  onBound(ask: number, bound: Bound): void {
    this.#asks.get(ask)?.(bound);
    this.#asks.delete(ask);
  }

  #dropSpare(key: string): void {
    this.#spare.get(key)?.close();
    this.#spare.delete(key);
  }

  #share(server: net.Server, wanted: ListenArguments, { callback, signal }: Call): void {
    if (callback) server.once('listening', callback);
    if (signal) closeOnAbort(server, signal);
    const gate = new Gate(() => this.#forget(gate));
    const inside = insideServer(server);
    inside._handle = gate;
    const lent = this.#nextNamed();
    // The order of the calls decides who gets which address, so the place is taken at once.
    this.#shared.push({ server, gate });
    this.#onServer(server, gate);
    if (lent) {
      gate.key = lent.key;
      this.#begin(server, gate, lent.key, lent.address);
      return;
    }
    // Until the answer comes, `server.address()` gives what was asked for, as plain Node would.
    const { path, host = '::', port = 0 } = wanted;
    this.#tell(server, gate, path ?? { address: host, family: net.isIPv4(host) ? 'IPv4' : 'IPv6', port });
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    this.#asks.set(ask, (bound) => {
      if (inside._handle === gate) this.#take(server, gate, wanted, bound); // else the app closed it meanwhile
      this.#channel.send({ type: 'listen-done', ask });
    });
    this.#channel.send({ type: 'listen', ask, wanted });
  }

  #take(server: net.Server, gate: Gate, wanted: ListenArguments, bound: Bound): void {
    if (!('key' in bound)) return this.#fail(server, gate, wanted, bound.code);
    // Two servers of one process cannot share an address, as in plain Node.
    if (this.#shared.some((one) => one.gate.key === bound.key)) return this.#fail(server, gate, wanted, 'EADDRINUSE');
    this.#begin(server, gate, bound.key, bound.address);
  }

  #tell(server: net.Server, gate: Gate, address: Address): void {
    gate.setAddress(address);
    if (typeof address === 'string') insideServer(server)._pipeName = address;
  }

  #nextNamed(): Lent | undefined {
    return this.#settings.lent.find((lent) => lent.named && !this.#shared.some((one) => one.gate.key === lent.key));
  }

  #begin(server: net.Server, gate: Gate, key: string, address: Address): void {
    // An address that the first server had as a leftover passes to the server that asks for it.
    for (const one of this.#shared) if (one.gate !== gate) one.gate.shut(key);
    gate.key = key;
    this.#tell(server, gate, address);
    if (typeof address === 'string') beginListening(server, address, -1, this.#settings.backlog);
    else beginListening(server, address.address, address.port, this.#settings.backlog);
    this.#channel.send({ type: 'listening', key, secure: server instanceof tls.Server });
  }

  /** Emits the error that plain Node would emit. */
  #fail(server: net.Server, gate: Gate, { path, host = '::', port }: ListenArguments, code: string): void {
    insideServer(server)._handle = null;
    gate.close();
    const [errno, meaning = 'unknown error'] = SYSTEM_ERRORS.get(code) ?? [];
    const address = path ?? host;
    const where = port === undefined ? address : `${address}:${port}`;
    const details = { code, errno, syscall: 'listen', address, ...(port === undefined ? {} : { port }) };
    server.emit('error', Object.assign(new Error(`listen ${code}: ${meaning} ${where}`), details));
  }

  #forget(gate: Gate): void {
    const index = this.#shared.findIndex((one) => one.gate === gate);
    if (index >= 0) this.#shared.splice(index, 1);
    if (gate.key !== null) this.#channel.send({ type: 'unlisten', key: gate.key });
  }
}

/** The errors of the system by name, with number and text. */
const SYSTEM_ERRORS = new Map(
  [...getSystemErrorMap()].map(([errno, [name, meaning]]) => [name, [errno, meaning] as const])
);

function closeOnAbort(server: net.Server, signal: AbortSignal): void {
  const close = () => void server.close();
  if (signal.aborted) {
    process.nextTick(close);
    return;
  }
  signal.addEventListener('abort', close, { once: true });
  server.once('close', () => signal.removeEventListener('abort', close));
}
