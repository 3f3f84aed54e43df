import { once } from 'node:events';
import net from 'node:net';
import type { ResponseHead } from '../../bench/client/head.ts';
import { ResponseParser } from '../../bench/client/parser.ts';

/** How long an answer may take before the connection counts as lost. */
const WAIT_MS = 20_000;

export interface Answer extends ResponseHead {
  readonly body: string;
}

/** One connection, byte by byte: what is sent when is the test's own choice. */
export class Talk {
  readonly socket: net.Socket;
  readonly #answers: Answer[] = [];
  #end: Error | null = null;
  #wake: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.socket = socket;
    let head: ResponseHead | null = null;
    let body: string[] = [];
    const parser = new ResponseParser({
      onHead: (given) => {
        head = given;
      },
      onBody: (bytes) => body.push(bytes.toString('latin1')),
      onEnd: () => {
        if (head) this.#answers.push({ ...head, body: body.join('') });
        body = [];
        this.#wake();
      }
    });
    socket.on('data', (bytes) => parser.feed(bytes));
    socket.on('error', (error) => this.#lose(error));
    socket.on('end', () => {
      parser.finish(); // an answer may last until then
      this.#lose(new Error('the server closed the connection'));
    });
  }

  static async open(port: number): Promise<Talk> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Talk(socket);
  }

  /** Sends a request as it is written, or a part of one. */
  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** A GET of a path, with an id. */
  get(path: string, id = 'x'): void {
    this.send(`GET ${path} HTTP/1.1\r\nhost: a\r\nx-id: ${id}\r\n\r\n`);
  }

  /** The next answer; throws if the connection ends first. */
  async answer(): Promise<Answer> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const answer = this.#answers.shift();
      if (answer) return answer;
      if (this.#end) throw this.#end;
      if (Date.now() > deadline) throw new Error(`no answer within ${WAIT_MS} ms`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, WAIT_MS);
        this.#wake = () => {
          clearTimeout(timer);
          wake();
        };
      });
    }
  }

  /** Whether the server has ended the connection. */
  get isOver(): boolean {
    return this.#end !== null;
  }

  close(): void {
    this.socket.destroy();
  }

  #lose(error: Error): void {
    this.#end ??= error;
    this.#wake();
  }
}
