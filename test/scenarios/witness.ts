import { once } from 'node:events';
import net from 'node:net';

/** A kept-alive connection that knows which process answered it last. */
export class Witness {
  readonly #socket: net.Socket;
  #said = '';
  #over: string | null = null;
  #wake: () => void = () => {};
  /** The process that gave the last answer, and its version. */
  pid = 0;
  version = '';

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#said += text;
      this.#wake();
    });
    socket.on('end', () => this.#end('closed'));
    socket.on('error', (error) => this.#end(error.message));
  }

  static async open(port: number): Promise<Witness> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Witness(socket);
  }

  /** Why its connection is over, or null. */
  get over(): string | null {
    return this.#over;
  }

  /** Sends bytes, and waits for the one answer to them; false if the connection ends first. */
  async ask(bytes = get('/answer'), waitMs = 20_000): Promise<boolean> {
    this.send(bytes);
    return this.answer(waitMs);
  }

  send(bytes: string): void {
    this.#socket.write(bytes);
  }

  async answer(waitMs = 20_000): Promise<boolean> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const [whole, head = '', rest = ''] = /^([\s\S]*?\r\n)\r\n([\s\S]*)$/.exec(this.#said) ?? [];
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 4);
      if (whole !== undefined && rest.length >= length) {
        this.#said = rest.slice(length);
        this.pid = Number(/x-pid: (\d+)/i.exec(head)?.[1]);
        this.version = /x-version: (\S+)/i.exec(head)?.[1] ?? '';
        return head.startsWith('HTTP/1.1 200');
      }
      if (this.#over !== null) return false;
      if (Date.now() > deadline) throw new Error(`no answer within ${waitMs} ms; so far: ${this.#said}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          wake();
        };
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(why: string): void {
    this.#over ??= why;
    this.#wake();
  }
}

export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: a\r\nx-id: w\r\n\r\n`;
}
