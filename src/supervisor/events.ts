import type { Notice } from '../core/state/state.ts';
import type { StrategyName } from '../options/strategies.ts';

/**
 * What a service emits: each line of its log under the name of its event. Each has `level`, `event` and, where they
 * apply, `generation`, `worker` and `reason`; further details are named below. Times are in milliseconds.
 *
 * @example service.on('failed', ({ generation, reason }) => alert(`generation ${generation}: ${reason}`));
 */
export interface ServiceEvents {
  /** A generation is being started: `entry`, `workers`, `strategy`. */
  starting: [Notice];
  /** The first generation is active: `entry`, `tookMs`, `listeners`. */
  started: [Notice];
  /** All workers of a candidate are ready: `tookMs` since the order. */
  ready: [Notice];
  /** A check of a candidate failed and is asked again: `check`, and what came as `reason`. Told once for each check. */
  'check-waiting': [Notice];
  /** A candidate passed its checks, and was warmed up: `tookMs` since the order. */
  proven: [Notice];
  /** The active generation has changed. */
  cutover: [{ from: number; to: number; kind: 'reload' | 'rollback'; strategy: StrategyName }];
  /** The generation before has stopped accepting: `tookMs`. */
  paused: [Notice];
  /**
   * A reload has found another config: `changed` takes effect with the generation that is started, `overridden` has none
   * (a flag or an earlier reload says otherwise), `needsRestart` takes effect when the supervisor is started again.
   */
  'config-changed': [Notice];
  /** A worker of the generation before did not confirm in time that it stopped accepting. */
  'pause-overdue': [Notice];
  /** A candidate was given up, or an order that nobody waited for was refused: `code`. */
  failed: [Notice];
  /** The comparison of the new generation with the one before has begun: `forMs`. */
  baking: [Notice];
  /** Too few requests came to compare, so the comparison goes on: `forMs` in all. */
  'bake-extended': [Notice];
  /** How the comparison came out: `decision`, which is `"keep"`, `"keep unseen"` or `"roll back"`. */
  verdict: [Notice];
  /** A rollback would follow, but the option `rollback` is `"manual"`. */
  'rollback-wanted': [Notice];
  /** A rollback would follow, but no earlier version is known. */
  'rollback-impossible': [Notice];
  /** Under `exclusive`: the active generation accepts no more and finishes its requests. */
  quieting: [Notice];
  /** Under `exclusive`: the active generation has answered everything: `tookMs`. */
  quiet: [Notice];
  /** `beforeCutover` runs. */
  migrating: [Notice];
  /** `beforeCutover` has succeeded. */
  migrated: [Notice];
  /** Worker by worker: a new worker is ready. */
  'worker-ready': [Notice];
  /** A worker left a generation that stays: its successor serves, or it was scaled away. */
  'worker-left': [Notice];
  /** A worker of a generation that is not retiring has exited: `reason`. */
  'worker-exited': [Notice];
  /** The replacement of a lost worker is ready. */
  'worker-replaced': [Notice];
  /** A worker was ended because its event loop did not answer for `hangTimeout`: `silentMs`. */
  'worker-hung': [Notice];
  /** A worker uses more than `maxMemory`; its replacement starts. */
  'worker-heavy': [Notice];
  /** A worker grows steadily, too slowly for a bake to see: `perMinuteBytes`, `fullAt` (ISO 8601), when nothing is left. */
  'memory-grows': [Notice];
  /** More workers were lost than `restarts` allows; they are replaced slowly now. */
  'restart-limit': [Notice];
  /** The standby accepts, because no worker of the active generation can. */
  covering: [Notice];
  /** The active generation accepts again, and the standby no longer does. */
  'cover-over': [Notice];
  /** The machine runs out of memory, and the standby is retired. */
  'memory-low': [Notice];
  /** The number of workers is being changed: `from`, `to`. */
  scaling: [Notice];
  /** A generation finishes its requests and then ends. */
  retiring: [Notice];
  /** The last worker of a generation has exited. */
  retired: [Notice];
  /** A worker is ended although it is busy: `holding`, the requests in progress. */
  'drain-overdue': [Notice];
  /** A worker did not end by SIGTERM and got SIGKILL. */
  killed: [Notice];
  /** A connection on its way between two workers was lost. */
  'connection-lost': [Notice];
  /** A worker sent a message that is not of the protocol; it was ignored. */
  garbage: [Notice];
  /** The history could not be read or kept. */
  'history-lost': [Notice];
  /** The service was asked to stop. */
  stopping: [Notice];
  /** All workers have exited. */
  stopped: [Notice];
  /** An app called `process.send()`: the id of its worker, and what it sent. */
  message: [{ worker: string; message: unknown }];
  /** Every event of the log, whatever its name. */
  event: [Notice];
}
