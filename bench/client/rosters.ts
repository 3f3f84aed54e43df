import type { Connection } from './connection.ts';
import type { Settings } from './model.ts';

/** Every socket there is; one timer for all of them ends what takes too long. */
export function createSocketSet({ requestTimeoutMs, lingerMs }: Settings) {
  const all = new Set<Connection>();
  let onEmpty = () => {};
  const sweep = () => {
    const now = performance.now();
    for (const connection of all) connection.sweep(now - requestTimeoutMs, now - lingerMs);
  };
  const timer = setInterval(sweep, Math.max(5, Math.min(100, requestTimeoutMs / 4)));
  return {
    all,
    forget(connection: Connection): void {
      all.delete(connection);
      if (all.size === 0) onEmpty();
    },
    /** Resolves when none is left, and ends the sweeping. */
    async allGone(): Promise<void> {
      if (all.size > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
        });
      }
      clearInterval(timer);
    }
  };
}

/** The clients that have had no answer yet. */
export function createColdList(timeoutMs: number) {
  const names = new Set<string>();
  const { promise, resolve, reject } = withResolvers();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = () => {
    clearTimeout(timer);
    reject(new Error(`no answer within ${timeoutMs} ms for: ${[...names].join(', ')}`));
  };
  promise.catch(() => {}); // whoever called warm() gets the rejection; if nobody did, nobody wants it
  return {
    add(name: string): void {
      names.add(name);
    },
    warmed(name: string): void {
      if (!names.delete(name) || names.size > 0) return;
      clearTimeout(timer);
      resolve();
    },
    /** Resolves when nobody is cold; the deadline runs from the first time it is asked for. */
    get empty(): Promise<void> {
      if (names.size === 0) resolve();
      else timer ??= setTimeout(giveUp, timeoutMs);
      return promise;
    },
    /** Ends the waiting of whoever still does. */
    giveUp
  };
}

function withResolvers() {
  let resolve = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
