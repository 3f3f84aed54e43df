import { connect, createServer, type NetConnectOpts } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { systemCode } from '../../errors.ts';
import type { Address, ToSupervisor } from '../../protocol/messages.ts';
import { showAddress } from '../listeners/explain.ts';
import { identify } from '../listeners/unix-paths.ts';
import type { WorkerRecord } from './worker-record.ts';

/** How long the workers are waited for that are told to expect a connection. One that is busy then takes it for a client's. */
const EXPECT_MS = 1_000;
const ACCEPT_MS = 8_000;
/** Of that time, how long the word of a worker may take that has closed the connection. */
const WORD_SHARE = 1 / 8;
/** How often it is tried with another local port, if nothing speaks against the address. */
const ATTEMPTS = 3;
/** Somebody else has the port; or whoever accepted is gone, and has told nobody. */
const AGAIN = ['EADDRINUSE', 'EADDRNOTAVAIL', 'ECONNRESET'];

const UNREF = { ref: false };
const NOBODY = ['ECONNREFUSED', 'ENOENT'];

type Records = () => readonly WorkerRecord[];

/**
 * Asks addresses whether a worker accepts there, with a connection that no app sees, and another one where that is lost.
 *
 * A connection to a unix socket could not be told from a client's, so none is made: its file has to be there, and a worker has to
 * answer.
 */
export class Reach {
  readonly #records: Records;
  readonly #acceptMs: number;
  /** By the port that the connection comes from. */
  readonly #expected = new Map<number, Expectation>();
  /** No port is below 0: there are no connections for what is asked of a path. */
  #lastPath = 0;

  /** @param acceptMs how long a connection may wait to be accepted */
  constructor(records: Records, acceptMs = ACCEPT_MS) {
    this.#records = records;
    this.#acceptMs = acceptMs;
  }

  /** @returns where nobody answers, and how that shows; null if somebody does everywhere, or it cannot be found out */
  async explainUnreached(addresses: readonly Address[]): Promise<string | null> {
    const found = await Promise.all(addresses.map((address) => this.#explain(address)));
    return found.find((why) => why !== null) ?? null;
  }

  /** A worker is about to accept: it may be the one that gets what the others were told to expect. */
  onServing({ process }: WorkerRecord): void {
    for (const port of this.#expected.keys()) process.send({ type: 'expect', port, over: false });
  }

  onMessage(record: WorkerRecord, { type, port }: Extract<ToSupervisor, { type: 'expecting' | 'expected' }>): void {
    const expectation = this.#expected.get(port);
    if (type === 'expecting') expectation?.confirm(record);
    else expectation?.accept();
  }

  async #explain(address: Address): Promise<string | null> {
    const failure =
      typeof address === 'string'
        ? await this.#askPath(address)
        : await this.#askPort(hostFor(address.address), address.port);
    const shown = showAddress(address);
    if (failure === 'ETIME') return `a connection to ${shown} was not accepted in ${this.#acceptMs / 1_000} s`;
    return failure !== null && NOBODY.includes(failure) ? `${shown} cannot be connected to (${failure})` : null;
  }

  async #askPath(path: string): Promise<string | null> {
    if (!path.startsWith('\0') && identify(path) === null) return 'ENOENT';
    this.#lastPath -= 1;
    const number = this.#lastPath;
    const expectation = this.#expect(number);
    const answered = await Promise.race([expectation.answered.then(() => null), wait(this.#acceptMs, 'ETIME', UNREF)]);
    this.#forget(number);
    return answered;
  }

  async #askPort(host: string, port: number): Promise<string | null> {
    let failure: string | null = null;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const from = await choosePort(host);
      if (from === null) return null;
      failure = await this.#askFrom(from, { host, port });
      if (failure === null || !AGAIN.includes(failure)) return failure;
    }
    return failure;
  }

  async #askFrom(from: number, to: { host: string; port: number }): Promise<string | null> {
    const expectation = this.#expect(from);
    await Promise.race([expectation.confirmed, wait(EXPECT_MS, null, UNREF)]);
    const where = { ...to, localAddress: to.host, localPort: from };
    const failure = await tryConnect(where, expectation.accepted, this.#acceptMs);
    this.#forget(from);
    return failure;
  }

  #expect(port: number): Expectation {
    const records = this.#records().filter(({ serving }) => serving);
    const expectation = new Expectation(records);
    this.#expected.set(port, expectation);
    for (const { process } of records) process.send({ type: 'expect', port, over: false });
    return expectation;
  }

  #forget(port: number): void {
    this.#expected.delete(port);
    for (const { process } of this.#records()) process.send({ type: 'expect', port, over: true });
  }
}

/** What is awaited of the workers for one connection. */
class Expectation {
  /** Every worker expects it. */
  readonly confirmed: Promise<void>;
  /** One of them does. */
  readonly answered: Promise<void>;
  readonly accepted: Promise<void>;
  readonly #unconfirmed: Set<WorkerRecord>;
  #onConfirmed = () => {};
  #onAnswered = () => {};
  #onAccepted = () => {};

  constructor(records: WorkerRecord[]) {
    this.#unconfirmed = new Set(records);
    this.confirmed = new Promise((done) => {
      this.#onConfirmed = done;
    });
    this.answered = new Promise((done) => {
      this.#onAnswered = done;
    });
    this.accepted = new Promise((done) => {
      this.#onAccepted = done;
    });
  }

  confirm(record: WorkerRecord): void {
    this.#unconfirmed.delete(record);
    this.#onAnswered();
    if (this.#unconfirmed.size === 0) this.#onConfirmed();
  }

  accept(): void {
    this.#onAccepted();
  }
}

/**
 * Connects, and waits until that is accepted.
 *
 * @returns null if it was, else the system's name for what failed (`ETIME`: nobody accepted in time; `ECONNRESET`: closed, and
 *   nobody says that he accepted it)
 */
function tryConnect(to: NetConnectOpts, accepted: Promise<void>, acceptMs: number): Promise<string | null> {
  return new Promise((done) => {
    const socket = connect(to);
    const timers = [setTimeout(end, acceptMs, 'ETIME')];
    // A worker closes what it has accepted, and its word may come after that.
    const onClose = () => timers.push(setTimeout(end, acceptMs * WORD_SHARE, 'ECONNRESET'));
    function end(failure: string | null) {
      for (const timer of timers) clearTimeout(timer);
      socket.off('close', onClose);
      socket.destroy();
      done(failure);
    }
    void accepted.then(() => end(null));
    socket.once('close', onClose);
    socket.on('error', (error) => {
      const code = systemCode(error) ?? 'unknown';
      if ((socket.pending || socket.connecting) && code !== 'ECONNRESET') end(code);
    });
  });
}

/** A local port that is free; null if none can be had, which says nothing about the service. */
function choosePort(host: string): Promise<number | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(null));
    server.listen({ host, port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => done(address !== null && typeof address === 'object' ? address.port : null));
    });
  });
}

/** What a host is to be connected to by, from this machine. */
function hostFor(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
