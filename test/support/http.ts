import http from 'node:http';
import net from 'node:net';
import { inTime } from './wait.ts';

/** Where a service answers: over TCP or on a unix socket. */
export type Target = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** What `x-version` said. */
  readonly version: string;
  /** What `x-pid` said. */
  readonly pid: number;
}

/** Reads `host:port`, `[ipv6]:port` or `unix:/path`, as `service.addresses` has them. */
export function toTarget(address: string): Target {
  if (address.startsWith('unix:')) return { socketPath: address.slice(5) };
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const anywhere = host === '::' || host === '0.0.0.0';
  return { host: anywhere ? '127.0.0.1' : host, port: Number(address.slice(at + 1)) };
}

/** One client with one kept-alive connection at a time. It counts the connections that it needed. */
export class Client {
  readonly target: Target;
  #sockets = 0;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(target: Target) {
    this.target = target;
    const connect = this.#agent.createConnection.bind(this.#agent);
    this.#agent.createConnection = (...args: Parameters<typeof connect>) => {
      this.#sockets += 1;
      return connect(...args);
    };
  }

  /** How many connections were opened so far: 1 for a client that never had to reconnect. */
  get sockets(): number {
    return this.#sockets;
  }

  get(path = '/', headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.send('GET', path, headers);
  }

  post(path: string, body: string): Promise<Answer> {
    return this.send('POST', path, { 'content-type': 'application/json' }, body);
  }

  close(): void {
    this.#agent.destroy();
  }

  send(method: string, path: string, headers: http.OutgoingHttpHeaders, body?: string): Promise<Answer> {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const answer = new Promise<Answer>((done, fail) => {
      const options = { ...this.target, method, path, agent: this.#agent, headers: { ...headers, ...length } };
      const request = http.request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => done(describe(response, Buffer.concat(chunks).toString())));
      });
      request.on('error', fail);
      request.end(body);
    });
    return inTime(answer, `an answer to ${method} ${path} from ${JSON.stringify(this.target)}`);
  }
}

/** Asks once, on a connection of its own. */
export async function ask(target: Target, path = '/'): Promise<Answer> {
  const client = new Client(target);
  try {
    return await client.get(path, { connection: 'close' });
  } finally {
    client.close();
  }
}

function describe({ statusCode = 0, headers }: http.IncomingMessage, body: string): Answer {
  return { status: statusCode, headers, body, version: String(headers['x-version']), pid: Number(headers['x-pid']) };
}

/** A connection by hand, for what an HTTP client would hide. It reads all the time. */
export class Raw {
  readonly socket: net.Socket;
  /** Everything received. */
  text = '';
  readonly #ended: Promise<void>;

  constructor(target: Target) {
    this.socket = net.connect('socketPath' in target ? { path: target.socketPath } : target);
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.socket.emit('more');
    });
    this.#ended = new Promise((done, fail) => this.socket.once('end', done).once('error', fail));
    this.#ended.catch(() => {}); // told to whoever waits for it
  }

  /**
   * Sends a request without a body and waits for the whole answer.
   *
   * @param ending how it ends: the last chunk, unless the app says how long its answer is
   */
  async get(path: string, ending = '\r\n0\r\n\r\n'): Promise<string> {
    const from = this.text.length;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await this.seen(() => this.text.slice(from).endsWith(ending), `an answer to ${path}`);
    return this.text.slice(from);
  }

  async seen(isSo: () => boolean, missing: string): Promise<void> {
    const arrived = new Promise<void>((done) => {
      const look = () => {
        if (isSo()) done();
        else this.socket.once('more', look);
      };
      look();
    });
    await inTime(
      Promise.race([arrived, this.ended(missing).then(() => Promise.reject(new Error(`ended: ${missing}`)))]),
      missing
    );
  }

  /** Waits until the server has ended the connection in good order. */
  ended(missing = 'the end of the connection'): Promise<void> {
    return inTime(this.#ended, missing);
  }
}
