import { judge } from '../../src/core/verdict/judge.ts';
import { DEFAULT_LIMITS } from '../../src/core/verdict/signals.ts';
import type { Fault, Habit, Manner } from './habits.ts';

/** A small service of a small team. */
export const shop: Manner = {
  ...{
    rate: 500,
    traffic: 'poisson',
    failedShare: 0,
    refusedShare: 0.02,
    cutShare: 0,
    medianMs: 2,
    scatter: 0.5,
    slowShare: 0.01
  },
  ...{ slowMs: 20, cpuMs: 0.4, pauseRate: 0.1, pauseMs: 30, cold: 8, coldMs: 300, uncaughtRate: 0 }
};

/** How a deploy went in simulation. */
interface RolledBack {
  /** After the cutover. */
  readonly afterMs: number;
  /** 5xx until then. */
  readonly bad: number;
  readonly reason: string;
}

/** Deploys a version with a fault, or a good one, by the default limits; null = it is not rolled back in 30 s. */
export function simulate(habit: Habit, fault: Fault = {}): RolledBack | null {
  const before = habit.lived(30);
  for (const after of habit.live(30, fault, true)) {
    const { decision, reason } = judge(before, after, DEFAULT_LIMITS, false);
    if (decision === 'roll back') return { afterMs: after.spanMs, bad: after.failed, reason };
  }
  return null;
}
