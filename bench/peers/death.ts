import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from '../client/index.ts';
import type { System } from './model.ts';
import { isAlive, withDescendants } from './process-tree.ts';
import type { SystemResult } from './result.ts';
import type { PeersContext, Session } from './session.ts';
import { longestGap, type Watched, watch } from './watch.ts';

const BEFORE_MS = 300;
/** How soon an init system starts a service again: RestartSec of systemd. */
const RESTART_MS = 100;
/** Who has lived this long after its start is there to stay. nginx gives up after 2.5 s when it cannot bind. */
const STAYS_MS = 3_000;
const WATCH_MS = 9_000;

/** Kills the process that owns the port, starts the system again until it stays, and counts what clients lose meanwhile. */
export async function measureDeath(
  system: System,
  session: Session,
  { settings, progress }: PeersContext
): Promise<SystemResult['death']> {
  progress('kill -9');
  const load = startLoad({
    target: { host: '127.0.0.1', port: session.port },
    clients: settings.clients,
    requestTimeoutMs: settings.requestTimeoutMs,
    busyPauseMs: 2
  });
  let inChargeMs: number | null = null;
  let watched: Watched;
  try {
    await load.warm();
    watched = await watch(session.port, async () => {
      await delay(BEFORE_MS);
      const killedAt = performance.now();
      const owner = session.running.owner();
      session.sandbox.adopt(withDescendants(owner));
      process.kill(owner, 'SIGKILL');
      while (inChargeMs === null && performance.now() < killedAt + WATCH_MS) {
        await delay(RESTART_MS);
        const isBack = await session.running.startAgain().then(
          () => true,
          () => false // tried again, as an init system does
        );
        const backAt = performance.now();
        if (isBack && (await livesOn(session, backAt + STAYS_MS, killedAt + WATCH_MS)))
          inChargeMs = Math.round(backAt - killedAt);
      }
    });
  } finally {
    await load.stop();
  }
  const { failed } = await load.stop();
  return { failed, downMs: longestGap(watched.observations), inChargeMs, note: system.deathNote };
}

/** Whether the process that was started is there until a moment; not known in time counts as no. */
async function livesOn(session: Session, until: number, watchEnd: number): Promise<boolean> {
  while (performance.now() < until) {
    if (!isAlive(session.running.owner()) || performance.now() > watchEnd) return false;
    await delay(50);
  }
  return true;
}
