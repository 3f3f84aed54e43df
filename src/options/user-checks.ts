import type { CheckFunction } from './checks.ts';

/**
 * What a user may write for a check: a path, a path with the expected status, a function that fails by throwing, or an
 * object.
 *
 * @example '/health', '/health=200', async ({ fetch }) => { if (!(await fetch('/cart')).ok) throw new Error('no cart'); }
 */
export type UserCheck = string | CheckFunction | UserCheckRequest;

interface UserCheckRequest {
  /** Path of the request; it begins with `/`. */
  path: string;
  /** Default: `GET`. */
  method?: string;
  /** Default: none, and `content-type: application/json` for a body that is an object. */
  headers?: Record<string, string>;
  /** A text as it is, or an object that is sent as JSON. Default: none. */
  body?: string | object;
  /** What the response must be like. */
  expect?: {
    /** One status or several. Default: any of 200-399. */
    status?: number | readonly number[];
    /** By name, the exact value or a pattern. Default: any. */
    headers?: Record<string, string | RegExp>;
    /** A text that must be in it, a pattern, or a function that gets the parsed JSON and returns true. Default: any. */
    body?: string | RegExp | ((json: unknown) => boolean);
  };
  /** How many failures in a row are a failure while baking; before the cutover it is asked until `readyTimeout`. Default: 3. */
  attempts?: number;
  /** Time from a failure to the next attempt: a duration. Default: `"500ms"`. */
  interval?: string | number;
  /** Time for one attempt: a duration above 0. Default: `"5s"`. */
  timeout?: string | number;
  /** Whether it goes on being asked every 2 s while the new generation bakes. Default: false. */
  whileBaking?: boolean;
}

/** What a user may write for the warm-up: a path, or an object with at least one path. */
export type UserWarmUp = string | UserWarmUpRequests;

interface UserWarmUpRequests {
  /** One path; it begins with `/`. */
  path?: string;
  /** Several paths, asked in turn. */
  paths?: readonly string[];
  /** Requests to each worker, all paths together. Default: 200. */
  requests?: number;
  /** Requests at a time to each worker. Default: 4. */
  concurrency?: number;
  /** When it ends, however many requests were made: a duration above 0. Default: `"5s"`. */
  for?: string | number;
}
