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
  /** The active generation has changed, `tookMs` after the order: the new one accepts. */
  cutover: [{ from: number; to: number; kind: 'reload' | 'rollback'; strategy: StrategyName; tookMs: number }];
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
  /** A canary answers from now on: `share`, 0-1, `by`, and of several steps `step` and `steps`; a split has its `name`. */
  canary: [Notice];
  /** The time of a step is over, and too few requests have come to judge by. */
  'canary-waits': [Notice];
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
  /** A worker that replaces no lost one is ready: by a strategy that goes worker by worker, or by `scale`. */
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
  /** The workers of an earlier supervisor were taken over: `workers`, how many; `gone`, how many of those it had are not there. */
  adopted: [Notice];
  /** What the options say differs from what the generation that was taken over was started with: `options`, their names. */
  'options-differ': [Notice];
  /** Another supervisor has taken over: this one does nothing any more. */
  superseded: [Notice];
  /** The control socket or that of the workers was removed by something, and was made anew: `reason`. */
  'socket-restored': [Notice];
  /** The workers that run cannot be named for the next supervisor: `reason`. Told once until it works again. */
  'workers-unnamed': [Notice];
  /** A worker sent a message that is not of the protocol; it was ignored. */
  garbage: [Notice];
  /** systemd asked to be told how the service is, and cannot be: `reason`. Told once. */
  'notify-failed': [Notice];
  /** systemd passes its sockets as blocking ones: workers that outlive a main process can hang when the next is started: `reason`. */
  'socket-blocks': [Notice];
  /** After a takeover, nobody answers on an address: `reason`. The generation that serves stays. */
  unreached: [Notice];
  /** The address of `admin` is open: `address`. */
  admin: [Notice];
  /** The address of `admin` can be reached from other machines: `reason` says what that means. */
  'admin-exposed': [Notice];
  /** The address of `admin` cannot be opened for now, and is tried again: `reason`. The service is not touched by that. */
  'admin-unavailable': [Notice];
  /** This machine is part of its fleet, or is again: `service`, and its own name as `machine`. */
  'fleet-joined': [Notice];
  /** This machine is not part of its fleet, and tries to be again: `reason`. What serves is not touched; nothing new is begun. */
  'fleet-lost': [Notice];
  /** A deploy of the fleet begins on this machine: `label`, `deploy`. */
  'fleet-deploying': [Notice];
  /** A deploy of the fleet has come to a good end on this machine: `label`, `deploy`, `tookMs`. */
  'fleet-deployed': [Notice];
  /** A deploy of the fleet has failed on this machine: `label`, `deploy`, `tookMs`, `code`. */
  'fleet-rejected': [Notice];
  /** Nobody else begins: the fleet was stopped by a machine that failed, paused or aborted: `label`, `deploy`, and which as `state`. */
  'fleet-stopped': [Notice];
  /** The fleet goes back: `label` of what it leaves, `to` that of what it ran before, `deploy`. */
  'fleet-rolling-back': [Notice];
  /** This machine has gone back with its fleet: `label` of what it runs now, `deploy`, `tookMs`. */
  'fleet-rolled-back': [Notice];
  /** Something under the keys of the fleet is not usable, and was left out: its `key`. Told once for each reason. */
  'fleet-unreadable': [Notice];
  /** The address of `agentCheck` is open: `address`. */
  'agent-check': [Notice];
  /** The address of `agentCheck` cannot be opened for now, and is tried again: `reason`. The service is not touched by that. */
  'agent-check-unavailable': [Notice];
  /** The history could not be read or kept. */
  'history-lost': [Notice];
  /** An app asked for another port than that of `--listen`, and answers on that: `reason`. Told once for a version. */
  assigned: [Notice];
  /** Addresses on which the new version does not listen were closed: `addresses`. */
  closed: [Notice];
  /** The file of a unix socket was removed by something, and was put back: `address`. */
  'path-restored': [Notice];
  /** The supervisor is being replaced by the next one. */
  upgrading: [Notice];
  /** Said by a worker, on stderr only: its supervisor is gone, and it serves on until the next one comes: `pid`. */
  orphaned: [Notice];
  /** Said by a worker, on stderr only: no supervisor came, and it exits: `pid`. */
  'orphan-exit': [Notice];
  /** Only in `handover logs -f`: the reader was too slow, and so many `lines` were left out. */
  'lines-skipped': [Notice];
  /** Whoever `onEvent` names was not told of an event: `reason`. Told once until it works again. */
  'on-event-failed': [Notice];
  /** The log file cannot be written, or not be rotated: `reason`. Told once until it works again. */
  'log-file-failed': [Notice];
  /** The log file can be written again: `lost`, the lines that it does not have. */
  'log-file-mended': [Notice];
  /** Workers of another user run with less of what `user` promises than on other machines: `reason`. */
  'user-limited': [Notice];
  /** As process 1 this supervisor has processes that have ended and that nobody waits for: `count`. Told once. */
  zombies: [Notice];
  /** An operator has drained the service: `until` (ISO 8601, or null), `closeIdle`. */
  drained: [Notice];
  /** The service is not drained any more: `reason`. */
  undrained: [Notice];
  /** Load balancers are told for `forMs` before a stop, or a handover, changes anything: `reason`. */
  withdrawing: [Notice];
  /** The service was asked to stop. */
  stopping: [Notice];
  /** All workers have exited. */
  stopped: [Notice];
  /** An app called `process.send()`: the id of its worker, and what it sent. */
  message: [{ worker: string; message: unknown }];
  /** Every event of the log, whatever its name. */
  event: [Notice];
}
