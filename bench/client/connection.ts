import { connect, type Socket } from 'node:net';
import type { Exchange } from './exchange.ts';
import { ParseError, type ResponseHead } from './head.ts';
import type { FailureKind, ReconnectCause, Target } from './model.ts';
import { ResponseParser } from './parser.ts';

/** Records how every exchange ends. */
export interface ResultRecorder {
  answer(exchange: Exchange, head: ResponseHead): void;
  fail(exchange: Exchange, kind: FailureKind, detail: string): void;
  /** Counts an answered exchange as failed: something more came for it after its answer. */
  failAnswered(exchange: Exchange, detail: string): void;
}

export type ConnectionOptions = {
  readonly target: Target;
  readonly recorder: ResultRecorder;
  /** Called once if a connection that was to be kept ends without the client's doing. */
  readonly onEnded?: (cause: ReconnectCause) => void;
  /** Called once, when the socket is gone. */
  readonly onGone: (connection: Connection) => void;
  /** Reads this slowly: a pause after each so many bytes. */
  readonly throttle?: { readonly bytes: number; readonly pauseMs: number };
};

/** One for all sockets: bytes are used up before the next read begins. */
const incoming = Buffer.alloc(65_536);
/** How many ended exchanges are remembered, to tell whose surplus answer it is. */
const PAST_MAX = 8;

/**
 * One socket, and the requests outstanding on it in the order they were written.
 *
 * Invariant: each exchange that was begun is settled exactly once, whatever the
 * server does, and at the latest when the socket is gone.
 */
export class Connection {
  readonly openedAt = performance.now();
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  readonly #waiting: Exchange[] = [];
  readonly #past: Exchange[] = [];
  #head: ResponseHead | null = null;
  /** Whose answer is being read; null before its head is complete, and for a surplus one. */
  #reading: Exchange | null = null;
  #surplus = false;
  #connected = false;
  /** When it stopped taking requests, or 0. */
  #endedAt = 0;
  #readSincePause = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#parser = new ResponseParser({
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => {
        if (this.#reading && this.#head?.status === 200) this.#reading.body.take(bytes);
      },
      onEnd: () => this.#onEnd()
    });
    const onread = { buffer: incoming, callback: (length: number) => this.#onBytes(incoming.subarray(0, length)) };
    this.#socket = connect({ ...options.target, noDelay: true, autoSelectFamily: false, onread });
    this.#socket.on('connect', () => {
      this.#connected = true;
    });
    this.#socket.on('end', () => this.#onFin());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#socket.on('close', () => {
      this.#loseAll('reset', 'the socket was gone'); // a safety net: every way here has settled them already
      options.onGone(this);
    });
  }

  /** True while requests may be written to it. */
  get usable(): boolean {
    return this.#endedAt === 0;
  }

  /** Takes responsibility for a request whose bytes are about to be written. */
  begin(exchange: Exchange): void {
    exchange.openedAt = this.openedAt;
    this.#waiting.push(exchange);
  }

  write(data: string | Buffer): void {
    if (this.usable) this.#socket.write(data, 'latin1');
  }

  /** Writes the pieces of one chunk as one. */
  writeTogether(pieces: readonly (string | Buffer)[]): void {
    this.#socket.cork();
    for (const piece of pieces) this.write(piece);
    this.#socket.uncork();
  }

  /** Says FIN and goes on reading until the other side does: surplus bytes still count. */
  end(): void {
    if (!this.usable) return;
    this.#endedAt = performance.now();
    this.#socket.end();
  }

  /** Gives up what has waited since before `sentBefore`, and closing since before `endedBefore`. */
  sweep(sentBefore: number, endedBefore: number): void {
    const [first] = this.#waiting;
    if (first && first.sentAt < sentBefore) {
      this.#loseAll('timeout', this.#parser.midway ? 'only part of the answer came' : 'no answer came');
      this.#destroy();
    } else if (this.#endedAt > 0 && this.#endedAt < endedBefore) this.#destroy();
  }

  #onBytes(bytes: Buffer): boolean {
    try {
      this.#parser.feed(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      if (this.#waiting.length > 0) this.#loseAll('badAnswer', `unparsable: ${error.message}`);
      else this.#failLastAnswered(`surplus bytes: ${error.message}`);
      this.#destroy();
      return true;
    }
    if (this.#waiting.length === 0 && this.#parser.midway) {
      this.#failLastAnswered('surplus bytes with no request outstanding');
      this.#destroy();
    }
    return !this.#isTimeToPause(bytes.length);
  }

  #onHead(head: ResponseHead): void {
    const [first] = this.#waiting;
    this.#head = head;
    this.#reading = first ?? null;
    if (first && (head.id === null || head.id === first.id)) return;
    const again = this.#past.find(({ id }) => id === head.id);
    if (again || !first) {
      this.#surplus = true;
      this.#reading = null;
    }
    if (again) {
      this.#options.recorder.failAnswered(again, `another answer with this id: ${head.status} ${head.reason}`);
    } else if (!first) this.#failLastAnswered(`${head.status} ${head.reason} with no request outstanding`);
  }

  #onEnd(): void {
    const head = this.#head;
    const exchange = this.#reading;
    this.#reading = null;
    this.#surplus = false;
    if (!head) return;
    if (exchange) {
      this.#waiting.shift();
      this.#past.push(exchange);
      if (this.#past.length > PAST_MAX) this.#past.shift();
      this.#options.recorder.answer(exchange, head);
    }
    if (head.close) this.#onAskedToClose();
    else if (exchange && !exchange.written) {
      this.#loseAll('closedWithoutAnswer', 'the request before it was answered before it was written');
      this.#destroy();
    }
  }

  #onAskedToClose(): void {
    this.#endByServer('asked');
    this.#loseAll('closedWithoutAnswer', 'the answer before it said Connection: close');
    this.#socket.end();
  }

  #onFin(): void {
    if (this.#parser.midway && !this.#parser.finish()) this.#loseFirst('FIN in the middle of the answer');
    this.#loseAll('closedWithoutAnswer', 'FIN instead of an answer');
    this.#endByServer('closed');
  }

  #onError(error: NodeJS.ErrnoException): void {
    const code = error.code ?? error.message;
    if (!this.#connected) this.#loseAll('refused', code);
    if (this.#parser.midway) this.#loseFirst(`${code} in the middle of the answer`);
    this.#loseAll('reset', `${code} instead of an answer`);
    this.#endByServer('reset');
  }

  /** Ends a connection the client wanted to keep; it is no reconnect when that already cost a request. */
  #endByServer(cause: ReconnectCause): void {
    if (this.usable) this.#options.onEnded?.(cause);
    this.#endedAt ||= performance.now();
  }

  #destroy(): void {
    this.#endedAt ||= performance.now();
    this.#socket.destroy();
  }

  #loseFirst(detail: string): void {
    const exchange = this.#surplus ? undefined : this.#waiting.shift();
    this.#endedAt ||= performance.now();
    if (exchange) this.#options.recorder.fail(exchange, 'cutShort', detail);
  }

  /** Settles all that is outstanding. */
  #loseAll(kind: FailureKind, detail: string): void {
    for (const exchange of this.#waiting.splice(0)) {
      this.#endedAt ||= performance.now();
      this.#options.recorder.fail(exchange, kind, detail);
    }
  }

  #failLastAnswered(detail: string): void {
    const last = this.#past.at(-1);
    if (last) this.#options.recorder.failAnswered(last, detail);
  }

  #isTimeToPause(length: number): boolean {
    const { throttle } = this.#options;
    if (!throttle) return false;
    this.#readSincePause += length;
    if (this.#readSincePause < throttle.bytes) return false;
    this.#readSincePause = 0;
    setTimeout(() => this.#socket.resume(), throttle.pauseMs);
    return true;
  }
}
