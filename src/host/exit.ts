import { onExit } from 'signal-exit';

/**
 * Runs something in the last moment of this process, however it ends (SIGKILL excepted). Synchronous work only.
 *
 * @returns a function that takes it back
 */
export function onLastMoment(run: () => void): () => void {
  return onExit(() => {
    run();
    return undefined;
  });
}
