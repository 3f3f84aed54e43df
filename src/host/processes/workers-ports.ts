import type { News, Notice, Release } from '../../core/state/state.ts';
import type { Departed } from '../departed.ts';
import type { Watchdog } from '../measure/watchdog.ts';
import type { Relay } from '../relay.ts';
import type { ReadinessPorts } from './readiness.ts';
import type { Watch, WorkerProcess } from './worker-process.ts';

/** What the worker processes are joined with. */
export interface WorkersPorts extends ReadinessPorts {
  readonly watchdog?: Watchdog;
  readonly relay: Pick<Relay, 'take' | 'onAdopted' | 'onDeclined' | 'onReceiver' | 'onGone'>;
  readonly departed: Departed;
  start(worker: string, generation: number, release: Release, watch: Watch): WorkerProcess;
  post(news: News): void;
  announce(notice: Notice): void;
  now(): number;
  onAppMessage(worker: string, message: unknown): void;
}
