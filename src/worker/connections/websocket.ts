import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import { blockReading, isFlushed } from '../../internals/net.ts';
import type { Resume } from '../../protocol/kinds.ts';
import { closeFrame, Frames, SERVICE_RESTART } from './frames.ts';
import { hasStatus, headerOf, requestHead } from './heads.ts';
import { endGently } from './idle.ts';
import { AnswerHead, ignore, toBytes, type Write } from './writes.ts';

/** How often it is looked whether one that is to be closed is between two messages. */
const LOOK_MS = 20;
/** After so long it is closed although its client sends all the time. */
const PATIENT_LOOKS = 100;
/** How long a client may take to answer the close. */
const ANSWER_MS = 2_000;
/** How long an answer is waited for after a message, before there is taken to be none. */
const UNANSWERED_MS = 500;
/** How much an app may save of one. */
const STATE_BYTES = 64 * 1024;

/**
 * An upgraded connection of which the frames are counted, so that it can be closed, or moved, between two messages.
 *
 * What the app writes is seen by a `write` of the socket's own, what it reads by its `push`. Nothing is kept.
 */
export class WebSocketConnection {
  readonly socket: net.Socket;
  /** The head of the app's answer; null until it has written all of it. */
  answer: string | null = null;
  /** What the app saves of it, to be carried to another process with it; null where it does not. */
  save: (() => unknown) | null = null;
  /** Whether what has come or gone is still being taken apart or put together, such as by compression. */
  #isAtWork = () => false;
  #request = '';
  readonly #sent = new Frames();
  readonly #received = new Frames();
  #head: AnswerHead | null = null;
  /** Whether the app's own writes reach nobody any more. */
  #isMuted = false;
  #timer: NodeJS.Timeout | null = null;
  #onAnswer: (() => void) | null = null;
  #readAgain: (() => void) | null = null;
  #bytes = -1;
  /** When the last message has come that nothing was sent after; null where something was. */
  #unansweredSince: number | null = null;

  constructor(socket: net.Socket, head: Buffer) {
    this.socket = socket;
    this.#received.take(head);
    const { write, push } = socket;
    socket.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      if (this.#isMuted) return ignore(encoding, callback);
      this.#onWrite(chunk, encoding);
      return (write as Write).call(socket, chunk, encoding, callback);
    }) as typeof socket.write;
    socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk instanceof Uint8Array) this.#onRead(chunk);
      return push.call(socket, chunk, encoding);
    };
  }

  /**
   * The app wants it carried.
   *
   * @param save what is to go with it
   * @param isAtWork whether a message is still being taken apart or put together
   */
  carryWith(request: IncomingMessage, save: () => unknown, isAtWork: () => boolean): void {
    this.#request = requestHead(request);
    this.save = save;
    this.#isAtWork = isAtWork;
  }

  /** Whether the app has accepted it, and it is one. */
  get isOpen(): boolean {
    return this.answer !== null && hasStatus(this.answer, 101) && !this.#sent.isNonsense && !this.#received.isNonsense;
  }

  /** Whether the app, its client or we have begun to close it. */
  get isClosing(): boolean {
    const { destroyed, writableEnded } = this.socket;
    return destroyed || writableEnded || this.#isMuted || this.#sent.closed || this.#received.closed;
  }

  /**
   * What another process needs to go on with it; why it cannot be carried at all; or null where it is not between two
   * messages. It is not read from the first call on that finds it so: only at the next one all is answered.
   *
   * @param isPatient whether an answer that the app may be about to send is waited for
   */
  resume(isPatient: boolean): Resume | string | null {
    const { socket, answer } = this;
    if (this.save === null || answer === null) return 'the app does not carry it';
    if (hasContext(answer)) return 'its compression has a context';
    const isBetween =
      this.isOpen &&
      this.#sent.isBoundary &&
      this.#received.isBoundary &&
      socket.readableLength === 0 &&
      isFlushed(socket) &&
      !this.#isAtWork() &&
      !(isPatient && this.#isAnswerDue);
    if (!isBetween) {
      this.readAgain();
      return null;
    }
    const bytes = socket.bytesRead + socket.bytesWritten;
    this.#readAgain ??= blockReading(socket);
    const isQuiet = this.#bytes === bytes;
    this.#bytes = bytes;
    if (!isQuiet) return null;
    let state: string;
    try {
      state = JSON.stringify(this.save() ?? null);
    } catch (error) {
      return `save threw ${error instanceof Error ? error.name : 'something'}`;
    }
    if (typeof state !== 'string') return 'what save returned is not JSON';
    if (Buffer.byteLength(state) > STATE_BYTES) return 'what save returned is too large';
    return { kind: 'websocket', request: this.#request, answer, state };
  }

  /** It does not leave now. */
  readAgain(): void {
    this.#readAgain?.();
    this.#readAgain = null;
    this.#bytes = -1;
  }

  /**
   * Closes it with 1012, between two messages. The app hears of it when the client answers.
   *
   * What a client sends before it hears of the close gets no answer any more. So it is closed when the app has just answered,
   * where it is used, or else when it has been silent for a while.
   *
   * @param silentMs how long a client that sends nothing is waited for
   * @param onClosed called when the close has been sent; not where it was being closed already
   */
  close(silentMs: number, onClosed: () => void): void {
    if (this.#timer || this.isClosing) return;
    let bytes = this.socket.bytesRead;
    let looks = 0;
    let silentLooks = 0;
    const heard = this.#received.messages;
    const closeNow = () => {
      this.#stopLooking();
      if (this.isClosing) return;
      this.#sendClose();
      onClosed();
    };
    this.#onAnswer = () => {
      if (this.#received.messages === heard || !this.#received.isBoundary || !this.#sent.isBoundary) return;
      setImmediate(() => this.#timer && this.#canClose && closeNow());
    };
    this.#timer = setInterval(() => {
      const { bytesRead } = this.socket;
      looks += 1;
      silentLooks = bytes === bytesRead ? silentLooks + 1 : 0;
      bytes = bytesRead;
      const isTime = (silentLooks * LOOK_MS >= silentMs && this.#received.isBoundary) || looks >= PATIENT_LOOKS;
      if (this.isClosing || (isTime && this.#canClose)) closeNow();
    }, LOOK_MS);
  }

  /** Takes back a close that has not been sent. */
  cancel(): void {
    this.#stopLooking();
  }

  #stopLooking(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#onAnswer = null;
  }

  get #isAnswerDue(): boolean {
    return this.#unansweredSince !== null && performance.now() - this.#unansweredSince < UNANSWERED_MS;
  }

  get #canClose(): boolean {
    return this.isOpen && this.#sent.isBoundary;
  }

  #sendClose(): void {
    const { socket } = this;
    socket.on('error', () => {}); // what the app still does to it may fail, which must not end the process
    socket.write(closeFrame(SERVICE_RESTART));
    this.#isMuted = true;
    setTimeout(() => socket.destroyed || endGently(socket), ANSWER_MS).unref();
  }

  #onRead(chunk: Uint8Array): void {
    const { messages } = this.#received;
    this.#received.take(chunk);
    if (this.#received.messages > messages) this.#unansweredSince = performance.now();
  }

  #onWrite(chunk: string | Uint8Array, encoding: unknown): void {
    if (this.answer !== null) {
      const { messages } = this.#sent;
      this.#sent.take(toBytes(chunk, encoding));
      if (this.#sent.messages === messages) return;
      this.#unansweredSince = null;
      this.#onAnswer?.();
      return;
    }
    this.#head ??= new AnswerHead();
    const found = this.#head.take(chunk, encoding);
    if (!found) return;
    this.#head = null;
    this.answer = found.head;
    this.#sent.take(found.rest);
  }
}

/** Whether the messages of a connection are compressed with what came before them: nobody else could read them. */
function hasContext(answer: string): boolean {
  const extensions = headerOf(answer, 'sec-websocket-extensions');
  if (!extensions.includes('permessage-deflate')) return extensions !== '';
  return !(extensions.includes('server_no_context_takeover') && extensions.includes('client_no_context_takeover'));
}
