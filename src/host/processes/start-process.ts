import type { Release } from '../../core/state/state.ts';
import { LAST_WORDS_FD, SETTINGS_VARIABLE, type WorkerSettings } from '../../protocol/worker-settings.ts';
import type { OutputTarget } from '../log.ts';
import { commandAs } from '../rights/command-as.ts';
import type { WorkerAccount } from '../rights/users.ts';
import { type RunningProcess, startProcess } from './running-process.ts';
import { withPreload } from './with-preload.ts';

/** A debugger's port can be had by one process only. */
const NOT_INHERITED = /^--(inspect|debug)/;

export interface SpawnOptions {
  readonly release: Release;
  readonly env: NodeJS.ProcessEnv;
  readonly output: OutputTarget;
  /** As whom it runs; null: as this process. */
  readonly account: WorkerAccount | null;
  /** One that an earlier supervisor started; else it is started. */
  readonly adopted?: RunningProcess;
  readonly start?: {
    /** The file that is loaded before the app. */
    readonly preload: string;
    readonly settings: WorkerSettings;
  };
}

/** Starts the process of a worker: the app's own, with what is loaded before it. */
export function startWorkerProcess({ release, start, account, env: own }: SpawnOptions): RunningProcess {
  const { preload = '', settings } = start ?? {};
  const { env, execArgv } = withPreload(preload, own, [...flagsFor(release), ...release.nodeOptions]);
  const stdio: (string | number)[] = ['ignore', 'pipe', 'pipe'];
  stdio[LAST_WORDS_FD] = 2;
  const all = { ...env, [SETTINGS_VARIABLE]: JSON.stringify(settings) };
  const words = [...execArgv, release.file, ...release.args];
  const { command, args, options } = commandAs(account, release.node ?? process.execPath, words, all);
  return startProcess(command, args, {
    ...options,
    cwd: release.cwd,
    // A process group of its own: Ctrl-C in a terminal is for the supervisor, which then ends its workers gracefully.
    detached: true,
    stdio
  });
}

/**
 * The flags of the supervisor's own Node, for workers of the same binary. Another one may not know them, and would refuse
 * to start: what such a release needs is given as its own options.
 */
function flagsFor({ node }: Release): string[] {
  return node === null ? process.execArgv.filter((flag) => !NOT_INHERITED.test(flag)) : [];
}

/** What a worker started and left behind ends with it, as it would with Ctrl-C under plain Node. */
export function endGroup(pid: number | null): void {
  if (pid === null) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // Nobody is left in the group, which is the usual case.
  }
}
