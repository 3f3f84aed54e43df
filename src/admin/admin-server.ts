import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HandoverError } from '../errors.ts';
import { explain } from '../host/listeners/explain.ts';
import { clearPath } from '../host/listeners/unix-paths.ts';
import type { AdminAddress } from '../options/admin-options.ts';
import { type AdminPorts, ORDERS, type OrderName } from './admin-ports.ts';
import { Door, type Refusal, readToken } from './door.ts';
import { Metrics } from './metrics.ts';
import { readPage } from './page-files.ts';
import { Recorder } from './recorder.ts';
import { Stream } from './stream.ts';

const HEAD_LIMIT_BYTES = 8 * 1024;
const REQUEST_MS = 5_000;
const MOST_CONNECTIONS = 256;
const TICK_MS = 1_000;
/** How soon it is tried again to have an address that the supervisor before, or another program, still has. */
const AGAIN_MS = 100;
const LATER_MS = 5_000;
const SOON_FOR_MS = 10_000;

/** Whatever is answered is for here and now, and holds nothing that a browser may run or frame. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin'
} as const;

/** What operators and their tools look at: one small HTTP server of the supervisor, which answers however the app is. */
export class AdminServer {
  readonly #ports: AdminPorts;
  readonly #address: AdminAddress;
  readonly #door: Door;
  readonly #metrics: Metrics;
  readonly #recorder = new Recorder();
  readonly #stream: Stream;
  readonly #page = readPage();
  readonly #server = createServer(
    { maxHeaderSize: HEAD_LIMIT_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => void this.#answer(request, response)
  );
  readonly #undo: (() => void)[] = [];
  #isClosed = false;

  /** @throws HANDOVER_ERR_OPTION_INVALID where the token cannot be used */
  constructor(address: AdminAddress, tokenFile: string | null, ports: AdminPorts) {
    if (tokenFile !== null) readToken(tokenFile);
    this.#ports = ports;
    this.#address = address;
    this.#door = new Door(tokenFile, 'path' in address);
    this.#metrics = new Metrics(ports);
    this.#stream = new Stream(ports, this.#recorder, this.#door.takesOrders);
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('error', () => {}); // of a listen that failed: whoever called it was told
  }

  /** @throws HANDOVER_ERR_LISTEN_IN_USE, HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_LISTEN_ADDRESS */
  async open(): Promise<void> {
    await this.#listen();
    this.#begin();
  }

  /** Opens as soon as the address is free: the supervisor before may still have it. Nothing that serves depends on it. */
  openWhenFree(): void {
    const began = performance.now();
    let told = false;
    const attempt = async () => {
      try {
        if (!this.#isClosed) await this.open();
      } catch (error) {
        const soon = performance.now() - began < SOON_FOR_MS;
        const { message } = HandoverError.from(error);
        if (!soon && !told) this.#ports.announce({ level: 'warn', event: 'admin-unavailable', reason: message });
        told ||= !soon;
        setTimeout(() => void attempt(), soon ? AGAIN_MS : LATER_MS).unref();
      }
    };
    void attempt();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const one of this.#undo) one();
    this.#stream.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #begin(): void {
    if (this.#isClosed) return this.#server.close() && undefined;
    const { watch, onBeat, announce } = this.#ports;
    const timer = setInterval(() => this.#stream.takePoint(this.#recorder.tick()), TICK_MS).unref();
    this.#undo.push(
      () => clearInterval(timer),
      watch((event) => {
        this.#metrics.takeEvent(event);
        this.#stream.takeEvent(event);
      }),
      onBeat((beat) => {
        this.#metrics.takeBeat(beat);
        this.#recorder.takeBeat(beat);
        this.#stream.takeBeat(beat);
      })
    );
    const address = this.#shown;
    announce({ level: 'info', event: 'admin', address });
    if ('path' in this.#address || /^(localhost|127\..*|::1|\[::1\])$/.test(this.#address.host)) return;
    const can = this.#door.takesOrders
      ? 'and whoever listens on the way can read the token, for nothing is encrypted'
      : 'but nobody can give orders there, since no token is set up';
    const reason = `whoever reaches ${address} sees what serves, its files, errors and log, ${can}; let it be reached by those only who may, or name a loopback address`;
    announce({ level: 'warn', event: 'admin-exposed', address, reason });
  }

  get #shown(): string {
    if ('path' in this.#address) return `unix:${this.#address.path}`;
    const { host } = this.#address;
    const bound = this.#server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : this.#address.port;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async #listen(): Promise<void> {
    const address = this.#address;
    // Left over by a supervisor that was killed.
    if ('path' in address) await clearPath(address.path);
    await new Promise<void>((done, fail) => {
      const refuse = (error: NodeJS.ErrnoException) =>
        fail(
          error.errno === undefined
            ? error
            : explain(
                error.errno,
                'path' in address ? address : { address: address.host, port: address.port, ipv6Only: false }
              )
        );
      this.#server.once('error', refuse);
      this.#server.listen({ ...address, exclusive: true }, () => {
        this.#server.off('error', refuse);
        done();
      });
    });
    if ('path' in address) chmodSync(address.path, 0o660);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // whatever it sends is not read
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      await this.#route(request, response);
    } catch (error) {
      const { message, code } = HandoverError.from(error);
      send(response, 500, 'application/json', JSON.stringify({ ok: false, code, message }));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const [, name] = /^\/orders\/(\w+)$/.exec(path) ?? [];
    const isForPeople = name !== undefined || path === '/stream' || this.#page.has(path);
    const refusal = this.#door.refuseHost(request.headers, isForPeople);
    if (refusal) return refuse(response, refusal);
    const isOrder = ORDERS.includes(name as OrderName);
    const wanted = isOrder ? ['POST'] : ['GET', 'HEAD'];
    if (!wanted.includes(request.method ?? '')) {
      response.setHeader('allow', wanted.join(', '));
      return send(response, 405, 'text/plain', `${path.slice(0, 100)} takes ${wanted.join(' and ')}\n`);
    }
    if (isOrder) return this.#order(name as OrderName, request, response);
    const file = this.#page.get(path);
    if (file) return send(response, 200, file.type, file.body);
    switch (path) {
      case '/metrics':
        return send(response, 200, this.#metrics.contentType, await this.#metrics.write(await this.#ports.status()));
      case '/ready': {
        const { ready, reason } = this.#ports.readiness();
        return send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, reason })}\n`);
      }
      case '/live':
        return send(response, 200, 'application/json', '{"live":true}\n');
      case '/stream':
        if (this.#stream.isFull) return send(response, 503, 'text/plain', 'too many pages are open\n');
        setHeaders(response);
        return this.#stream.open(response);
      default:
        return send(response, 404, 'text/plain', 'There is: /, /metrics, /ready, /live\n');
    }
  }

  async #order(name: OrderName, { headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#door.refuseOrder(headers);
    if (refusal) return refuse(response, refusal);
    try {
      send(response, 200, 'application/json', JSON.stringify(await this.#ports.order(name)));
    } catch (error) {
      const { code, what, why, fix, active } = HandoverError.from(error);
      send(response, 409, 'application/json', JSON.stringify({ ok: false, code, what, why, fix, active }));
    }
  }
}

function refuse(response: ServerResponse, { status, why, fix }: Refusal): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  send(response, status, 'application/json', `${JSON.stringify({ ok: false, why, fix })}\n`);
}

function setHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  setHeaders(response);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
