import { describeNext } from '../core/canary-status.ts';
import { isoTime } from '../core/state/history.ts';
import type { Completion, Judged } from '../core/state/state.ts';
import type { HistoryEntryStatus } from '../core/status.ts';
import { HandoverError } from '../errors.ts';
import type { Departed } from '../host/departed.ts';
import type { LeftByKind } from '../protocol/kinds.ts';
import type { ConfigChange } from './configuration.ts';
import type { Done } from './pending.ts';

/** The answer to `reload`. Times in milliseconds. */
export interface ReloadDone {
  readonly ok: true;
  /** The generation that was active before. */
  readonly from: number;
  /** The generation that is active now. */
  readonly to: number;
  /** From the order to the candidate being ready, and checked where checks are asked for. */
  readonly bootMs: number;
  /** From there to the new generation accepting and the old one paused. */
  readonly cutoverMs: number;
  /** From there to this answer: until what was idle had moved, as fast as the new generation could serve it. */
  readonly rampMs: number;
  /** Connections that moved to the new generation before this answer; busy ones follow as their responses end. */
  readonly handedOver: number;
  /** How the connections of the old generation have left, or are going to, by kind. */
  readonly connections: LeftByKind;
  /** With a canary: how it answers from now on. `to` is not active yet then, and nothing has moved. */
  readonly canary?: CanaryShare;
  /** With `wait`: how the comparison with the generation before came out, why, and the figures of both. */
  readonly verdict?: Judged;
  /** Under `exclusive`: how long nobody served. */
  readonly gapMs?: number;
  /** Addresses that the version before served and this one does not: nobody listens there any more. */
  readonly closed?: readonly string[];
  /** What was changed in the config since the generation before was started; left out where nothing was. */
  readonly config?: ConfigChange;
}

/** How a canary answers from now on. */
export interface CanaryShare {
  /** What part of the requests it gets, 0-1. */
  readonly share: number;
  /** Which of its steps that is, from 1. */
  readonly step: number;
  readonly steps: number;
  /** What comes next, in words. */
  readonly next: string;
}

/** The answer to `canary`. */
export interface CanaryDone extends CanaryShare {
  readonly ok: true;
  readonly active: number;
  /** The canary. */
  readonly generation: number;
}

/** The answer to `rollback`. */
export interface RollbackDone {
  readonly ok: true;
  /** The generation that was active before. */
  readonly from: number;
  /** The generation that is active now. */
  readonly to: number;
  /** Milliseconds from the order to the old generation accepting. */
  readonly tookMs: number;
  /** Connections that moved before this answer; busy ones follow as their responses end. */
  readonly handedOver: number;
  /** How the connections of the generation before have left, or are going to, by kind. */
  readonly connections: LeftByKind;
  /** Under `exclusive`: how long nobody served. */
  readonly gapMs?: number;
  /** Addresses that the version before served and this one does not: nobody listens there any more. */
  readonly closed?: readonly string[];
}

/** The answer to `promote`. */
export interface PromoteDone {
  readonly ok: true;
  /** The generation that was kept. */
  readonly active: number;
  /** The generation that stays warm for a rollback, or null. */
  readonly standby: number | null;
  /** Why it was kept, in words. */
  readonly reason: string;
}

/** The answer to `abort`. */
export interface AbortDone {
  readonly ok: true;
  /** The generation that serves. */
  readonly active: number;
  /** The generation that was given up, or rolled back. */
  readonly abandoned: number;
  /** Why, in words. */
  readonly reason: string;
}

/** The answer to `retire`. */
export interface RetireDone {
  readonly ok: true;
  /** The generation that was the standby. */
  readonly retired: number;
}

/** The answer to `scale`. */
export interface ScaleDone {
  readonly ok: true;
  /** The active generation. */
  readonly active: number;
  /** How many workers it had. */
  readonly from: number;
  /** How many workers it has. */
  readonly to: number;
}

/** The answer to `drain`. */
export interface DrainDone {
  readonly ok: true;
  /** The generation that serves whoever comes; null while the first one starts. */
  readonly active: number | null;
  /** ISO 8601. */
  readonly since: string;
  /** When it ends by itself, ISO 8601; null: with `undrain`. */
  readonly until: string | null;
  /** Whether each answer says `Connection: close`. */
  readonly closeIdle: boolean;
}

/** The answer to `undrain`. */
export interface UndrainDone {
  readonly ok: true;
  readonly active: number | null;
  /** Whether it had been drained. */
  readonly wasDrained: boolean;
}

/** The answer to `history`. */
export interface History {
  readonly ok: true;
  /** Name of the app. */
  readonly app: string;
  /** The last 50 generations, oldest first. */
  readonly history: readonly HistoryEntryStatus[];
}

type Counts = Pick<Departed, 'take'>;

export function reloadDone(answer: Done, departed: Counts): ReloadDone {
  if ('shared' in answer) {
    const { active, next, bootMs } = answer;
    const nothing = { cutoverMs: 0, rampMs: 0, handedOver: 0, connections: {} };
    return { ok: true, from: active, to: next, bootMs: round(bootMs), ...nothing, canary: shareOf(answer) };
  }
  const { from, to, bootMs, cutoverMs, rampMs, gapMs, closed } = completionOf(answer);
  const times = { bootMs: round(bootMs), cutoverMs: round(cutoverMs), rampMs: round(rampMs) };
  const gap = gapMs === null ? {} : { gapMs: round(gapMs) };
  const kept = 'completed' in answer ? answer.kept : null;
  const verdict = kept === null ? {} : { verdict: kept };
  return { ok: true, from, to, ...times, ...departed.take(from), ...gap, ...verdict, ...closedOf(closed) };
}

export function rollbackDone(answer: Done, departed: Counts): RollbackDone {
  // A canary was given up: the active generation never ceased to answer.
  if ('abandoned' in answer)
    return { ok: true, from: answer.abandoned, to: answer.active, tookMs: 0, ...departed.take(answer.abandoned) };
  const { from, to, tookMs, gapMs, closed } = completionOf(answer);
  const gap = gapMs === null ? {} : { gapMs: round(gapMs) };
  return { ok: true, from, to, tookMs: round(tookMs), ...departed.take(from), ...gap, ...closedOf(closed) };
}

export function promoteDone(answer: Done): PromoteDone {
  if ('completed' in answer) {
    const { from, to } = answer.completed;
    return { ok: true, active: to, standby: from, reason: 'promoted by the operator' };
  }
  if (!('promoted' in answer)) throw misanswered();
  return { ok: true, active: answer.promoted, standby: answer.standby, reason: answer.reason };
}

export function canaryDone(answer: Done): CanaryDone {
  if (!('shared' in answer)) throw misanswered();
  return { ok: true, active: answer.active, generation: answer.next, ...shareOf(answer) };
}

function shareOf({ shared }: Extract<Done, { shared: unknown }>): CanaryShare {
  const { share, step, plan } = shared;
  return { share, step: step + 1, steps: plan.steps.length, next: describeNext(shared, null, shared.since) };
}

/** A candidate was given up, or the version before came back: in either case one is abandoned. */
export function abortDone(answer: Done): AbortDone {
  if ('abandoned' in answer) {
    const { active, abandoned, reason } = answer;
    return { ok: true, active, abandoned, reason };
  }
  const { from, to, verdict } = completionOf(answer);
  return { ok: true, active: to, abandoned: from, reason: verdict?.reason ?? 'aborted by the operator' };
}

export function retireDone(answer: Done): RetireDone {
  if (!('retired' in answer)) throw misanswered();
  return { ok: true, retired: answer.retired };
}

export function scaleDone(answer: Done): ScaleDone {
  if (!('scaled' in answer)) throw misanswered();
  return { ok: true, active: answer.active, from: answer.scaled.from, to: answer.scaled.to };
}

export function drainDone(answer: Done): DrainDone {
  if (!('drained' in answer) || !answer.drained) throw misanswered();
  const { since, until, closesIdle } = answer.drained;
  const end = until === null ? null : isoTime(until);
  return { ok: true, active: answer.active, since: isoTime(since), until: end, closeIdle: closesIdle };
}

export function undrainDone(answer: Done): UndrainDone {
  if (!('drained' in answer)) throw misanswered();
  return { ok: true, active: answer.active, wasDrained: answer.before !== null };
}

function completionOf(answer: Done): Completion {
  if ('completed' in answer) return answer.completed;
  throw misanswered();
}

function closedOf(closed: readonly string[]): { readonly closed?: readonly string[] } {
  return closed.length === 0 ? {} : { closed };
}

function misanswered(): HandoverError {
  return HandoverError.from(new Error('an order was answered with something else'));
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
