import type { Limits } from '../core/state/state.ts';
import { CHECK_FUNCTION } from './checks.ts';
import type { Options } from './options.ts';

/** On top of all timeouts together, so that the check that fails is the one that says so. */
const CHECK_GRACE_MS = 5_000;

/** What the core needs to know of the options. */
export function limitsOf(options: Options): Limits {
  const { readyTimeout, drainTimeout, keepWarm, handoverBudget, check, warmUp, restarts } = options;
  // Until readyTimeout; and one whole ask of each, for those whose turn comes when it is nearly over.
  const checksMs = check.reduce(
    (sum, one) => sum + Math.min(readyTimeout, typeof one === 'function' ? CHECK_FUNCTION.timeoutMs : one.timeoutMs),
    readyTimeout
  );
  const proves = check.length > 0 || warmUp !== null;
  return {
    readyMs: readyTimeout,
    drainMs: drainTimeout,
    keepWarmMs: keepWarm,
    budgetMs: handoverBudget,
    checkMs: proves ? checksMs + (warmUp?.forMs ?? 0) + CHECK_GRACE_MS : null,
    restarts,
    maxSurge: options.maxSurge,
    maxUnavailable: options.maxUnavailable,
    drainBeforeMs: options.drainBefore,
    migrateMs: options.beforeCutover?.timeoutMs ?? null,
    bakeMs: options.bake.forMs,
    bakeAtMostMs: options.bake.atMostMs,
    bakeRequests: options.bake.requests,
    bake: options.bake.limits,
    rollsBack: options.rollback === 'auto'
  };
}
