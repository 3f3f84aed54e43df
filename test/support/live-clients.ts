import http from 'node:http';
import { WebSocket } from 'ws';
import { until } from './wait.ts';

/** What was seen of a WebSocket's answers. */
interface Answer {
  readonly number: string;
  readonly version: string;
  readonly user: string;
  readonly heard: number;
  readonly length: number;
}

/**
 * A client of a WebSocket that sends numbered messages, each after the answer to the one before, and connects again when it was
 * closed. What was not answered when it was closed is lost.
 */
export class NumberedSocket {
  readonly closes: { readonly code: number; readonly at: number }[] = [];
  readonly wrong: string[] = [];
  answers = 0;
  version = '';
  heard = 0;
  readonly #url: string;
  readonly #user: string;
  readonly #everyMs: number;
  readonly #compress: boolean;
  #socket: WebSocket | null = null;
  #number = 0;
  #waiting: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(port: number, user: string, { everyMs = 200, compress = false } = {}) {
    this.#url = `ws://127.0.0.1:${port}`;
    this.#user = user;
    this.#everyMs = everyMs;
    this.#compress = compress;
    this.#connect();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  leave(): void {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, {
      headers: { 'x-user': this.#user },
      perMessageDeflate: this.#compress
    });
    this.#socket = socket;
    socket.on('open', () => this.#sendLater());
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Answer));
    socket.on('error', () => {}); // `close` follows
    socket.on('close', (code) => {
      if (this.#isOver) return;
      this.closes.push({ code, at: performance.now() });
      if (this.#waiting !== null) this.wrong.push(`${this.#waiting} was not answered before ${code}`);
      this.#waiting = null;
      setTimeout(() => this.#isOver || this.#connect(), 10);
    });
  }

  #sendLater(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), this.#everyMs * (0.75 + Math.random() / 2));
  }

  #send(): void {
    if (!this.isOpen) return;
    this.#number += 1;
    this.#waiting = String(this.#number);
    // Some are of many packets, and some of many frames.
    const text = `${this.#waiting} ${this.#number % 7 === 0 ? 'x'.repeat(70_000) : ''}`;
    if (this.#number % 5 === 0) {
      this.#socket?.send(text.slice(0, 1), { fin: false });
      this.#socket?.ping();
      this.#socket?.send(text.slice(1), { fin: true });
    } else this.#socket?.send(text);
  }

  #take({ number, user, version, heard }: Answer): void {
    if (number !== this.#waiting) this.wrong.push(`${number} was answered instead of ${this.#waiting}`);
    if (user !== this.#user) this.wrong.push(`${number} of ${this.#user} was answered as of ${user}`);
    this.#waiting = null;
    this.answers += 1;
    this.version = version;
    this.heard = heard;
    this.#sendLater();
  }
}

/** A client of a stream of numbered events, as EventSource is one. */
export class NumberedStream {
  opened = 0;
  events = 0;
  version = '';
  readonly wrong: string[] = [];
  readonly #port: number;
  readonly #path: string;
  readonly #agent = new http.Agent({ keepAlive: true });
  /** Answers other than a stream; the client does not come back after 204. */
  readonly statuses: number[] = [];
  #last = 0;
  #request: http.ClientRequest | null = null;
  #isOver = false;

  constructor(port: number, path: '/numbered' | '/plain') {
    this.#port = port;
    this.#path = path;
    this.#open();
  }

  leave(): void {
    this.#isOver = true;
    this.#request?.destroy();
    this.#agent.destroy();
  }

  #open(): void {
    this.opened += 1;
    const last = this.#path === '/numbered' && this.#last > 0 ? { 'last-event-id': String(this.#last) } : {};
    const headers = { accept: 'text/event-stream', ...last };
    const again = () => this.#isOver || setTimeout(() => this.#isOver || this.#open(), 50);
    this.#request = http.get({ port: this.#port, path: this.#path, agent: this.#agent, headers }, (response) => {
      if (response.statusCode !== 200) this.statuses.push(response.statusCode ?? 0);
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        const events = (text + part).split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) this.#take(event);
      });
      response.on('error', () => {}); // `close` follows
      response.on('close', () => {
        if (this.#isOver) return;
        if (text !== '') this.wrong.push(`it was cut in the middle of ${JSON.stringify(text)}`);
        if (!response.complete) this.wrong.push('it was cut');
        if (response.statusCode !== 204) again();
      });
    });
    this.#request.on('error', (error) => {
      if (this.#isOver) return;
      this.wrong.push(String(error));
      again();
    });
  }

  #take(event: string): void {
    const [, version = '', number = ''] = /^data: (\S+) (\d+)$/m.exec(event) ?? [];
    if (version === '') this.wrong.push(`no event: ${JSON.stringify(event)}`);
    if (this.#path === '/numbered' && Number(number) !== this.#last + 1)
      this.wrong.push(`${number} came after ${this.#last}`);
    this.#last = Number(number);
    this.version = version;
    this.events += 1;
  }
}

/** Waits until each has been answered a few times more. */
export async function moreOf(clients: readonly (NumberedSocket | NumberedStream)[], more = 3): Promise<void> {
  const count = (one: NumberedSocket | NumberedStream) => (one instanceof NumberedSocket ? one.answers : one.events);
  const before = clients.map(count);
  await until(
    () => clients.every((one, index) => count(one) >= (before[index] ?? 0) + more),
    'each client to be answered'
  );
}
