import { METHODS } from 'node:http';
import { readDuration } from './durations.ts';
import type { UserCheck, UserWarmUp } from './user-checks.ts';

/** What a check asks of a candidate, and what it expects. Times in milliseconds. */
export interface Check {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly expect: Expectation;
  /** How often in a row it fails, once it has held, before it has failed: while baking. */
  readonly attempts: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Whether it goes on being asked after the cutover, while the new generation bakes. */
  readonly whileBaking: boolean;
}

interface Expectation {
  /** One status, several, or null for any of 200-399. */
  readonly status: readonly number[] | null;
  readonly headers: Readonly<Record<string, string | RegExp>>;
  readonly body: string | RegExp | ((json: unknown) => boolean) | null;
}

/** A worker of the candidate, as a check that is a function sees it. */
export interface CandidateWorker {
  /** Number of the candidate. */
  readonly generation: number;
  /** Id of the worker, such as `"7.1"`. */
  readonly worker: string;
  /** Asks this worker privately: like the global `fetch`, with a path in place of the URL. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Aborted when the time of this ask is over, or its answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/** A check of one's own: it fails by throwing, rejecting, or not settling within 30 s, and is then called again. */
export type CheckFunction = (candidate: CandidateWorker) => Promise<void> | void;

/** What came back, as far as an expectation can look at it. */
export interface CheckResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How long a check that is a function may take, and how soon it is called again after it threw. */
export const CHECK_FUNCTION = { timeoutMs: 30_000, intervalMs: 500 } as const;

/** Private requests that let the first users meet compiled code and open pools. */
export interface WarmUp {
  readonly paths: readonly string[];
  /** Whether they are what the active generation is asked for, until the candidate is about as fast. */
  readonly live: boolean;
  /** Requests to each worker at the most. */
  readonly requests: number;
  readonly concurrency: number;
  /** Milliseconds after which it is enough, however many requests it were. */
  readonly forMs: number;
}

const WARM_UP_FIELDS = ['path', 'paths', 'requests', 'concurrency', 'for'];
const WARM_UP_DEFAULTS = { requests: 200, concurrency: 4, forMs: 5_000 };

const LIVE: WarmUp = { paths: [], live: true, requests: Number.POSITIVE_INFINITY, concurrency: 4, forMs: 2_000 };

/** Reads a warm-up, or gives undefined where it is none: a path, `live` or an object. */
export function readWarmUp(given: unknown): WarmUp | undefined {
  if (given === 'live') return LIVE;
  if (typeof given === 'string') return readWarmUp({ path: given });
  if (typeof given !== 'object' || given === null) return undefined;
  const {
    path,
    paths = [],
    requests = WARM_UP_DEFAULTS.requests,
    concurrency = WARM_UP_DEFAULTS.concurrency,
    for: time
  } = given as Exclude<UserWarmUp, string>;
  const forMs = time === undefined ? WARM_UP_DEFAULTS.forMs : readDuration(1)(time);
  const all = [...(path === undefined ? [] : [path]), ...paths];
  const usable =
    Object.keys(given).every((key) => WARM_UP_FIELDS.includes(key)) &&
    all.length > 0 &&
    all.every((one) => typeof one === 'string' && one.startsWith('/')) &&
    [requests, concurrency].every((one) => Number.isInteger(one) && one >= 1);
  return usable && forMs !== undefined ? { paths: all, live: false, requests, concurrency, forMs } : undefined;
}

const DEFAULTS = {
  method: 'GET',
  headers: {},
  body: null,
  attempts: 3,
  intervalMs: 500,
  timeoutMs: 5_000,
  whileBaking: false
} as const;
const FIELDS = ['path', 'method', 'headers', 'body', 'expect', 'attempts', 'interval', 'timeout', 'whileBaking'];
const EXPECT_FIELDS = ['status', 'headers', 'body'];

const isText = (value: unknown) => typeof value === 'string';

function isRecord(value: unknown, fits: (field: unknown) => boolean = () => true): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(fits);
}

/** How much of a body an error shows. */
const SHOWN_LENGTH = 200;

/** Reads a check, or gives undefined where it is none: `/health`, `/health=200`, an object or a function. */
export function readCheck(given: unknown): Check | CheckFunction | undefined {
  if (typeof given === 'function') return given as CheckFunction;
  if (typeof given === 'string') {
    // In a query, `=200` is the status only behind a value: `/health?deep=1=200`.
    const forms = [
      /^(\/[^\s?=]*)(?:=([1-5]\d\d))?$/,
      /^(\/[^\s?=]*\?\S*=[^\s=&]*)=([1-5]\d\d)$/,
      /^(\/[^\s?=]*\?\S*)$/
    ];
    const [, path, status] = forms.map((form) => form.exec(given)).find((found) => found !== null) ?? [];
    return path === undefined ? undefined : { ...DEFAULTS, path, expect: expectOf(status ? [Number(status)] : null) };
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const {
    path,
    method = 'GET',
    headers = {},
    body,
    expect = {},
    attempts = DEFAULTS.attempts,
    interval,
    timeout,
    whileBaking = DEFAULTS.whileBaking
  } = given as Exclude<UserCheck, string | CheckFunction>;
  if (!isRecord(expect)) return undefined;
  const known =
    Object.keys(given).every((key) => FIELDS.includes(key)) &&
    Object.keys(expect).every((key) => EXPECT_FIELDS.includes(key));
  const intervalMs = interval === undefined ? DEFAULTS.intervalMs : readDuration(0)(interval);
  const timeoutMs = timeout === undefined ? DEFAULTS.timeoutMs : readDuration(1)(timeout);
  const status = expect.status === undefined ? null : [expect.status].flat();
  const usable =
    known &&
    typeof path === 'string' &&
    path.startsWith('/') &&
    typeof method === 'string' &&
    METHODS.includes(method.toUpperCase()) &&
    isRecord(headers, isText) &&
    (body === undefined || isText(body) || (typeof body === 'object' && body !== null)) &&
    isRecord(expect.headers ?? {}, (value) => isText(value) || value instanceof RegExp) &&
    (expect.body instanceof RegExp || ['undefined', 'string', 'function'].includes(typeof expect.body)) &&
    Number.isInteger(attempts) &&
    attempts >= 1 &&
    typeof whileBaking === 'boolean' &&
    status?.length !== 0 &&
    (status ?? []).every((code) => Number.isInteger(code) && code >= 100 && code <= 599);
  if (!usable || intervalMs === undefined || timeoutMs === undefined) return undefined;
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  const json = typeof body === 'object' ? { 'content-type': 'application/json' } : {};
  const expected = { status, headers: expect.headers ?? {}, body: expect.body ?? null };
  return {
    path,
    method: method.toUpperCase(),
    headers: { ...json, ...headers },
    body: text,
    expect: expected,
    attempts,
    intervalMs,
    timeoutMs,
    whileBaking
  };
}

/**
 * Compares what came with what was expected.
 *
 * @returns null when it is as expected, else what was expected and what came
 */
export function judgeCheck({ expect }: Check, came: CheckResponse): { expected: string; came: string } | null {
  const shown = `status ${came.status}, body ${JSON.stringify(came.body.slice(0, SHOWN_LENGTH))}`;
  const wrong = (expected: string) => ({ expected, came: shown });
  const statusFits = expect.status ? expect.status.includes(came.status) : came.status >= 200 && came.status < 400;
  if (!statusFits) return wrong(`status ${expect.status?.join(' or ') ?? '200-399'}`);
  for (const [name, wanted] of Object.entries(expect.headers)) {
    const value = came.headers[name.toLowerCase()];
    if (value === undefined || !fits(wanted, value))
      return { expected: `header ${name}: ${String(wanted)}`, came: `header ${name}: ${value ?? '(none)'}` };
  }
  const { body } = expect;
  if (body === null) return null;
  if (typeof body === 'function') return isJsonThat(body, came.body) ? null : wrong('a body that the check accepts');
  if (typeof body === 'string' ? came.body.includes(body) : came.body.search(body) >= 0) return null;
  return wrong(typeof body === 'string' ? `a body with ${JSON.stringify(body)} in it` : `a body like ${String(body)}`);
}

/** A check as an error names it. */
export function nameCheck(check: Check | CheckFunction): string {
  return typeof check === 'function' ? `function ${check.name || '(anonymous)'}` : `${check.method} ${check.path}`;
}

function fits(wanted: string | RegExp, value: string): boolean {
  return typeof wanted === 'string' ? wanted === value : value.search(wanted) >= 0;
}

function isJsonThat(accepts: (json: unknown) => boolean, body: string): boolean {
  try {
    return accepts(JSON.parse(body)) === true;
  } catch {
    return false; // not JSON, or the function did not expect what it is: either way not what was expected
  }
}

function expectOf(status: readonly number[] | null): Expectation {
  return { status, headers: {}, body: null };
}
