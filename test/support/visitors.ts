import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { atEnd } from './end.ts';
import { ask, Client, type Target } from './http.ts';
import { until } from './wait.ts';

/** Visitors who ask without a pause: on a connection that they keep, and on a new one each time. */
export class Visitors {
  readonly failures: unknown[] = [];
  answers = 0;
  readonly #kept: Client | null;
  readonly #target: Target;
  readonly #ended: Promise<unknown>;
  #over = false;

  constructor(t: TestContext, target: Target, keeps: boolean) {
    this.#target = target;
    this.#kept = keeps ? new Client(target) : null;
    const asking = [this.#askOn(() => ask(target)), this.#askOn(() => this.#kept?.get() ?? ask(target))];
    this.#ended = Promise.all(asking);
    atEnd(t, () => this.#end());
  }

  /** Waits until each of them has been answered some more times. */
  async go(): Promise<void> {
    const from = this.answers;
    await until(
      () => this.failures.length > 0 || this.answers > from + 20,
      () => `more answers from ${JSON.stringify(this.#target)}`
    );
  }

  async leave(): Promise<void> {
    await this.go();
    await this.#end();
    assert.deepEqual(this.failures, []);
    if (this.#kept) assert.equal(this.#kept.sockets, 1, 'who keeps his connection has never lost it');
  }

  async #askOn(once: () => Promise<unknown>): Promise<void> {
    while (!this.#over) {
      await once().then(
        () => {
          this.answers += 1;
        },
        (error) => this.failures.push(error)
      );
    }
  }

  async #end(): Promise<void> {
    this.#over = true;
    await this.#ended;
    this.#kept?.close();
  }
}
