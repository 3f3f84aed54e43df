import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from '../client/index.ts';
import type { System } from './model.ts';
import type { SystemResult } from './result.ts';
import type { PeersContext, Session } from './session.ts';
import { isAlive, withDescendants } from './tree.ts';

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
  let killedAt = 0;
  let inChargeMs: number | null = null;
  try {
    await load.warm();
    await delay(BEFORE_MS);
    killedAt = load.mark('killed');
    const startedAt = performance.now();
    const owner = session.running.owner();
    session.ground.adopt(withDescendants(owner));
    process.kill(owner, 'SIGKILL');
    while (inChargeMs === null && performance.now() < startedAt + WATCH_MS) {
      await delay(RESTART_MS);
      const bornAt = performance.now();
      await session.running.revive().catch(() => {}); // tried again, as an init system does
      if (await livesOn(session, bornAt + STAYS_MS, startedAt + WATCH_MS)) inChargeMs = bornAt - startedAt;
    }
  } finally {
    await load.stop();
  }
  const { failed, silence, timeline } = await load.stop();
  const after = timeline.buckets.filter(({ atMs }) => atMs > killedAt);
  const isBack = after.slice(-10).some(({ answered }) => answered > 0);
  return {
    failed,
    downMs: isBack ? silence.ms : null,
    inChargeMs: inChargeMs === null ? null : Math.round(inChargeMs),
    note: system.deathNote
  };
}

/** Whether the process that was started is there until a moment; not known in time counts as no. */
async function livesOn(session: Session, until: number, watchEnd: number): Promise<boolean> {
  while (performance.now() < until) {
    if (!isAlive(session.running.owner()) || performance.now() > watchEnd) return false;
    await delay(50);
  }
  return true;
}
