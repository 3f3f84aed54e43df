import type { News, Notice, Release } from '../../core/state/state.ts';
import type { Departed } from '../departed.ts';
import type { FoundWorker } from '../found-workers.ts';
import type { NamedWorker } from '../link-file.ts';
import type { Watchdog } from '../measure/watchdog.ts';
import type { Relay } from '../relay.ts';
import type { ReadinessPorts } from './readiness.ts';
import type { Watch, WorkerProcess } from './worker-process.ts';

/** What the worker processes are joined with. */
export interface WorkersPorts extends ReadinessPorts {
  readonly watchdog?: Watchdog;
  readonly relay: Pick<Relay, 'take' | 'onAdopted' | 'onDeclined' | 'onReceiver' | 'onGone'>;
  readonly departed: Departed;
  /** Whether the active generation is a new one, and it has not been looked at yet what it serves. */
  isCuttingOver(): boolean;
  start(one: { worker: string; generation: number; release: Release; watch: Watch }): WorkerProcess;
  /** The same for one that an earlier supervisor started. */
  adopt(found: FoundWorker, release: Release, watch: Watch): WorkerProcess;
  /** Which processes run, whenever that changes. */
  onNamed(workers: readonly NamedWorker[]): void;
  post(news: News): void;
  announce(notice: Notice): void;
  now(): number;
  onAppMessage(worker: string, message: unknown): void;
}
