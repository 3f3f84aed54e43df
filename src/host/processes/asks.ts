/** Questions to workers that are answered by a message with their number. */
export class Asks<T> {
  readonly #open = new Map<number, (answer: T | null) => void>();
  #last = 0;

  /**
   * @param send sends the question with its number, and says if it could not be sent
   * @returns null where no answer came in time
   */
  ask(timeoutMs: number, send: (ask: number, done: (sent: boolean) => void) => void): Promise<T | null> {
    this.#last += 1;
    const ask = this.#last;
    return new Promise((resolve) => {
      const end = (answer: T | null) => {
        clearTimeout(timer);
        this.#open.delete(ask);
        resolve(answer);
      };
      const timer = setTimeout(() => end(null), timeoutMs).unref();
      this.#open.set(ask, end);
      send(ask, (sent) => sent || end(null));
    });
  }

  /** An answer has come. One that nobody waits for any more is dropped. */
  take(ask: number, answer: T): void {
    this.#open.get(ask)?.(answer);
  }
}
