import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HandoverError } from '../errors.ts';
import type { AdminAddress } from '../options/admin-options.ts';
import { type AdminPorts, ORDERS, type OrderName } from './admin-ports.ts';
import { Door, type Refusal, readToken } from './door.ts';
import { Metrics } from './metrics.ts';
import { listenOn, openWhenFree, showPlace } from './opening.ts';
import { readPage } from './page-files.ts';
import { Recorder } from './recorder.ts';
import { Stream } from './stream.ts';

const HEAD_LIMIT_BYTES = 8 * 1024;
const REQUEST_MS = 5_000;
const MOST_CONNECTIONS = 256;
const TICK_MS = 1_000;

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
    await listenOn(this.#server, this.#address);
    this.#begin();
  }

  /** Opens as soon as the address is free. */
  openWhenFree(): void {
    const onLate = (reason: string) => this.#ports.announce({ level: 'warn', event: 'admin-unavailable', reason });
    openWhenFree(
      () => this.open(),
      () => this.#isClosed,
      onLate
    );
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
    const address = showPlace(this.#server, this.#address);
    announce({ level: 'info', event: 'admin', address });
    if ('path' in this.#address || /^(localhost|127\..*|::1|\[::1\])$/.test(this.#address.host)) return;
    const can = this.#door.takesOrders
      ? 'and whoever listens on the way can read the token, for nothing is encrypted'
      : 'but nobody can give orders there, since no token is set up';
    const reason = `whoever reaches ${address} sees what serves, its files, errors and log, ${can}; let it be reached by those only who may, or name a loopback address`;
    announce({ level: 'warn', event: 'admin-exposed', address, reason });
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
