import { lookup } from 'node:dns';
import net from 'node:net';
import tls from 'node:tls';
import { beginListening, type Handle, insideServer } from '../../internals/net.ts';
import type { Address, ListenArguments, ToWorker } from '../../protocol/messages.ts';
import { askedFor, isUndecided, ownerOf } from '../../protocol/named.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { closeOnAbort } from './close-on-abort.ts';
import { Expected } from './expected.ts';
import { Gate } from './gate.ts';
import { isGone, keepPaths } from './keep-paths.ts';
import { Leaving } from './leaving.ts';
import { type Call, readListen } from './listen-arguments.ts';
import { refuseOwnConnections } from './own-connections.ts';
import { watchPreloading } from './preloading.ts';
import { Spares } from './spares.ts';
import { systemError } from './system-errors.ts';

interface Shared {
  readonly server: net.Server;
  readonly gate: Gate;
  readonly wanted: ListenArguments;
  /** Whether it is that of a module which was loaded before the app. */
  readonly preloaded: boolean;
  /** The question whose answer says which address it gets. */
  ask: number | null;
  /** Whether Node was told that it listens. */
  begun: boolean;
  /** Whether the supervisor was told so. */
  announced: boolean;
}

type Answer = Extract<ToWorker, { type: 'bound' | 'unbound' }>;

/** How long a server on an address that a part of the service has may be a mere trial, closed again at once. */
const TRIAL_MS = 250;

/** The app's servers that share a listener. Which of them gets a named address: see `protocol/named.ts`. */
export class Servers {
  readonly expected: Expected;
  readonly spares = new Spares();
  readonly leaving = new Leaving(
    () => this.#shared.map(({ gate }) => gate),
    () => this.shut()
  );
  readonly #shared: Shared[] = [];
  readonly #channel: Channel;
  readonly #settings: WorkerSettings;
  readonly #onServer: (server: net.Server, gate: Gate) => void;
  readonly #isPreloading = watchPreloading();
  readonly #has = (key: string): boolean => this.#shared.some((one) => one.gate.key === key);
  #lastAsk = 0;
  #onPath: ((path: string) => void) | null = null;

  constructor(channel: Channel, settings: WorkerSettings, onServer: (server: net.Server, gate: Gate) => void) {
    this.expected = new Expected(channel);
    this.#channel = channel;
    this.#settings = settings;
    this.#onServer = onServer;
  }

  /** Takes over `listen()` of every server of this process: that of `net.Server`, which http, https and http2 inherit. */
  takeOver(): void {
    if (this.#settings.lent.some(({ address }) => typeof address === 'string')) this.#keepPaths();
    refuseOwnConnections(this.#settings.lent, (key) => this.ownerOf(key) !== undefined);
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
    const owner = ownerOf(this.#settings.lent, this.#has, key);
    return this.#shared.find((one) => one.gate.key === owner);
  }

  /** Accepts on a lent copy of the listening socket, and reports how it went. */
  open(key: string, handle: Handle): void {
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
  }

  /** Asks the next supervisor what the one before has not answered, and gives it what is accepted on. */
  give(): void {
    this.spares.give(this.#channel);
    for (const one of this.#shared) {
      if (one.ask !== null) this.#ask(one);
      one.gate.give(this.#channel, this.spares.keys);
    }
  }

  /** Accepts where a copy was kept and a server has it: nobody is there to lend another one. */
  reopen(): void {
    for (const key of this.spares.keys) {
      if (!this.ownerOf(key) || this.#shared.some(({ gate }) => gate.isOpen(key))) continue;
      const handle = this.spares.take(key);
      if (handle) this.open(key, handle);
    }
  }

  /** The supervisor's answer to a `listen` of the app. */
  onBound(answer: Answer): void {
    const one = this.#shared.find(({ ask }) => ask === answer.ask);
    if (!one) return; // the app closed it meanwhile
    if (answer.type === 'unbound' && answer.ours) {
      // To whoever only asks whether the address is free, it is: the version before has it, which goes.
      this.#beginListening(one);
      setTimeout(() => this.#shared.includes(one) && this.#settle(one, answer), TRIAL_MS);
    } else this.#settle(one, answer);
  }

  /** Keeps the app from removing a path on which the service answers. An app without such a path is left alone. */
  #keepPaths(): (path: string) => void {
    this.#onPath ??= keepPaths(() =>
      [...this.#settings.lent, ...this.#shared.map(({ gate }) => gate)]
        .map(({ address }) => address)
        .filter((address) => typeof address === 'string')
    );
    return this.#onPath;
  }

  #share(server: net.Server, wanted: ListenArguments, { callback, signal }: Call): void {
    if (callback) server.once('listening', callback);
    if (signal) closeOnAbort(server, signal);
    const gate = new Gate(this.expected, () => this.#forget(one));
    const preloaded = this.#isPreloading();
    const one: Shared = { server, gate, wanted, preloaded, ask: null, begun: false, announced: false };
    insideServer(server)._handle = gate;
    const { lent } = this.#settings;
    const asked = one.preloaded ? undefined : askedFor(lent, wanted);
    const free = asked && this.#shared.every((other) => other.gate.key !== asked.key || !asksAlso(other, asked));
    const gone = wanted.path !== undefined && asked?.address === wanted.path && isGone(wanted.path);
    const undecided = !gone && !one.preloaded && isUndecided(lent, this.#has, wanted);
    this.#shared.push(one);
    this.#onServer(server, gate);
    if (wanted.path !== undefined) this.#keepPaths()(wanted.path);
    // Where its file is gone, the supervisor puts it back first: the app may set its mode as soon as it listens.
    if (asked && free && !gone) return this.#begin(one, asked.key, asked.address);
    // Until the answer comes, `server.address()` gives what was asked for, as plain Node would.
    const { path, host = '::', port = 0 } = wanted;
    this.#tell(one, path ?? { address: host, family: net.isIPv4(host) ? 'IPv4' : 'IPv6', port });
    // The app may wait for this server before it makes the one that asks for the named address.
    if (undecided) this.#beginUndecided(one);
    this.#ask(one);

    function asksAlso(other: Shared, { key }: { key: string }): boolean {
      return askedFor(lent, other.wanted)?.key === key;
    }
  }

  /** Frameworks make a server for each further address of a host: it has to be looked up before they ask which they have. */
  #beginUndecided(one: Shared): void {
    const { host, port = 0 } = one.wanted;
    if (host === undefined || net.isIP(host) !== 0) return this.#beginListening(one);
    lookup(host, (error, address, family) => {
      if (one.begun || !this.#shared.includes(one)) return;
      if (!error) this.#tell(one, { address, family: `IPv${family}`, port });
      this.#beginListening(one);
    });
  }

  #ask(one: Shared): void {
    this.#lastAsk += 1;
    one.ask = this.#lastAsk;
    this.#channel.send({ type: 'listen', ask: this.#lastAsk, wanted: one.wanted, preloaded: one.preloaded });
  }

  #settle(one: Shared, answer: Answer): void {
    if (answer.type === 'bound' && !this.#has(answer.key)) return this.#begin(one, answer.key, answer.address);
    one.ask = null;
    // Two servers of one process cannot have one address, here as in plain Node.
    this.#fail(one, answer.type === 'unbound' ? answer.code : 'EADDRINUSE');
    const refused = answer.type === 'unbound' && answer.ours;
    this.#channel.send({ type: 'listen-done', ask: answer.ask, refused });
  }

  #tell({ server, gate }: Shared, address: Address): void {
    gate.setAddress(address);
    if (typeof address === 'string') insideServer(server)._pipeName = address;
  }

  #begin(one: Shared, key: string, address: Address): void {
    one.gate.key = key;
    this.#tell(one, address);
    this.#beginListening(one);
    // Whoever only tries whether an address is free closes its server as soon as it hears that it listens: that is nobody's news.
    setImmediate(() => this.#shared.includes(one) && this.#announce(one, key));
  }

  #announce(one: Shared, key: string): void {
    // An address that another server answered for until now passes to the one that asked for it.
    const displaced = this.#shared.find((other) => other !== one && other.gate.key === key);
    for (const other of this.#shared) if (other !== one) other.gate.shut(key);
    if (displaced) {
      displaced.gate.key = null;
      displaced.announced = false;
    }
    one.announced = true;
    const { server, preloaded } = one;
    this.#channel.send({ type: 'listening', key, secure: server instanceof tls.Server, preloaded });
    this.#done(one);
    if (displaced) this.#ask(displaced);
  }

  #done(one: Shared): void {
    if (one.ask !== null) this.#channel.send({ type: 'listen-done', ask: one.ask, refused: false });
    one.ask = null;
  }

  #beginListening(one: Shared): void {
    if (one.begun) return;
    one.begun = true;
    const { server, gate, wanted } = one;
    const address = gate.address ?? wanted.path ?? '::';
    if (typeof address === 'string') beginListening(server, address, -1, this.#settings.backlog);
    else beginListening(server, address.address, address.port, this.#settings.backlog);
  }

  /** Emits the error that plain Node would emit. */
  #fail({ server, gate, wanted }: Shared, code: string): void {
    insideServer(server)._handle = null;
    gate.close();
    server.emit('error', systemError('listen', code, wanted));
  }

  #forget(one: Shared): void {
    const index = this.#shared.indexOf(one);
    if (index >= 0) this.#shared.splice(index, 1);
    this.#done(one);
    if (one.announced && one.gate.key !== null) this.#channel.send({ type: 'unlisten', key: one.gate.key });
  }
}
