import { lstatSync } from 'node:fs';
import type { Handle } from '../internals/net.ts';
import { connectPipe, type MessagePipe } from '../internals/pipes.ts';
import type { Hello, ToSupervisor, ToWorker } from '../protocol/messages.ts';
import { parse, seal } from '../protocol/parse.ts';

/** How soon it is knocked again where nobody is there: the next supervisor may come at any moment. */
const KNOCK_MS = 25;
/** How often it is looked whether another supervisor has the socket by now. */
const LOOK_MS = 1_000;

export interface LinkEvents {
  /** What is said first to a supervisor. @param isAlone whether there is none at the moment */
  hello(isAlone: boolean): Hello;
  onMessage(message: ToWorker, handle: Handle | undefined): void;
  /** Another supervisor has taken over. */
  onTakenOver(): void;
  /** The supervisor is gone. */
  onLost(): void;
}

/**
 * The connection of a worker to its supervisor: whoever listens on the unix socket of the service.
 *
 * Where it breaks, or somebody else has the socket, the worker knocks there until it is welcome.
 */
export class Link {
  readonly #path: string;
  readonly #events: LinkEvents;
  #pipe: MessagePipe | null = null;
  /** A conversation with another supervisor, which has not said yet that it takes over. */
  #other: MessagePipe | null = null;
  #supervisor = '';
  #isLost = false;
  /** The file of the socket that the link goes to. */
  #ino = 0;

  constructor(path: string, events: LinkEvents) {
    this.#path = path;
    this.#events = events;
  }

  begin(): void {
    this.#pipe = this.#knock(this.#path);
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  get isOpen(): boolean {
    return this.#pipe !== null;
  }

  /** @param done called once: whether the kernel has taken it */
  send(message: ToSupervisor, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    if (this.#pipe) this.#pipe.send(seal(message), handle, done);
    else done(false);
  }

  /** Says something in the last moment of the process. */
  sendNow(message: ToSupervisor): void {
    this.#pipe?.sendNow(seal(message));
  }

  /** Says hello on another socket, while this link stays as it is until the supervisor there takes over. */
  relink(path: string): void {
    this.#other?.close();
    this.#other = this.#knock(path);
  }

  #knock(path: string): MessagePipe {
    this.#ino = inoOf(path) ?? this.#ino;
    const pipe = connectPipe(
      path,
      {
        onMessage: (raw, handle) => this.#onMessage(pipe, raw, handle),
        onEnd: () => this.#onEnd(pipe)
      },
      (status) => {
        if (status === 0) return;
        pipe.close();
        this.#onEnd(pipe);
      }
    );
    // At once, past what Node queues while it connects: the app may end its process in its first breath.
    const hello = seal({ type: 'hello', ...this.#events.hello(this.#pipe === null) });
    if (!pipe.sendNow(hello)) pipe.send(hello);
    return pipe;
  }

  #onMessage(pipe: MessagePipe, raw: unknown, handle: Handle | undefined): void {
    const parsed = parse<ToWorker>(raw);
    if ('garbage' in parsed) return handle?.close();
    const { message } = parsed;
    if (message.type === 'welcome') this.#onWelcome(pipe, message.supervisor);
    else if (message.type === 'unwelcome') this.#onUnwelcome(pipe);
    else if (pipe === this.#pipe) this.#events.onMessage(message, handle);
    else handle?.close();
  }

  #onWelcome(pipe: MessagePipe, supervisor: string): void {
    const isNew = this.#isLost || (this.#supervisor !== '' && supervisor !== this.#supervisor);
    this.#supervisor = supervisor;
    if (pipe === this.#other) {
      this.#other = null;
      // It is the same one, which has made its socket anew.
      if (!isNew) return pipe.close();
      this.#pipe?.close();
      this.#pipe = pipe;
    }
    this.#isLost = false;
    if (isNew) this.#events.onTakenOver();
  }

  #onUnwelcome(pipe: MessagePipe): void {
    if (pipe !== this.#other) return;
    this.#other = null;
    pipe.close();
    if (this.#isLost) this.#knockAgain(LOOK_MS);
  }

  #onEnd(pipe: MessagePipe): void {
    if (pipe === this.#other) {
      this.#other = null;
      if (this.#isLost) this.#knockAgain(KNOCK_MS);
    } else if (pipe === this.#pipe) {
      this.#pipe = null;
      if (!this.#isLost) {
        this.#isLost = true;
        this.#events.onLost();
      }
      if (!this.#other) this.#knockAgain(0);
    }
  }

  #knockAgain(afterMs: number): void {
    setTimeout(() => {
      if (this.#isLost && !this.#other) this.#other = this.#knock(this.#path);
    }, afterMs).unref();
  }

  /** Whoever has the socket is the supervisor, also where the one before was only stopped. */
  #look(): void {
    if (!this.#pipe || this.#other) return;
    const ino = inoOf(this.#path);
    if (ino !== null && ino !== this.#ino) this.#other = this.#knock(this.#path);
  }
}

function inoOf(path: string): number | null {
  try {
    // As a big integer: after a plain one of a socket, Node 20 and 22 resolve the next links of the app's modules wrongly.
    return Number(lstatSync(path, { bigint: true }).ino);
  } catch {
    return null; // somebody has removed it, and its supervisor makes it anew
  }
}
