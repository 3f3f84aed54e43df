import type { Handle } from '../../internals/net.ts';
import type { MessagePipe, PipeEvents } from '../../internals/pipes.ts';
import type { ToSupervisor, ToWorker } from '../../protocol/messages.ts';
import { parse, seal } from '../../protocol/parse.ts';

interface Listener {
  onMessage(message: ToSupervisor, handle: Handle | undefined): void;
  onGarbage(what: string): void;
  /** The link is there no more. The worker may have ended, or knock again. */
  onEnd(): void;
}

interface Waiting {
  readonly message: ToWorker;
  readonly handle: Handle | undefined;
  readonly done: (sent: boolean) => void;
}

/** What supervisor and worker say to each other, over the link that the worker opens: until then, what is said waits. */
export class Conversation {
  readonly #listener: Listener;
  #pipe: MessagePipe | null = null;
  #waiting: Waiting[] = [];
  #isOver = false;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get isOpen(): boolean {
    return this.#pipe !== null;
  }

  /**
   * @param open makes the link that the worker has opened call these
   * @param heard what came over it before
   */
  begin(
    open: (events: PipeEvents) => MessagePipe,
    heard: readonly (readonly [raw: unknown, handle: Handle | undefined])[] = []
  ): void {
    this.#pipe?.close();
    const pipe = open({
      onMessage: (raw, handle) => this.#take(raw, handle),
      onEnd: () => {
        if (this.#pipe !== pipe) return;
        this.#pipe = null;
        this.#listener.onEnd();
      }
    });
    this.#pipe = pipe;
    for (const { message, handle, done } of this.#waiting.splice(0)) this.send(message, handle, done);
    for (const [raw, handle] of heard) this.#take(raw, handle);
  }

  /** @param done called once: whether it was sent */
  send(message: ToWorker, handle?: Handle, done: (sent: boolean) => void = () => {}): void {
    if (this.#isOver) done(false);
    else if (this.#pipe) this.#pipe.send(seal(message), handle, done);
    else this.#waiting.push({ message, handle, done });
  }

  /** The worker is gone: it gets nothing any more. */
  end(): void {
    this.#isOver = true;
    this.#pipe?.close();
    this.#pipe = null;
    for (const { done } of this.#waiting.splice(0)) done(false);
  }

  #take(raw: unknown, handle: Handle | undefined): void {
    const parsed = parse<ToSupervisor>(raw);
    if ('message' in parsed) return this.#listener.onMessage(parsed.message, handle);
    handle?.close();
    this.#listener.onGarbage(parsed.garbage);
  }
}
