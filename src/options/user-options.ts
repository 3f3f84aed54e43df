import type { GivenBake } from './bake.ts';
import type { GivenCheck, GivenWarmUp } from './checks.ts';
import type { GivenMigration, StrategyName } from './strategies.ts';

/** What a user may write: durations as `"30s"` or milliseconds, one address or a list of them. */
export interface GivenOptions {
  listen?: string | number | readonly (string | number)[];
  workers?: number | 'max';
  name?: string;
  socket?: string;
  ready?: 'listening' | 'signal';
  check?: GivenCheck | readonly GivenCheck[];
  warmUp?: GivenWarmUp;
  strategy?: StrategyName;
  maxSurge?: number | string;
  maxUnavailable?: number | string;
  beforeCutover?: GivenMigration;
  readyTimeout?: string | number;
  drainTimeout?: string | number;
  bake?: GivenBake;
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
