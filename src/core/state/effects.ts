import type { Account, ErrorCode } from '../../errors.ts';
import type { Deadline } from './news.ts';
import type { Release } from './release.ts';
import type { State } from './state.ts';
import type { Canary, Completion, Drained, Judged, Scaling } from './types.ts';

/** The core's answer to an order. The relay, which moves the connections, adds `handedOver`. */
export type Reply =
  | { readonly ok: true; readonly started: number }
  /** `kept`: how and why the generation was kept; null unless the order waited for the verdict. */
  | { readonly ok: true; readonly completed: Completion; readonly kept: Judged | null }
  /** Both answer from now on. */
  | {
      readonly ok: true;
      readonly shared: Canary;
      readonly next: number;
      readonly active: number;
      readonly bootMs: number;
    }
  | { readonly ok: true; readonly promoted: number; readonly standby: number | null; readonly reason: string }
  | { readonly ok: true; readonly abandoned: number; readonly active: number; readonly reason: string }
  | { readonly ok: true; readonly retired: number }
  | { readonly ok: true; readonly scaled: Scaling; readonly active: number }
  /** Null: it is not drained any more; `before`: how it was. */
  | {
      readonly ok: true;
      readonly drained: Drained | null;
      readonly before: Drained | null;
      readonly active: number | null;
    }
  | { readonly ok: true; readonly stopped: true }
  | { readonly ok: false; readonly code: ErrorCode; readonly account: Account; readonly active: number | null };

/** One event of a service: a line of its log. */
export interface Notice {
  readonly level: 'info' | 'warn' | 'error';
  /** Its name, such as `cutover`. */
  readonly event: string;
  /** Number of the generation it is about. */
  readonly generation?: number;
  /** Id of the worker it is about, such as `7.1`. */
  readonly worker?: string;
  /** Why it came to this, in words; may be several lines. */
  readonly reason?: string;
  /** What else is known, by event. */
  readonly [extra: string]: unknown;
}

/** What the supervisor is told to do. The order in a list matters: accept first, pause second. */
export type Effect =
  | { readonly do: 'fork'; readonly worker: string; readonly generation: number; readonly release: Release }
  /** Checks and warms up one worker, or all of the generation. */
  | { readonly do: 'check'; readonly generation: number; readonly worker: string | null }
  /** Closes what the active generation does not serve, and asks every other address once whether a worker answers there. */
  | { readonly do: 'verify'; readonly generation: number }
  /** Runs `beforeCutover`. */
  | { readonly do: 'run-before-cutover'; readonly from: number; readonly generation: number; readonly release: Release }
  | { readonly do: 'cancel-before-cutover' | 'close-listeners' }
  /** With `yields`, the next generation may serve from here on. */
  | { readonly do: 'hold'; readonly worker: string; readonly yields: boolean }
  | { readonly do: 'accept' | 'activate' | 'deactivate' | 'terminate' | 'kill'; readonly worker: string }
  /**
   * With `hurry`, its connections move at once, since what it serves is bad; else as fast as their receivers can serve them. With
   * `last`, nobody accepts after it.
   */
  | {
      readonly do: 'pause';
      readonly worker: string;
      readonly receivers: boolean;
      readonly hurry?: true;
      readonly last?: true;
    }
  | { readonly do: 'drain'; readonly worker: string; readonly receivers: boolean }
  | {
      readonly do: 'set-deadline';
      readonly deadline: Deadline;
      readonly about: number | string;
      readonly afterMs: number;
    }
  | { readonly do: 'clear-deadline'; readonly deadline: Deadline; readonly about: number | string }
  | { readonly do: 'reply'; readonly request: number; readonly reply: Reply }
  | { readonly do: 'announce'; readonly notice: Notice };

/** The outcome of a step: the next state, and what to do. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}
