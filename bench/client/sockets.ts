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
