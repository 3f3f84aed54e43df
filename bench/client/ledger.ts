import type { ResultRecorder } from './connection.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseHead } from './head.ts';
import {
  CLIENT_KINDS,
  type ClientKind,
  FAILURE_KINDS,
  type FailureKind,
  RECONNECT_CAUSES,
  type ReconnectCause,
  recordOf
} from './model.ts';
import { type Expectation, judge } from './oracle.ts';
import { Samples } from './samples.ts';

export type FailureExample = {
  readonly kind: FailureKind;
  readonly client: string;
  readonly id: string;
  readonly atMs: number;
  readonly detail: string;
  readonly url: string;
};
export type Bucket = { answered: number; failed: number };
export type Slowest = { readonly ms: number; readonly url: string; readonly atMs: number; readonly id: string };

const EXAMPLES_MAX = 20;
export const BUCKET_MS = 100;

/**
 * Where every request ends up: the only place that counts.
 *
 * Invariant: sent = answered + failed + outstanding, at any moment.
 */
export class Ledger implements ResultRecorder {
  readonly startedAt = performance.now();
  expectation: Expectation | null = null;
  sent = 0;
  answered = 0;
  failed = 0;
  readonly failures = recordOf(FAILURE_KINDS, () => 0);
  readonly examples: FailureExample[] = [];
  readonly perVersion: Record<string, number> = {};
  readonly reconnects = recordOf(CLIENT_KINDS, () => recordOf(RECONNECT_CAUSES, () => 0));
  readonly perClient = recordOf(CLIENT_KINDS, () => ({ connections: 0, sent: 0, answered: 0, failed: 0 }));
  readonly samples = recordOf(CLIENT_KINDS, () => new Samples());
  readonly buckets: Bucket[] = [];
  readonly marks: { readonly atMs: number; readonly name: string }[] = [];
  slowest: Slowest | null = null;
  /** The longest time between two answers, of whatever client, until the load was told to stop. */
  silence = { ms: 0, atMs: 0 };
  stopping = false;
  #lastAnswerAt = 0;

  now(): number {
    return performance.now() - this.startedAt;
  }

  /** Counts a request that is about to be written. */
  send(exchange: Exchange): void {
    this.sent++;
    this.perClient[exchange.kind].sent++;
  }

  answer(exchange: Exchange, head: ResponseHead): void {
    const fault = judge(exchange, head, this.expectation);
    if (fault) {
      this.fail(exchange, fault.kind, fault.detail);
      return;
    }
    const atMs = this.now();
    exchange.version = head.version ?? '';
    this.#count(exchange, 1, atMs);
    this.#measure(exchange, atMs);
    exchange.settle('answered', atMs);
  }

  fail(exchange: Exchange, kind: FailureKind, detail: string): void {
    const atMs = this.now();
    this.failed++;
    this.failures[kind]++;
    this.perClient[exchange.kind].failed++;
    this.#bucket(atMs).failed++;
    const { client, id, method, url } = exchange;
    if (this.examples.length < EXAMPLES_MAX) {
      this.examples.push({ kind, client, id, atMs, detail, url: `${method} ${url}` });
    }
    exchange.settle(kind, atMs);
  }

  /** Turns an answered request into a failed one; one that had failed already has its one class and keeps it. */
  failAnswered(exchange: Exchange, detail: string): void {
    if (exchange.outcome !== 'answered') return;
    this.#count(exchange, -1, exchange.endedAt);
    this.fail(exchange, 'answeredTwice', detail);
  }

  reconnect(kind: ClientKind, cause: ReconnectCause): void {
    this.reconnects[kind][cause]++;
  }

  #count(exchange: Exchange, by: 1 | -1, atMs: number): void {
    this.answered += by;
    this.perClient[exchange.kind].answered += by;
    this.perVersion[exchange.version] = (this.perVersion[exchange.version] ?? 0) + by;
    this.#bucket(atMs).answered += by;
  }

  #measure(exchange: Exchange, atMs: number): void {
    const ms = atMs + this.startedAt - exchange.sentAt;
    this.samples[exchange.kind].add(atMs, ms);
    if (ms > (this.slowest?.ms ?? -1)) this.slowest = { ms, url: exchange.url, atMs, id: exchange.id };
    this.#listen(atMs);
  }

  #listen(atMs: number): void {
    if (this.stopping) return;
    const ms = atMs - this.#lastAnswerAt;
    if (this.#lastAnswerAt > 0 && ms > this.silence.ms) this.silence = { ms, atMs: this.#lastAnswerAt };
    this.#lastAnswerAt = atMs;
  }

  #bucket(atMs: number): Bucket {
    const index = Math.floor(atMs / BUCKET_MS);
    while (this.buckets.length <= index) this.buckets.push({ answered: 0, failed: 0 });
    return this.buckets[index] ?? { answered: 0, failed: 0 };
  }
}
