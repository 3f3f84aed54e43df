import { isMainThread } from 'node:worker_threads';
import { ORDERS_VARIABLE, type Orders } from '../protocol/worker-settings.ts';
import { Life } from './worker.ts';

// The one file that acts on import: Node loads it before the app (`--require`), in workers of a supervisor.

/** Removes this preload from what the app's own child processes inherit: they are not workers. */
function forgetPreload(): void {
  const at = process.execArgv.indexOf(__filename);
  if (at > 0) process.execArgv.splice(at - 1, 2);
}

if (!isMainThread) forgetPreload();
const orders = process.env[ORDERS_VARIABLE];
if (isMainThread && orders !== undefined && process.connected) {
  delete process.env[ORDERS_VARIABLE];
  forgetPreload();
  new Life(JSON.parse(orders) as Orders).begin();
}
