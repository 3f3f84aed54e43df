import type { UserBake } from './bake.ts';
import type { UserCheck, UserWarmUp } from './checks.ts';
import type { StrategyName, UserBeforeCutover } from './strategies.ts';

/** What a user may write: durations as `"30s"` or milliseconds, one address or a list of them. */
export interface UserOptions {
  listen?: string | number | readonly (string | number)[];
  workers?: number | 'max';
  name?: string;
  socket?: string;
  ready?: 'listening' | 'signal';
  check?: UserCheck | readonly UserCheck[];
  warmUp?: UserWarmUp;
  strategy?: StrategyName;
  maxSurge?: number | string;
  maxUnavailable?: number | string;
  beforeCutover?: UserBeforeCutover;
  readyTimeout?: string | number;
  drainTimeout?: string | number;
  bake?: UserBake;
  rollback?: 'auto' | 'manual';
  keepWarm?: string | number;
  handoverBudget?: string | number;
  orphanTimeout?: string | number;
  hangTimeout?: string | number;
  maxMemory?: string | number;
  standbyMemory?: string | number;
  restarts?: string | { max?: number; within?: string | number };
  backlog?: number;
  stateFile?: string;
  log?: 'pretty' | 'json';
}
