import type { Exchange } from './exchange.ts';
import type { ResponseHead } from './head.ts';
import type { FailureKind } from './model.ts';

/** What is wrong with an answer. */
export type Fault = { readonly kind: FailureKind; readonly detail: string };

/**
 * From `at` on, requests should be answered by `version`. Times as in `performance.now()`. Behind a proxy a new connection of the
 * client says nothing: the proxy sends its request over one that it has had for long.
 */
export type Expectation = {
  readonly version: string;
  readonly at: number;
  readonly graceMs: number;
  readonly behindProxy?: boolean;
};

/** Says what is wrong with a complete answer, or null when nothing is. */
export function judge(exchange: Exchange, head: ResponseHead, expected: Expectation | null): Fault | null {
  if (head.status >= 500) return fault('serverError', `${head.status} ${head.reason}`);
  if (head.status !== 200) return fault('badAnswer', `${head.status} ${head.reason}`);
  if (!exchange.written) return fault('badAnswer', 'answered before the request was complete');
  if (head.id === null) return fault('badAnswer', 'no x-id');
  if (head.id !== exchange.id) return fault('answeredTwice', `the answer to ${head.id}`);
  if (head.version === null) return fault('badAnswer', 'no x-version');
  const body = exchange.body.fault();
  if (body !== null) return fault('badAnswer', body);
  if (expected && isWrongVersion(exchange, head, expected)) {
    return fault('wrongVersion', `version ${head.version} instead of ${expected.version}`);
  }
  return null;
}

/**
 * A connection opened after the expectation gets the expected version at once.
 * An older one gets it after the grace time, or an answer that ends it.
 */
function isWrongVersion(exchange: Exchange, head: ResponseHead, expected: Expectation): boolean {
  if (head.version === expected.version) return false;
  if (!expected.behindProxy && exchange.openedAt >= expected.at) return true;
  return exchange.sentAt > expected.at + expected.graceMs && !head.close;
}

const fault = (kind: FailureKind, detail: string): Fault => ({ kind, detail });

export type Totals = {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly perVersion: Readonly<Record<string, number>>;
  readonly perClient: Readonly<
    Record<string, { readonly sent: number; readonly answered: number; readonly failed: number }>
  >;
};

/**
 * Asserts that every request sent is accounted for, once, in every column.
 *
 * @throws Error when a number does not add up: the load client itself is wrong then
 */
export function balance(totals: Totals): void {
  const kinds = Object.values(totals.perClient);
  const columns: [string, number, number][] = [
    ['sent = answered + failed', totals.sent, totals.answered + totals.failed],
    ['failed = failures by kind', totals.failed, sum(Object.values(totals.failures))],
    ['answered = answers by version', totals.answered, sum(Object.values(totals.perVersion))],
    ['sent = sent by client kind', totals.sent, sum(kinds.map(({ sent }) => sent))],
    ['answered = answered by client kind', totals.answered, sum(kinds.map(({ answered }) => answered))],
    ['failed = failed by client kind', totals.failed, sum(kinds.map(({ failed }) => failed))]
  ];
  for (const [rule, left, right] of columns) {
    if (left !== right) throw new Error(`the ledger does not balance: ${rule}, but ${left} is not ${right}`);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
