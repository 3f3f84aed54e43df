import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const incoming = Buffer.alloc(65_536);

export interface LoadConnectionEvents {
  /** The outstanding request ended: answered with 200 in full, or lost. */
  onEnded(connection: LoadConnection, answered: boolean): void;
  /** The connection is gone; nothing is outstanding on it. */
  onGone(connection: LoadConnection): void;
}

/** Another server that gets a share of the requests, on a connection of its own beside the first. */
export interface Beside {
  readonly port: number;
  readonly share: number;
}

/**
 * One connection that sends one small request at a time, as cheaply as Node can: the server must be what is slow.
 *
 * It checks status and length and nothing more; whether every answer is the right one is the strict client's business.
 */
export class LoadConnection {
  /** When the outstanding request was meant to be sent. */
  intendedAt = 0;
  busy = false;
  /** Whether another version gave the last answer than the one before it; known only where it asks in somebody's name. */
  hasMoved = false;
  /** The version that gave the last answer; known only then, too. */
  version = '';
  readonly #socket: Socket;
  readonly #beside: { readonly socket: Socket; readonly share: number } | null;
  readonly #events: LoadConnectionEvents;
  readonly #nextRequest: (() => string) | null;
  #text = '';
  #gone = false;

  /** @param nextRequest what it sends each time, where that is not always the same */
  constructor(
    port: number,
    events: LoadConnectionEvents,
    nextRequest: (() => string) | null = null,
    beside: Beside | null = null
  ) {
    this.#events = events;
    this.#nextRequest = nextRequest;
    this.#socket = this.#connect(port);
    this.#beside = beside && { socket: this.#connect(beside.port), share: beside.share };
  }

  #connect(port: number): Socket {
    const callback = (bytes: number) => this.#read(incoming.toString('latin1', 0, bytes));
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: incoming, callback } });
    for (const event of ['error', 'end', 'close']) socket.on(event, () => this.#lose());
    return socket;
  }

  /** Sends one request. `kept: false` asks the server to close after its answer. */
  ask(intendedAt: number, kept = true): void {
    this.intendedAt = intendedAt;
    this.busy = true;
    const beside = this.#beside;
    const socket = beside && Math.random() < beside.share ? beside.socket : this.#socket;
    socket.write(kept ? (this.#nextRequest?.() ?? KEPT) : LAST, 'latin1');
  }

  get usable(): boolean {
    return !this.#gone;
  }

  end(): void {
    this.#gone = true;
    this.#socket.destroy();
    this.#beside?.socket.destroy();
  }

  #read(chunk: string): boolean {
    const text = this.#text === '' ? chunk : this.#text + chunk;
    const head = text.indexOf(HEAD_END);
    const length = head < 0 ? -1 : lengthOf(text);
    if (length < 0 || text.length < head + HEAD_END.length + length) {
      this.#text = text;
      return true;
    }
    this.#text = '';
    this.busy = false;
    if (this.#nextRequest) this.#noteVersion(text);
    // By the rules of the protocol, nothing may be asked on a connection after an answer that ends it.
    const last = text.includes('onnection: close\r\n');
    if (last) this.end();
    this.#events.onEnded(this, text.startsWith('HTTP/1.1 200'));
    if (last) this.#events.onGone(this);
    return true;
  }

  #noteVersion(text: string): void {
    const version = /x-version: (\S+)/i.exec(text)?.[1] ?? '';
    this.hasMoved = this.version !== '' && version !== this.version;
    this.version = version;
  }

  #lose(): void {
    if (this.#gone) return;
    this.end();
    if (this.busy) {
      this.busy = false;
      this.#events.onEnded(this, false);
    }
    this.#events.onGone(this);
  }
}

const KEPT = 'GET /answer HTTP/1.1\r\nHost: app\r\nx-id: 1\r\n\r\n';
const LAST = 'GET /answer HTTP/1.1\r\nHost: app\r\nx-id: 1\r\nConnection: close\r\n\r\n';

/** A request of one of so many users, picked at random, who is known by a cookie. */
export function askAsUser(users: number): string {
  const user = Math.floor(Math.random() * users);
  return `GET /answer HTTP/1.1\r\nHost: app\r\nx-id: 1\r\nCookie: theme=dark; session=u${user}\r\n\r\n`;
}

function lengthOf(text: string): number {
  const found = /content-length: (\d+)/i.exec(text);
  return found ? Number(found[1]) : 0;
}
