import type { BodyCheck } from './content.ts';
import type { ClientKind, FailureKind } from './model.ts';

/** One request and what became of it. */
export class Exchange {
  readonly id: string;
  readonly client: string;
  readonly kind: ClientKind;
  readonly method: string;
  readonly url: string;
  readonly body: BodyCheck;
  readonly sentAt = performance.now();
  /** When the connection it travels on was opened. */
  openedAt = 0;
  /** False while part of the request is still to be written. */
  written = true;
  endedAt = 0;
  /** Which version answered, once it did. */
  version = '';
  outcome: 'outstanding' | 'answered' | FailureKind = 'outstanding';
  /** Becomes true when answered, false when failed. Never rejects. */
  readonly ended: Promise<boolean>;
  #resolve: (answered: boolean) => void = () => {};

  constructor(request: Pick<Exchange, 'id' | 'client' | 'kind' | 'method' | 'url' | 'body'>) {
    this.id = request.id;
    this.client = request.client;
    this.kind = request.kind;
    this.method = request.method;
    this.url = request.url;
    this.body = request.body;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get over(): boolean {
    return this.outcome !== 'outstanding';
  }

  /** Ends the exchange; only the ledger calls this, once for each exchange. */
  settle(outcome: 'answered' | FailureKind, at: number): void {
    this.outcome = outcome;
    this.endedAt = at;
    this.#resolve(outcome === 'answered');
  }
}
