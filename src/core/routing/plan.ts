/** What of a request says who asks: by that a version is chosen for it. */
export type By =
  /** Each request of its own. */
  | { readonly kind: 'random' }
  /** All requests of one connection alike. */
  | { readonly kind: 'connection' }
  /** The address of the client, or the first one in a header that carries it. */
  | { readonly kind: 'ip'; readonly header: string | null }
  | { readonly kind: 'cookie' | 'header' | 'query'; readonly name: string };

/** Requests in which a cookie, a header or a field of the query says this. */
export interface Condition {
  readonly kind: 'cookie' | 'header' | 'query';
  readonly name: string;
  /** Null: whatever it says. */
  readonly value: string | null;
}

/** How a canary is to go. */
export interface CanaryPlan {
  /** The shares of the steps, 0-1, each larger than the one before; one at least. */
  readonly steps: readonly number[];
  /** How long each step takes, in milliseconds; null: until the operator says what comes next. */
  readonly holdMs: number | null;
  readonly by: By;
  /** Requests that the canary answers, whatever the share. */
  readonly always: readonly Condition[];
  /** Requests that the active generation answers, whatever else holds. */
  readonly never: readonly Condition[];
  /** Fewest requests that the canary has to have answered before a step is over. */
  readonly minRequests: number;
  /** Whether it is judged: a split never is, and never ends by itself. */
  readonly isJudged: boolean;
  /** The name of a split; null where it has none. */
  readonly name: string | null;
}

/** Writes it the way an operator does. */
export function showBy(by: By): string {
  if (by.kind === 'random' || by.kind === 'connection') return by.kind;
  if (by.kind === 'ip') return by.header === null ? 'ip' : `ip:${by.header}`;
  return `${by.kind}:${by.name}`;
}

export function showCondition({ kind, name, value }: Condition): string {
  return value === null ? `${kind}:${name}` : `${kind}:${name}=${value}`;
}

/** A share the way people write it: `5 %`, `0.5 %`. */
export function showShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
