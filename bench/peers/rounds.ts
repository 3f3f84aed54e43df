import { setTimeout as delay } from 'node:timers/promises';
import { type Report, startLoad } from '../client/index.ts';
import type { System } from './model.ts';
import { type PeersContext, Session, type Switched } from './session.ts';

/** The same requests for every system: what differs from round to round is the seed. */
const SEED = 20_240;
const BUSY_PAUSE_MS = 2;

/** One round of the strict client on one system. */
export interface Round {
  readonly report: Report;
  readonly deployMs: readonly (number | null)[];
  readonly rollbackMs: readonly (number | null)[];
  readonly troubles: readonly string[];
}

/** Starts a system, deploys under the strict client, rolls back once, and counts. */
export async function runRound(system: System, round: number, context: PeersContext): Promise<Round> {
  const { settings, progress } = context;
  const session = await Session.start(system, context);
  const load = startLoad({
    target: { host: '127.0.0.1', port: session.port },
    clients: settings.clients,
    requestTimeoutMs: settings.requestTimeoutMs,
    busyPauseMs: BUSY_PAUSE_MS,
    seed: SEED + round
  });
  const deployMs: (number | null)[] = [];
  const rollbackMs: (number | null)[] = [];
  const troubles: string[] = [];
  const act = async (what: string, into: (number | null)[], turn: () => Promise<Switched>) => {
    progress(`round ${round}: ${what}`);
    load.mark(what);
    load.expectAnyVersion();
    try {
      const { tookMs } = await turn();
      if (tookMs === null) troubles.push(`${what}: the new version did not answer when the system called it done`);
      into.push(tookMs);
    } catch (error) {
      troubles.push(`${what}: ${error instanceof Error ? error.message : error}`);
    }
    await delay(settings.pauseMs);
  };
  const expect = (version: string) => load.expectVersion(version);
  try {
    await load.warm();
    load.expectVersion('1');
    await delay(settings.pauseMs);
    for (let turn = 1; turn <= settings.deploys; turn += 1) {
      await act('deploy', deployMs, () => session.deploy(expect));
    }
    await act('rollback', rollbackMs, () => session.rollback(expect));
  } catch (error) {
    troubles.push(String(error));
  } finally {
    await load.stop();
    await session.end();
  }
  return { report: await load.stop(), deployMs, rollbackMs, troubles };
}
