import type { Settling } from '../core/model.ts';
import { HandoverError } from '../errors.ts';
import type { Done } from './pending.ts';

/** The answer to `reload`. Times in milliseconds. */
export interface ReloadDone {
  readonly ok: true;
  readonly from: number;
  readonly to: number;
  /** From the order to the candidate being ready, and checked where checks are asked for. */
  readonly bootMs: number;
  /** From there to the new generation accepting and the old one paused. */
  readonly cutoverMs: number;
  /** Connections that moved to the new generation before this answer; busy ones follow as their responses end. */
  readonly handedOver: number;
}

/** The answer to `rollback`. */
export interface RollbackDone {
  readonly ok: true;
  readonly from: number;
  readonly to: number;
  /** Milliseconds from the order to the old generation accepting. */
  readonly tookMs: number;
  readonly handedOver: number;
}

type Count = (from: number) => number;

export function reloadDone(answer: Done, count: Count): ReloadDone {
  const { from, to, bootMs, cutoverMs } = settledOf(answer);
  return { ok: true, from, to, bootMs: round(bootMs), cutoverMs: round(cutoverMs), handedOver: count(from) };
}

export function rollbackDone(answer: Done, count: Count): RollbackDone {
  const { from, to, tookMs } = settledOf(answer);
  return { ok: true, from, to, tookMs: round(tookMs), handedOver: count(from) };
}

function settledOf(answer: Done): Settling {
  if ('settled' in answer) return answer.settled;
  throw HandoverError.from(new Error('an order to hand over was answered with something else'));
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
