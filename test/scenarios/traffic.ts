import { Witness } from './witness.ts';

/** Clients that ask all the time, and count strictly: whatever is no answer of 200 is a failure. */
export class Traffic {
  readonly failures: string[] = [];
  readonly versions = new Set<string>();
  answers = 0;
  readonly #port: number;
  readonly #idle: Witness[] = [];
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** @param idle connections that are used once, and again at the end */
  async begin(kept: number, fresh: number, idle: number): Promise<this> {
    for (let count = 0; count < idle; count += 1) {
      const one = await Witness.open(this.#port);
      await this.#ask(one, 'idle');
      this.#idle.push(one);
    }
    for (let count = 0; count < kept; count += 1) this.#loops.push(this.#keepAsking());
    for (let count = 0; count < fresh; count += 1) this.#loops.push(this.#comeAgain());
    return this;
  }

  /** Uses the idle connections once, before their server would end them. */
  async useIdle(): Promise<void> {
    for (const one of this.#idle) await this.#ask(one, 'idle');
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.useIdle();
    for (const one of this.#idle) one.close();
  }

  async #keepAsking(): Promise<void> {
    let one = await Witness.open(this.#port);
    while (!this.#isOver) {
      if (!(await this.#ask(one, 'kept'))) {
        one.close();
        one = await Witness.open(this.#port);
      }
      await pause(2);
    }
    one.close();
  }

  async #comeAgain(): Promise<void> {
    while (!this.#isOver) {
      try {
        const one = await Witness.open(this.#port);
        await this.#ask(one, 'fresh');
        one.close();
      } catch (error) {
        this.failures.push(`fresh: ${(error as Error).message}`);
      }
      await pause(5);
    }
  }

  async #ask(one: Witness, who: string): Promise<boolean> {
    const isAnswered = await one.ask().catch((error: Error) => {
      this.failures.push(`${who}: ${error.message}`);
      return null;
    });
    if (isAnswered === false) this.failures.push(`${who}: ${one.over ?? 'no 200'}`);
    if (isAnswered) {
      this.answers += 1;
      this.versions.add(one.version);
    }
    return isAnswered === true;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
