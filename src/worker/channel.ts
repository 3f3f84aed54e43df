import type { Handle } from '../internals/net.ts';
import type { Hello, ToSupervisor, ToWorker } from '../protocol/messages.ts';
import type { WorkerSettings } from '../protocol/worker-settings.ts';
import { Link } from './link.ts';
import { Statements } from './statements.ts';

interface Hands {
  onMessage(message: ToWorker, handle: Handle | undefined): void;
  /** The supervisor is gone. */
  onLost(): void;
  /** Another supervisor has taken over: it gets what the one before had lent. */
  onTakenOver(): void;
}

/** How many messages of the app wait for the next supervisor. */
const QUEUE_LENGTH = 1_000;

/** The worker's end of the conversation with its supervisor, whichever that is. */
export class Channel {
  readonly #settings: WorkerSettings;
  readonly #statements = new Statements();
  readonly #link: Link;
  readonly #queue: ToSupervisor[] = [];
  #hands: Hands | null = null;
  #memory = '';
  #tickets = '';

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#link = new Link(settings.link.path, {
      hello: (isAlone) => this.#hello(isAlone),
      onMessage: (message, handle) => this.#onMessage(message, handle),
      onTakenOver: () => this.#onTakenOver(),
      onLost: () => this.#hands?.onLost()
    });
  }

  begin(hands: Hands): void {
    this.#hands = hands;
    this.#link.begin();
  }

  /** Whether a supervisor is there. */
  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /**
   * Sends a message, and a connection with it where there is one.
   *
   * @param done called once: with true when the kernel has taken it, with false when nobody is there
   */
  send(message: ToSupervisor, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    this.#statements.onSaid(message);
    this.#link.send(message, handle, done);
  }

  /** Says something in the last moment of the process. */
  sendNow(message: ToSupervisor): void {
    this.#link.sendNow(message);
  }

  /** Sends what the app says, or keeps it for the next supervisor. */
  sendOfApp(message: unknown, done: () => void): void {
    const sealed: ToSupervisor = { type: 'app-message', message };
    if (this.#link.isOpen) return this.#link.send(sealed, undefined, done);
    if (this.#queue.length < QUEUE_LENGTH) this.#queue.push(sealed);
    done();
  }

  #onMessage(message: ToWorker, handle: Handle | undefined): void {
    this.#statements.onTold(message);
    if (message.type === 'remember') this.#memory = message.memory;
    else if (message.type === 'relink') this.#link.relink(message.path);
    else {
      if (message.type === 'tickets') this.#tickets = message.keys;
      this.#hands?.onMessage(message, handle);
    }
  }

  #onTakenOver(): void {
    this.#hands?.onTakenOver();
    this.#link.send({ type: 'resumed' });
    for (const message of this.#queue.splice(0)) this.#link.send(message);
  }

  #hello(isAlone: boolean): Hello {
    const { worker } = this.#settings;
    const { secret } = this.#settings.link;
    const kept = { memory: this.#memory, tickets: this.#tickets };
    return { secret, worker, pid: process.pid, isAlone, ...this.#statements.all, ...kept };
  }
}
