import type { FailureKind } from '../../client/index.ts';
import type { SystemResult } from '../result.ts';

/** What a failure is called in a table head, and what it means to somebody who has never met it. */
export const FAILURES: Readonly<Record<FailureKind, { readonly name: string; readonly means: string }>> = {
  refused: { name: 'refused', means: 'nobody was listening when the client wanted to connect' },
  reset: { name: 'reset', means: 'the connection was torn down instead of answered' },
  closedWithoutAnswer: {
    name: 'closed, no answer',
    means: 'the connection was closed in an orderly way, but without the answer'
  },
  cutShort: { name: 'cut short', means: 'the answer began and ended before it was complete' },
  serverError: { name: '5xx', means: 'an answer came, and it was an error of the server' },
  badAnswer: { name: 'wrong answer', means: 'an answer came that is damaged, or came before its request was complete' },
  timeout: { name: 'timeout', means: 'no complete answer within the time the client was willing to wait' },
  answeredTwice: {
    name: 'answered twice',
    means: 'the client got more answers than it had asked for, or one that belongs to another request'
  },
  wrongVersion: {
    name: 'wrong version',
    means:
      'the deploy was over, and the old version still answered: a connection opened since then, or one that was open, more than a second later, without a word that it ends'
  }
};

export const FAILURE_KINDS = Object.keys(FAILURES) as FailureKind[];

export const failedOf = ({ failures }: SystemResult) =>
  FAILURE_KINDS.reduce((total, kind) => total + failures[kind], 0);

/** Whether a row is about this project. */
export const isOurs = ({ id }: Pick<SystemResult, 'id'>) => id.startsWith('handover');

/** Fewest failures first, ours first among equals; what did not do what it was to do after them, what was skipped last. */
export function sortSystems(systems: readonly SystemResult[]): readonly SystemResult[] {
  const group = ({ skipped, complete }: SystemResult) => (skipped ? 2 : complete ? 0 : 1);
  const order = (a: SystemResult, b: SystemResult) =>
    compare(group(a), group(b)) || compare(failedOf(a), failedOf(b)) || Number(isOurs(b)) - Number(isOurs(a));
  return [...systems].sort(order);
}

const compare = (a: number, b: number) => (a === b ? 0 : a - b);

export const showCount = (count: number) => count.toLocaleString('en-US');

/** `1 request`, `2 requests`. */
export const countOf = (count: number, one: string) => `${showCount(count)} ${one}${count === 1 ? '' : 's'}`;

/** Three digits that mean something, in ms, or in s from there on. */
export function showMs(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(ms >= 10_000 ? 0 : 1)} s`;
  return `${ms.toFixed(ms >= 10 ? 0 : ms >= 1 ? 1 : 2)} ms`;
}

export const showMegabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** `a`, `a and b`, `a, b and c`. */
export const listOf = (names: readonly string[]) => new Intl.ListFormat('en-GB').format(names);
