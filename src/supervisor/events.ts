import type { Notice } from '../core/state/state.ts';
import type { StrategyName } from '../options/strategies.ts';

type NoticeName =
  | 'starting'
  | 'started'
  | 'ready'
  | 'proven'
  | 'paused'
  | 'failed'
  | 'retiring'
  | 'retired'
  | 'worker-exited'
  | 'worker-left'
  | 'worker-replaced'
  | 'baking'
  | 'verdict'
  | 'quieting'
  | 'quiet'
  | 'migrating'
  | 'migrated'
  | 'worker-ready'
  | 'worker-hung'
  | 'worker-heavy'
  | 'memory-low'
  | 'scaling'
  | 'rollback-wanted'
  | 'rollback-impossible'
  | 'history-lost'
  | 'covering'
  | 'cover-over'
  | 'restart-limit'
  | 'drain-overdue'
  | 'killed'
  | 'pause-overdue'
  | 'connection-lost'
  | 'garbage'
  | 'stopping'
  | 'stopped';

/** What a service tells: each line of its log under the name of its event, with the line's details. */
export interface ServiceEvents extends Record<NoticeName, [Notice]> {
  /** The active generation has changed. */
  cutover: [{ from: number; to: number; kind: 'reload' | 'rollback'; strategy: StrategyName }];
  /** An app called `process.send()`. */
  message: [{ worker: string; message: unknown }];
  /** Every event, as the log has it. */
  event: [Notice];
}
