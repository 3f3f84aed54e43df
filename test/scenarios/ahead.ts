import assert from 'node:assert/strict';
import type { Talk } from './raw.ts';

/** How many requests it keeps ahead. */
const AHEAD = 8;

/**
 * A client that has several requests ahead at every moment, and sees to it that each is answered once, in order, without
 * being told to close. Its app answers `/turn` one after the other, so that its connection is never idle.
 */
export class Ahead {
  /** Who answered. */
  readonly versions: string[] = [];
  readonly #talk: Talk;
  readonly #over: Promise<void>;
  #sent = 0;
  #going = true;

  constructor(talk: Talk) {
    this.#talk = talk;
    while (this.#sent < AHEAD) this.#send();
    this.#over = this.#run();
    this.#over.catch(() => {}); // told to whoever ends it
  }

  /** Waits for what is still to be answered. */
  async end(): Promise<string[]> {
    this.#going = false;
    await this.#over;
    return this.versions;
  }

  close(): void {
    this.#talk.close();
  }

  async #run(): Promise<void> {
    while (this.versions.length < this.#sent) {
      const { id, version, close } = await this.#talk.answer();
      assert.deepEqual([id, close], [String(this.versions.length), false]);
      this.versions.push(String(version));
      if (this.#going) this.#send();
    }
  }

  #send(): void {
    this.#talk.get('/turn', String(this.#sent));
    this.#sent += 1;
  }
}
