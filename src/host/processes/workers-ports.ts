import type { News, Notice, Release } from '../../core/state/state.ts';
import type { Handle } from '../../internals/net.ts';
import type { ToSupervisor } from '../../protocol/messages.ts';
import type { Watchdog } from '../measure/watchdog.ts';
import type { ReadinessPorts } from './readiness.ts';
import type { Watch, WorkerProcess } from './worker-process.ts';

/** What the worker processes are joined with. */
export interface WorkersPorts extends ReadinessPorts {
  readonly watchdog?: Watchdog;
  start(worker: string, generation: number, release: Release, watch: Watch): WorkerProcess;
  post(news: News): void;
  announce(notice: Notice): void;
  now(): number;
  onConnection(worker: string, message: Extract<ToSupervisor, { type: 'connection' }>, handle: Handle): void;
  onAdopted(worker: string, id: string, busy: number): void;
  onDeclined(worker: string, id: string): void;
  onReceiver(): void;
  onGone(worker: string): void;
  onAppMessage(worker: string, message: unknown): void;
}
