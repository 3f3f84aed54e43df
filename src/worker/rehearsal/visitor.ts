import net from 'node:net';

// As it is before anything else is loaded: the agent of a monitoring service may replace it.
const { connect } = net.Socket.prototype;

const HEAD = 'HTTP/1.1\r\nHost: handover\r\nAccept: */*\r\nUser-Agent: rehearsal\r\n';

/** What is asked, so that V8 sees every kind of request. */
export const REQUESTS = {
  get: `GET / ${HEAD}\r\n`,
  later: `GET /later?in=a-moment ${HEAD}\r\n`,
  post: `POST / ${HEAD}Content-Length: 4\r\n\r\nbody`,
  last: `GET / ${HEAD}Connection: close\r\n\r\n`,
  upgrade: `GET / ${HEAD}Connection: Upgrade\r\nUpgrade: rehearsal\r\n\r\n`
} as const;

/** One kept-alive connection to a server of our own, over which one request is asked at a time. */
export class Visitor {
  readonly #socket = new net.Socket();
  #settle = () => {};

  /** @throws Error of the system, where there is no connection */
  async open(port: number): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('connect', resolve).on('error', reject);
      connect.call(this.#socket, { port, host: '127.0.0.1', noDelay: true } as never);
    });
    this.#socket.on('data', () => this.#settle());
    this.#socket.on('close', () => this.#settle());
    return this;
  }

  /** Resolves when an answer has come, or the connection has ended. */
  ask(kind: keyof typeof REQUESTS): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#socket.write(REQUESTS[kind]);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
