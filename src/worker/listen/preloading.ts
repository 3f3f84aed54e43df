import { APP_BEGINS } from '../../protocol/worker-settings.ts';

/**
 * Tells, when it is asked, whether it is still modules that are preloaded (`--require`, `--import`) which run: the servers
 * of an agent are not the app's.
 *
 * Those of `--require` run before anything else, in one breath; the end of those of `--import` is marked by a module of
 * ours that is loaded after them.
 */
export function watchPreloading(): () => boolean {
  let over = false;
  const end = () => {
    over = true;
  };
  const at = process.execArgv.indexOf(APP_BEGINS);
  if (at < 0) process.nextTick(end);
  else {
    process.execArgv.splice(at, 1); // not for child processes of the app
    Object.defineProperty(globalThis, Symbol.for('handover.app-begins'), { value: end, configurable: true });
  }
  return () => !over && (at >= 0 || process.mainModule === undefined);
}
