import type net from 'node:net';
import { blockReading } from '../../internals/net.ts';
import type { Resume } from '../../protocol/kinds.ts';
import { closeFrame, SERVICE_RESTART } from './frames.ts';
import { hasStatus, headerOf } from './heads.ts';
import { AnswerHead, ignore, type Write } from './writes.ts';

/** How long the app may take to answer. */
const ANSWER_MS = 10_000;
/** How long a client that is told to come back is still read. */
const LINGER_MS = 2_000;
const LAST_CHUNK = '0\r\n\r\n';

/**
 * A connection that came in the middle of an answer: the app gets its request once more, and what it answers goes on where
 * the process before stopped. The head is not sent again.
 *
 * Where the app answers otherwise than the one before, the client is told to come back by the means of its protocol.
 */
export class Resumption {
  readonly resume: Resume;
  readonly #socket: net.Socket;
  readonly #onSettled: (refused: string) => void;
  #phase: 'asked' | 'agreed' | 'refused' = 'asked';
  #isSettled = false;
  #isBeginning = false;
  readonly #head = new AnswerHead();
  readonly #write: Write;
  readonly #end: () => void;
  readonly #letRead: () => void;
  readonly #overdue: NodeJS.Timeout;

  /** @param onSettled called once: with why the app does not go on with it, or with nothing where it does */
  constructor(socket: net.Socket, resume: Resume, onSettled: (refused: string) => void) {
    this.#socket = socket;
    this.resume = resume;
    this.#onSettled = onSettled;
    const write = socket.write as Write;
    this.#write = (...args) => write.apply(socket, args);
    socket.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      if (this.#phase === 'agreed') return this.#write(chunk, encoding, callback);
      return this.#phase === 'refused' ? ignore(encoding, callback) : this.#take(chunk, encoding, callback);
    }) as typeof socket.write;
    const { end, destroy } = socket;
    this.#end = () => {
      (end as () => net.Socket).call(socket);
      setTimeout(() => destroy.call(socket), LINGER_MS).unref();
      socket.resume();
    };
    // An app that does not want it ends it with its answer, or without one.
    socket.end = ((chunk?: unknown, encoding?: unknown, callback?: unknown) => {
      if (this.#phase === 'agreed')
        return (end as (...args: unknown[]) => net.Socket).call(socket, chunk, encoding, callback);
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.#take(chunk, encoding, callback);
      this.refuse('the app ended it');
      return socket;
    }) as typeof socket.end;
    socket.destroy = (error?: Error) => {
      if (this.#phase === 'agreed') return destroy.call(socket, error);
      this.refuse('the app ended it');
      return socket;
    };
    // What the client of a WebSocket sends is not to come before the app has its state.
    this.#letRead = resume.kind === 'websocket' ? blockReading(socket) : () => {};
    this.#overdue = setTimeout(() => this.refuse('the app did not answer'), ANSWER_MS);
    socket.once('close', () => this.#settle('it was closed meanwhile'));
  }

  /** Gives the app the request. The caller has given the socket to the server. */
  replay(): void {
    this.#socket.unshift(Buffer.from(this.resume.request, 'latin1'));
  }

  /** Gives the app the state of a WebSocket, and then what its client has sent meanwhile. */
  async begin(restore: (state: unknown) => void | Promise<void>): Promise<void> {
    this.#isBeginning = true;
    try {
      // After everything that the app does when it hears of the socket, and before anything is read.
      await null;
      await restore(JSON.parse(this.resume.state ?? 'null'));
    } catch (error) {
      return this.refuse(`restore threw ${error instanceof Error ? error.name : 'something'}`);
    }
    this.#letRead();
    this.#settle('');
  }

  /** Ends the connection so that its client comes back: what it has got so far was whole. */
  refuse(why: string): void {
    if (this.#phase === 'refused' || this.#isSettled) return;
    this.#phase = 'refused';
    const socket = this.#socket;
    socket.on('error', () => {}); // what the app still does to it may fail, which must not end the process
    this.#write(this.resume.kind === 'websocket' ? closeFrame(SERVICE_RESTART) : LAST_CHUNK);
    this.#letRead();
    this.#end();
    this.#settle(why);
  }

  #settle(refused: string): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#overdue);
    this.#onSettled(refused);
  }

  #take(chunk: string | Uint8Array, encoding: unknown, callback: unknown): boolean {
    if (this.#phase !== 'asked') return ignore(encoding, callback);
    const found = this.#head.take(chunk, encoding);
    if (!found) return ignore(encoding, callback);
    const { head, rest } = found;
    if (!agrees(this.resume, head)) {
      this.refuse(`the app answered ${head.slice(9, 12)}`);
      return ignore(encoding, callback);
    }
    this.#phase = 'agreed';
    if (this.resume.kind === 'event-stream') this.#settle('');
    // It gets its state in this very turn, or never.
    else setImmediate(() => this.#isSettled || this.#isBeginning || this.refuse('the new version has no carry'));
    if (rest.length === 0) return ignore(encoding, callback);
    return this.#write(rest, typeof encoding === 'function' ? encoding : callback);
  }
}

/** Whether what follows a head means the same to a client that has got the one before. */
function agrees({ kind, answer }: Resume, head: string): boolean {
  const names = kind === 'websocket' ? ['sec-websocket-protocol', 'sec-websocket-extensions'] : ['transfer-encoding'];
  if (!names.every((name) => headerOf(head, name) === headerOf(answer, name))) return false;
  if (kind === 'websocket') return hasStatus(head, 101);
  const isStream = headerOf(head, 'content-type').startsWith('text/event-stream');
  return isStream && hasStatus(head, 200) && headerOf(head, 'content-encoding') === '';
}
