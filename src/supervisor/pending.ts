import type { Reply } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';

export type Done = Extract<Reply, { ok: true }>;

interface Waiting {
  done(answer: Done): void;
  fail(error: HandoverError): void;
}

/** Orders that wait for their one answer. */
export class Pending {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** Places an order, and settles with the core's answer to it. */
  order(post: (request: number) => void): Promise<Done> {
    this.#last += 1;
    const request = this.#last;
    return new Promise((done, fail) => {
      this.#waiting.set(request, { done, fail });
      post(request);
    });
  }

  reply(request: number, answer: Reply): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (answer.ok) waiting?.done(answer);
    else waiting?.fail(new HandoverError(answer.code, answer.account, { active: answer.active }));
  }
}
