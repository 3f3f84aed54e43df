import { isMainThread } from 'node:worker_threads';
import { preloadOption, SETTINGS_VARIABLE, type WorkerSettings } from '../protocol/worker-settings.ts';
import { Worker } from './worker.ts';

// The one file that acts on import: Node loads it before the app (`--require`), in workers of a supervisor.

/** Removes this preload from what the app's own child processes inherit: they are not workers. */
function forgetPreload(): void {
  const at = process.execArgv.indexOf(__filename);
  if (at > 0) process.execArgv.splice(at - 1, 2);
  const { NODE_OPTIONS = '' } = process.env;
  const ours = preloadOption(__filename);
  if (!NODE_OPTIONS.startsWith(ours)) return;
  const own = NODE_OPTIONS.slice(ours.length).trimStart();
  if (own === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = own;
}

if (!isMainThread) forgetPreload();
const settings = process.env[SETTINGS_VARIABLE];
if (isMainThread && settings !== undefined) {
  delete process.env[SETTINGS_VARIABLE];
  forgetPreload();
  new Worker(JSON.parse(settings) as WorkerSettings).begin();
}
